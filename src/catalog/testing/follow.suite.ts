import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { TestCatalog } from '../../../test/fixtures/catalog.ts'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import { openDiskBlobs } from '../../blobs/disk.ts'
import { reconcileLibraries } from '../libraries.ts'
import { followFolders } from '../scan/follow.ts'
import { createScanner } from '../scan/scanner.ts'
import { watchFolder } from '../scan/watch.ts'
import { openCatalog } from './shared.ts'

const never = { rescanMs: 3_600_000, lookMs: 3_600_000 }

/** Waits until the catalog has these titles, and no others. */
async function until(catalog: TestCatalog, titles: readonly string[]) {
  const deadline = AbortSignal.timeout(60_000)
  for (;;) {
    const found = (await catalog.tracks()).map(({ tags }) => tags.title)
    if (found.join() === titles.join()) return
    if (deadline.aborted) assert.deepEqual(found, titles)
    await pause(20)
  }
}

test('the catalog follows what happens in the folders, and libraries that are added', async () => {
  await using music = await makeMusicFolder()
  await using other = await makeMusicFolder()
  await using catalog = await openCatalog()
  await music.add('A/a.mp3', { title: 'a' })
  await catalog.addLibrary(music.path)
  const ending = new AbortController()
  const following = followFolders(
    { ...catalog, ...never, quietMs: 100, onError: (error) => assert.fail(String(error)) },
    ending.signal,
  )
  await until(catalog, ['a'])
  await music.add('New/Deeper/b.mp3', { title: 'b' })
  await until(catalog, ['a', 'b'])
  await music.add('New/Deeper/c.mp3', { title: 'c' })
  await rename(join(music.path, 'A'), join(music.path, 'Z'))
  await until(catalog, ['a', 'b', 'c'])
  await other.add('d.mp3', { title: 'd' })
  await catalog.addLibrary(other.path)
  await until(catalog, ['a', 'b', 'c', 'd'])
  ending.abort()
  await following
})

test('what the watching does not hear of is found by the next comparison', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  await catalog.addLibrary(music.path)
  const ending = new AbortController()
  const quiet = { quietMs: 3_600_000, onError: (error: unknown) => assert.fail(String(error)) }
  const following = followFolders({ ...catalog, ...never, ...quiet, rescanMs: 200 }, ending.signal)
  await music.add('a.mp3', { title: 'a' })
  await until(catalog, ['a'])
  ending.abort()
  await following
})

test('a folder whose disk is mounted later is found, lost and found again while the server runs', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  await music.add('a.mp3', { title: 'a' })
  const [mountPoint, unmounted] = [join(music.path, '../mounted'), music.path]
  await reconcileLibraries(catalog.store, null, [mountPoint], [])
  const ending = new AbortController()
  const quiet = { quietMs: 50, onError: (error: unknown) => assert.fail(String(error)) }
  const following = followFolders({ ...catalog, ...never, ...quiet, lookMs: 50 }, ending.signal)
  const problems = (expected: Record<string, string>) =>
    waitFor(async () => isDeepStrictEqual(await catalog.problems(), expected), {
      what: `the problems ${JSON.stringify(expected)}`,
    })
  await problems({ '': 'LIBRARY_GONE' })
  await rename(unmounted, mountPoint)
  await until(catalog, ['a'])
  await problems({})
  await rename(mountPoint, unmounted)
  await problems({ '': 'LIBRARY_GONE' })
  await until(catalog, ['a'])
  await music.add('b.mp3', { title: 'b' })
  await rename(unmounted, mountPoint)
  await until(catalog, ['a', 'b'])
  await problems({})
  ending.abort()
  await following
})

test('a folder is told of once it is quiet, or when patience ends', async () => {
  await using music = await makeMusicFolder()
  const told: string[][] = []
  const heard = Promise.withResolvers<void>()
  await using watch = watchFolder({
    root: music.path,
    quietMs: 300,
    patienceMs: 900,
    changed: (folders) => {
      told.push([...folders])
      heard.resolve()
    },
  })
  await watch.ready
  await using file = await open(join(music.path, 'growing.mp3'), 'w')
  const startedAt = performance.now()
  let over = false
  void heard.promise.then(() => {
    over = true
  })
  let longestPause = 0
  for (let before = startedAt; !over; ) {
    await file.write('more')
    await pause(20)
    const now = performance.now()
    longestPause = Math.max(longestPause, now - before)
    before = now
    assert.ok(now - startedAt < 60_000)
  }
  const toldAfter = performance.now() - startedAt
  // On a busy machine the writing itself may have paused for as long as a folder that is quiet.
  assert.ok(toldAfter >= 800 || longestPause >= 200, `told while the file grew, after ${toldAfter} ms`)
  assert.deepEqual(told[0], [''])
  assert.equal(watch.isPartial, false)
})

test('[B1] files are read whole after the scan, and their tracks get the SHA-256 of their bytes', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  const paths = []
  for (const title of ['a', 'b', 'c']) paths.push(await music.add(`${title}.mp3`, { title, album: title }))
  await catalog.addLibrary(music.path)
  await using blobs = await openDiskBlobs(catalog.folder, {
    cacheBytes: 1_048_576,
    otherCopies: () => [],
    report: () => {},
  })
  let isListening = true
  const hashing = {
    inPlace: blobs.inPlace,
    bytesPerSecond: 100_000_000,
    onError: (error: unknown) => assert.fail(String(error)),
  }
  await using scanner = createScanner({ ...catalog, hashing })
  scanner.giveWayTo(() => isListening)
  await scanner.scan()
  const all = async () => (await catalog.tracks()).map(({ blob }) => blob)
  const ready = new EventTarget()
  const end = scanner.subscribe(
    (status) => status.unhashed === 3 && ready.dispatchEvent(new Event('counted')),
  )
  if (scanner.status.unhashed !== 3) await once(ready, 'counted', { signal: AbortSignal.timeout(60_000) })
  end()
  assert.equal(scanner.status.phase, 'hashing')
  assert.deepEqual(await all(), [undefined, undefined, undefined], 'nobody is disturbed while they listen')
  isListening = false
  const expected = await Promise.all(
    paths.map(async (path) =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    ),
  )
  const deadline = AbortSignal.timeout(60_000)
  while ((await all()).includes(undefined)) {
    deadline.throwIfAborted()
    await pause(20)
  }
  assert.deepEqual(await all(), expected)
})
