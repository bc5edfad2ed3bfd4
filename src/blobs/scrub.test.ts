import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { OtherCopies } from './blobs.ts'
import type { DiskBlobs } from './disk.ts'
import { type KeyedFile, type ScrubOptions, startScrub } from './scrub.ts'
import { hashPath } from './sums.ts'
import { flipByte, noise, openTestBlobs, streamOf, until } from './test-support.ts'

async function openScrubbed(sizes: readonly number[], otherCopies: OtherCopies = () => []) {
  const context = await openTestBlobs({ otherCopies })
  const hashes: string[] = []
  for (const size of sizes) hashes.push((await context.blobs.put(streamOf(noise(size)))).hash)
  const files: KeyedFile[] = []
  for (const name of ['a.mp3', 'b.mp3']) {
    const path = join(context.folder, name)
    await writeFile(path, noise(10_000))
    const place = {
      root: context.folder,
      path: name,
      size: 10_000,
      modifiedAt: Math.floor((await stat(path)).mtimeMs),
    }
    files.push({ key: name, file: { ...place, hash: await context.blobs.inPlace.hash(place) } })
  }
  const verified: string[] = []
  const blobs: DiskBlobs = {
    ...context.blobs,
    verify(hash, pace) {
      verified.push(hash)
      return context.blobs.verify(hash, pace)
    },
  }
  const options: ScrubOptions = {
    blobs,
    placedFiles: async function* (after = '') {
      yield* files.filter(({ key }) => key > after)
    },
    statePath: join(context.folder, 'scrub.json'),
    periodMs: 3_600_000,
    usualBytesPerSecond: 1e9,
    onError: (error) => assert.fail(String(error)),
  }
  return Object.assign(context, { hashes: hashes.toSorted(), options, verified })
}

test('a scrub reads every blob and hashed file once in a period, and counts what is damaged', async () => {
  await using context = await openScrubbed([0, 1, 700, 30_000])
  const damaged = context.hashes.filter((_, index) => index === 2)
  for (const hash of damaged) {
    const path = hashPath(join(context.folder, 'blobs'), hash)
    if ((await stat(path)).size > 0) await flipByte(path, 0)
    else await writeFile(path, 'x')
  }
  await flipByte(
    join(context.folder, 'b.mp3'),
    5,
    new Date(Math.floor((await stat(join(context.folder, 'b.mp3'))).mtimeMs)),
  )
  await using scrub = startScrub(context.options)
  await until(() => scrub.status().finishedAt !== undefined)
  assert.deepEqual(context.verified, context.hashes)
  const { items, corrupt, healed, bytes, totalBytes } = scrub.status()
  assert.deepEqual({ items, corrupt, healed }, { items: 6, corrupt: 2, healed: 0 })
  assert.equal(bytes, totalBytes)
  assert.equal(context.events.length, 2)
  assert.deepEqual(await context.blobs.damaged(), damaged)
})

test('a scrub that was stopped continues where it was', async () => {
  await using context = await openScrubbed([10, 20, 30, 40])
  {
    // The third blob is never read to its end: the node is stopped while the scrub waits for the disk.
    const verify: DiskBlobs['verify'] = (hash, pace) =>
      context.verified.length < 2
        ? context.options.blobs.verify(hash, pace)
        : // The signal may be aborted by the time that this is called.
          pause(600_000, 'sound' as const, { ...(pace?.signal && { signal: pace.signal }), ref: false })
    const blobs = { ...context.options.blobs, verify }
    await using stopped = startScrub({ ...context.options, blobs })
    await until(() => stopped.status().items === 2)
  }
  const first = context.verified.slice()
  context.verified.length = 0
  {
    await using scrub = startScrub(context.options)
    await until(() => scrub.status().finishedAt !== undefined)
    assert.deepEqual([...first, ...context.verified], context.hashes)
    assert.equal(scrub.status().items, 6)
  }
  // A period that is over begins anew; one that is not is not read twice.
  context.verified.length = 0
  {
    await using scrub = startScrub(context.options)
    await until(() => scrub.status().items === 6)
    assert.deepEqual(context.verified, [])
  }
  await using scrub = startScrub({ ...context.options, periodMs: 1 })
  await until(() => context.verified.length >= 4)
  assert.ok(scrub.status().startedAt > 0)
})

test('[B1] what a scrub finds damaged is healed from another copy', async () => {
  await using elsewhere = await openTestBlobs()
  await using context = await openScrubbed([30_000], async function* (hash) {
    yield await elsewhere.blobs.open(hash)
  })
  const [hash = ''] = context.hashes
  await elsewhere.blobs.put((await context.blobs.open(hash)).chunks())
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 7)
  await using scrub = startScrub(context.options)
  await until(() => scrub.status().finishedAt !== undefined)
  const { corrupt, healed } = scrub.status()
  assert.deepEqual({ corrupt, healed }, { corrupt: 0, healed: 1 })
  assert.equal(await context.blobs.verify(hash), 'sound')
})

test('a scrub reads at its pace, and faster only where a period would not be long enough', async () => {
  await using context = await openScrubbed([300_000])
  const paceOf = async (periodMs: number) => {
    const paces: (number | undefined)[] = []
    const verify: DiskBlobs['verify'] = (hash, pace) => {
      paces.push(pace?.bytesPerSecond)
      return context.options.blobs.verify(hash, { ...pace, bytesPerSecond: 1e9 })
    }
    const blobs = { ...context.options.blobs, verify }
    const statePath = join(context.folder, `scrub-${periodMs}.json`)
    await using scrub = startScrub({
      ...context.options,
      blobs,
      statePath,
      periodMs,
      usualBytesPerSecond: 100_000,
    })
    await until(() => paces.length > 0 && scrub.status().bytes > 0)
    return paces[0] ?? 0
  }
  assert.equal(await paceOf(24 * 3_600_000), 100_000)
  // A second for 320,000 bytes, and a quarter more.
  assert.equal(await paceOf(1_000), 400_000)
})

test('a scrub whose state is torn begins anew', async () => {
  await using context = await openScrubbed([10])
  await writeFile(context.options.statePath, '{"startedAt":')
  await using scrub = startScrub(context.options)
  await until(() => scrub.status().finishedAt !== undefined)
  assert.equal(scrub.status().items, 3)
})
