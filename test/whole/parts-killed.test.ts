import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createTagReader, usualReaderOptions } from '../../src/catalog/tags/reader.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { makeMusicFolder } from '../fixtures/make.ts'
import { temporaryFolder } from '../harness/folder.ts'

/* Parts of a node that are killed again and again: a process each time, which takes seconds. */

/** What SQLite says of the file. */
function integrityOf(path: string) {
  using db = new DatabaseSync(path, { readOnly: true })
  return db.prepare('PRAGMA integrity_check').get()?.integrity_check
}

test('[F1] kill -9 at any moment loses nothing that was acknowledged, and leaves no half transaction', async (context) => {
  await using folder = await temporaryFolder('store-killed')
  const path = join(folder.path, 'store.db')
  const seed = Math.floor(Math.random() * 2 ** 31)
  context.diagnostic(`seed ${seed}`)
  const acknowledged = new Map<string, string>()
  for (let round = 0; round < 6; round += 1) {
    const writer = fork(new URL('../../src/store/sqlite-writer.fixture.ts', import.meta.url))
    writer.send({ path, round })
    // Killed in the midst of the work: after a number of acknowledgements that the seed says.
    let left = 1 + ((seed >> round) % 400)
    writer.on('message', (message: { key: string; value: string }) => {
      acknowledged.set(message.key, message.value)
      left -= 1
      if (left === 0) writer.kill('SIGKILL')
    })
    const [status, signal] = await once(writer, 'exit')
    assert.deepEqual([status, signal], [null, 'SIGKILL'])
  }
  await using store = await openSqliteStore(path)
  for (const [key, value] of acknowledged) {
    // The writer goes on replacing a key after its acknowledgement, so what is there may be newer, never older.
    const [first, second] = [await store.get(`a/${key}`), await store.get(`b/${key}`)]
    const found = Number(new TextDecoder().decode(first?.value))
    assert.ok(found >= Number(value), `${key}: ${found}, acknowledged ${value}`)
    assert.deepEqual(first?.value, second?.value)
  }
  assert.ok(acknowledged.size > 0)
  assert.equal(integrityOf(path), 'ok')
})

test('[S1] a file that kills its reader, or hangs it, costs only itself', async () => {
  await using folder = await makeMusicFolder()
  const child = pathToFileURL(join(import.meta.dirname, '../../src/catalog/tags/read-file.ts')).href
  const program = await folder.write(
    '../child.mjs',
    `import { createFileReader } from ${JSON.stringify(child)}
     const files = createFileReader()
     process.on('message', ({ paths }) => {
       const readings = []
       for (const path of paths) {
         if (path.includes('crash')) process.kill(process.pid, 'SIGSEGV')
         if (path.includes('memory')) for (const all = []; ; ) all.push(new Array(1e7).fill(path))
         if (path.includes('hang')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
         readings.push(files.readTags(path))
       }
       process.send({ kind: 'tags', readings })
     })
     process.on('disconnect', () => process.exit())`,
  )
  await using reader = createTagReader({
    ...usualReaderOptions,
    fileDeadlineMs: 2_000,
    program: pathToFileURL(program),
  })
  const names = ['a', 'crash', 'b', 'hang', 'c', 'memory', 'd']
  const paths = []
  for (const name of names) paths.push(await folder.add(`${name}.mp3`, { title: name }))
  const readings = await reader.readTags(paths)
  assert.deepEqual(
    readings.map((reading) => (reading.ok ? reading.tags.title : reading.fault.code)),
    ['a', 'READER_FAILED', 'b', 'READER_FAILED', 'c', 'READER_FAILED', 'd'],
  )
})
