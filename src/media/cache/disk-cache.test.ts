import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import { type DiskCache, type Kept, openDiskCache } from './disk-cache.ts'

const live = new AbortController().signal

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-cache-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

async function keep(cache: DiskCache, key: string, bytes: Uint8Array): Promise<void> {
  const draft = await cache.create(key, 'opus')
  try {
    await draft.write(bytes)
    await draft.complete()
  } finally {
    await draft.close()
  }
}

async function bytesOf(kept: Kept, start = 0, end = kept.size): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of kept.open({ start, end }, live)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function read(cache: DiskCache, key: string): Promise<Buffer | null> {
  using kept = await cache.get(key)
  return kept && (await bytesOf(kept))
}

/** The files of finished entries, with their paths. */
async function files(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true })
  return all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Deletions follow the call that decides them; wait for the folder to show what the cache says. */
async function untilFolderHolds(folder: string, count: number): Promise<void> {
  while ((await files(folder)).length !== count) await new Promise(setImmediate)
}

test('what is complete is found, byte for byte, and any range of it', async (t) => {
  await using cache = openDiskCache(await temporaryFolder(t), 10_000_000)
  const bytes = randomBytes(700_001)
  await keep(cache, 'a', bytes)
  assert.deepEqual(await read(cache, 'a'), bytes)
  using kept = await cache.get('a')
  assert(kept !== null)
  assert.deepEqual(await bytesOf(kept, 300_000, 600_000), bytes.subarray(300_000, 600_000))
  assert.equal(await cache.get('b'), null)
})

test('what is not complete is not found, and leaves nothing behind', async (t) => {
  const folder = await temporaryFolder(t)
  await using cache = openDiskCache(folder, 10_000)
  const draft = await cache.create('a', 'opus')
  await draft.write(randomBytes(100))
  assert.equal(await cache.get('a'), null)
  await draft.close()
  assert.deepEqual(await files(folder), [])
})

test('a draft can be read while it grows', async (t) => {
  await using cache = openDiskCache(await temporaryFolder(t), 10_000)
  const draft = await cache.create('a', 'opus')
  const buffer = Buffer.alloc(10)
  assert.equal(await draft.read(buffer, 0), 0)
  await draft.write(Buffer.from('abc'))
  await draft.write(Buffer.from('def'))
  assert.equal(await draft.read(buffer, 2), 4)
  assert.equal(buffer.toString('latin1', 0, 4), 'cdef')
  await draft.close()
})

test('the longest unused goes first', async (t) => {
  const folder = await temporaryFolder(t)
  await using cache = openDiskCache(folder, 300)
  for (const key of ['a', 'b', 'c']) await keep(cache, key, randomBytes(100))
  await read(cache, 'a')
  await keep(cache, 'd', randomBytes(100))
  assert.equal(await cache.get('b'), null)
  for (const key of ['a', 'c', 'd']) assert.notEqual(await read(cache, key), null)
  assert.deepEqual(cache.status(), { bytes: 300, entries: 3, budget: 300 })
  await untilFolderHolds(folder, 3)
})

test('the order of use and the budget outlive the process', async (t) => {
  const folder = await temporaryFolder(t)
  {
    await using cache = openDiskCache(folder, 1_000)
    for (const key of ['a', 'b', 'c', 'd']) {
      await keep(cache, key, randomBytes(200))
      // The file system's clock ticks every few milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 15))
    }
  }
  await using cache = openDiskCache(folder, 500)
  assert.equal(await cache.get('a'), null)
  assert.equal(await cache.get('b'), null)
  assert.notEqual(await read(cache, 'c'), null)
  assert.notEqual(await read(cache, 'd'), null)
  assert.equal(cache.status().bytes, 400)
})

test('damage of any kind costs only the damaged: they are not found, and can be made again', async (t) => {
  const folder = await temporaryFolder(t)
  {
    await using cache = openDiskCache(folder, 100_000)
    for (const key of ['short', 'flipped', 'sound']) await keep(cache, key, Buffer.from(key.repeat(100)))
  }
  const pathOf = async (key: string): Promise<string> => {
    const hash = createHash('sha256').update(key).digest('hex').slice(0, 32)
    return (await files(folder)).find((path) => path.includes(hash)) ?? ''
  }
  await truncate(await pathOf('short'), 10)
  const flipped = await readFile(await pathOf('flipped'))
  flipped[50] = (flipped[50] ?? 0) ^ 1
  await writeFile(await pathOf('flipped'), flipped)
  await writeFile(join(folder, 'stray'), 'x')
  await writeFile(join(folder, 'tmp', 'half'), 'x')

  await using cache = openDiskCache(folder, 100_000)
  assert.equal(await cache.get('short'), null)
  assert.equal(await cache.get('flipped'), null)
  assert.deepEqual(await read(cache, 'sound'), Buffer.from('sound'.repeat(100)))
  await keep(cache, 'short', Buffer.from('again'))
  assert.deepEqual(await read(cache, 'short'), Buffer.from('again'))
  assert(!(await files(folder)).includes(join(folder, 'tmp', 'half')))
})

test('what is in use is not deleted; what finds no room is not kept', async (t) => {
  await using cache = openDiskCache(await temporaryFolder(t), 250)
  const bytes = randomBytes(200)
  await keep(cache, 'held', bytes)
  {
    using kept = await cache.get('held')
    assert(kept !== null)
    await keep(cache, 'other', randomBytes(100))
    assert.equal(await cache.get('other'), null)
    assert.deepEqual(await bytesOf(kept), bytes)
  }
  await keep(cache, 'other', randomBytes(100))
  assert.notEqual(await read(cache, 'other'), null)
  assert.equal(await cache.get('held'), null)
})

test('what is larger than the budget is not kept', async (t) => {
  await using cache = openDiskCache(await temporaryFolder(t), 100)
  await keep(cache, 'small', randomBytes(50))
  await keep(cache, 'large', randomBytes(101))
  assert.equal(await cache.get('large'), null)
  assert(cache.status().bytes <= 100)
})

test('many at once: the budget holds, and every reader gets the bytes they asked for', async (t) => {
  const budget = 5_000
  const contentOf = (key: number): Buffer => Buffer.alloc(200 + key * 40, key)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.nat(24), write: fc.boolean() }), { minLength: 20, maxLength: 80 }),
      async (steps) => {
        const folder = await temporaryFolder(t)
        await using cache = openDiskCache(folder, budget)
        await Promise.all(
          steps.map(async ({ key, write }) => {
            if (write) await keep(cache, String(key), contentOf(key))
            using kept = await cache.get(String(key))
            if (kept !== null) assert.deepEqual(await bytesOf(kept), contentOf(key))
            assert(cache.status().bytes <= budget, `${cache.status().bytes} bytes are kept`)
          }),
        )
        await untilFolderHolds(folder, cache.status().entries)
      },
    ),
    { numRuns: 15 },
  )
})

test('a cache whose folder somebody deletes goes on', async (t) => {
  const folder = await temporaryFolder(t)
  await using cache = openDiskCache(folder, 1_000)
  await keep(cache, 'a', randomBytes(10))
  await rm(folder, { recursive: true })
  assert.equal(await cache.get('a'), null)
  await keep(cache, 'b', randomBytes(10))
  assert.notEqual(await read(cache, 'b'), null)
})

test('a folder that cannot be used is an empty cache; only writing to it fails', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'file'), '')
  await using cache = openDiskCache(join(folder, 'file', 'below'), 1_000)
  assert.equal(await cache.get('a'), null)
  await assert.rejects(cache.create('a', 'opus'))
})
