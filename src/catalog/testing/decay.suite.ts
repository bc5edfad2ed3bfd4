import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { TestCatalog } from '../../../test/fixtures/catalog.ts'
import { type MusicFolder, makeMusicFolder, touch } from '../../../test/fixtures/make.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import { openDiskBlobs } from '../../blobs/disk.ts'
import type { Scanner } from '../scan/scan.ts'
import { createScanner } from '../scan/scanner.ts'
import { openCatalog } from './shared.ts'

const longAgo = Date.UTC(2020, 0, 1)

/** A library whose files have all been read whole. */
async function hashed(fill: (music: MusicFolder) => Promise<readonly string[]>) {
  await using stack = new AsyncDisposableStack()
  const music = stack.use(await makeMusicFolder())
  for (const path of await fill(music)) await touch(path, longAgo)
  const catalog: TestCatalog = stack.use(await openCatalog())
  await catalog.addLibrary(music.path)
  const blobs = stack.use(
    await openDiskBlobs(catalog.folder, { cacheBytes: 0, otherCopies: () => [], report: () => {} }),
  )
  const onError = (error: unknown) => assert.fail(String(error))
  const hashing = { inPlace: blobs.inPlace, bytesPerSecond: 1e9, onError }
  const scanner: Scanner = stack.use(createScanner({ ...catalog, hashing }))
  await scanner.scan()
  await waitFor(async () => (await catalog.tracks()).every(({ blob }) => blob !== undefined), {
    what: 'every file to be read whole',
  })
  const owned = stack.move()
  return { music, catalog, scanner, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Writes bytes as a disk that fails would leave them: at the same place, with the same size and times. */
async function decay(path: string, at: number, bytes: Uint8Array) {
  const damaged = await readFile(path)
  damaged.set(bytes, at)
  await writeFile(path, damaged)
  await touch(path, longAgo)
}

const titles = async (catalog: TestCatalog) => (await catalog.tracks()).map(({ tags }) => tags.title)

test('[B1] a full scan in the middle of disk damage keeps what is known, and tells of the files', async () => {
  // The mood stands behind the first and before the middle 8 KiB, which the fingerprint samples.
  const more = { TXXX: 'x'.repeat(12_000), TMOO: 'quiet', TCOP: 'y'.repeat(60_000) }
  await using made = await hashed(async (music) => [
    await music.add('samples.mp3', { title: 'samples', album: 'A' }),
    await music.add('between.mp3', { title: 'between', album: 'A', more }),
    await music.add('unreadable.mp3', { title: 'unreadable', album: 'A' }),
    await music.add('sound.mp3', { title: 'sound', album: 'A' }),
  ])
  const { music, catalog, scanner } = made
  assert.deepEqual((await catalog.tracks())[0]?.tags.moods, ['quiet'])
  const before = await catalog.tracks()
  const at = (name: string) => `${music.path}/${name}.mp3`
  const title = (await readFile(at('samples'))).indexOf('samples')
  assert.ok(title > 0)
  await decay(at('samples'), title, Buffer.from('damaged'))
  await decay(at('between'), (await readFile(at('between'))).indexOf('quiet'), Buffer.from('noisy'))
  const { size } = await stat(at('unreadable'))
  await decay(at('unreadable'), 0, randomBytes(size))

  await scanner.scan({ full: true })
  assert.deepEqual(await catalog.tracks(), before)
  assert.deepEqual(await catalog.problems(), {
    'samples.mp3': 'FILE_DECAYED',
    'between.mp3': 'FILE_DECAYED',
    'unreadable.mp3': 'FILE_DECAYED',
  })

  await scanner.scan()
  assert.equal(Object.keys(await catalog.problems()).length, 3, 'a scan of what has changed forgets nothing')
})

test('a file that is changed on purpose is believed, also in a full scan', async () => {
  await using made = await hashed(async (music) => [
    await music.add('a.mp3', { title: 'before', album: 'A' }),
  ])
  const { music, catalog, scanner } = made
  const path = `${music.path}/a.mp3`
  const from = (await readFile(path)).indexOf('before')
  await decay(path, from, Buffer.from('after!'))
  await scanner.scan({ full: true })
  assert.deepEqual(await titles(catalog), ['before'])
  await touch(path)
  await scanner.scan({ full: true })
  assert.deepEqual(await titles(catalog), ['after!'])
  assert.deepEqual(await catalog.problems(), {})
})
