import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import { isCoded } from '../../protocol/errors.ts'
import { pathText } from '../scan/path.ts'
import { createTagReader, usualReaderOptions } from './reader.ts'

const title = (reading: unknown) => {
  const { tags } = reading && typeof reading === 'object' && 'tags' in reading ? reading : {}
  return tags && typeof tags === 'object' && 'title' in tags ? tags.title : undefined
}

test('[S1] tags are read in order, in child processes, whatever the names of the files', async () => {
  await using folder = await makeMusicFolder()
  await using reader = createTagReader()
  const paths = []
  for (let at = 0; at < 150; at++) paths.push(await folder.add(`${at}.mp3`, { title: `Song ${at}` }))
  const strange = Buffer.concat([
    Buffer.from(`${folder.path}/l\nine `),
    Buffer.of(0xe9, 0xff),
    Buffer.from('.mp3'),
  ])
  await writeFile(strange, await folder.sound('mp3'))
  paths.push(pathText(strange), join(folder.path, 'missing.mp3'))
  const readings = await reader.readTags(paths)
  assert.deepEqual(
    readings.slice(0, 150).map(title),
    paths.slice(0, 150).map((_, at) => `Song ${at}`),
  )
  assert.equal(title(readings[150]), 'l ine \ufffd\ufffd')
  assert.deepEqual(readings[151], { ok: false, fault: { code: 'FILE_MISSING' } })
})

test('[S1] the child can neither write nor start programs', async () => {
  await using folder = await makeMusicFolder()
  const target = join(folder.path, 'written')
  const program = await folder.write(
    '../child.mjs',
    `import { writeFileSync } from 'node:fs'
     import { execSync } from 'node:child_process'
     process.on('message', () => {
       const tried = [() => writeFileSync(${JSON.stringify(target)}, 'x'), () => execSync('true')].map((run) => {
         try { run(); return 'done' } catch (error) { return error.code }
       })
       process.send({ kind: 'lyrics', lyrics: [{ synced: false, lines: tried.map((text) => ({ text })) }] })
     })`,
  )
  await using reader = createTagReader({ ...usualReaderOptions, program: pathToFileURL(program) })
  const [said] = await reader.readLyrics({ path: target })
  assert.deepEqual(said?.lines, [{ text: 'ERR_ACCESS_DENIED' }, { text: 'ERR_ACCESS_DENIED' }])
})

test('an answer that does not fit the schema is not believed', async () => {
  await using folder = await makeMusicFolder()
  const program = await folder.write(
    '../child.mjs',
    `process.on('message', () => process.send({ kind: 'tags', readings: [{ ok: true, tags: { title: 7 } }] }))`,
  )
  await using reader = createTagReader({ ...usualReaderOptions, program: pathToFileURL(program) })
  assert.deepEqual(await reader.readTags(['/x.mp3']), [{ ok: false, fault: { code: 'READER_FAILED' } }])
})

test('lyrics and covers are read on demand, the lyrics beside the file first', async () => {
  await using folder = await makeMusicFolder()
  await using reader = createTagReader()
  const path = await folder.add('song.flac', { title: 'x', more: { LYRICS: 'embedded' } })
  const beside = await folder.write('song.lrc', '[00:01.00]beside')
  assert.deepEqual(await reader.readLyrics({ path, beside }), [
    { synced: true, lines: [{ startMs: 1_000, text: 'beside' }] },
    { synced: false, lines: [{ text: 'embedded' }] },
  ])
  assert.deepEqual(await reader.readLyrics({ path: join(folder.path, 'no.mp3') }), [])
  assert.equal(await reader.readCover(path), null)
})

test('a reading can be given up, and a closed reader says so', async () => {
  await using folder = await makeMusicFolder()
  const reader = createTagReader()
  const path = await folder.add('song.mp3', { title: 'x' })
  const reason = new Error('enough')
  await assert.rejects(reader.readTags([path], AbortSignal.abort(reason)), reason)
  await reader[Symbol.asyncDispose]()
  await assert.rejects(reader.readTags([path]), (error) => isCoded(error, 'UNREACHABLE'))
})
