import assert from 'node:assert/strict'
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCoded } from '../protocol/errors.ts'
import type { Reader } from './blobs.ts'
import { blockSize } from './digest.ts'
import { pageSize } from './pages.ts'
import { scanBytes } from './reader.ts'
import { createScratch } from './scratch.ts'
import { hashPath } from './sums.ts'
import { collectBytes, flipByte, noise, openTestBlobs, streamOf, until } from './test-support.ts'

test('[B1] any range of a blob is the range of its bytes', async () => {
  await using context = await openTestBlobs({ cacheBytes: 3 * pageSize })
  const bytes = noise(5 * pageSize + 777)
  const { hash } = await context.blobs.put(streamOf(bytes))
  const offset = fc.oneof(
    fc.nat(bytes.length + 10),
    fc.integer({ min: 0, max: 21 }).map((n) => n * blockSize),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(offset, offset), { minLength: 1, maxLength: 6 }), async (ranges) => {
      const reads = ranges.map(async ([one, other]) => {
        using reader = await context.blobs.open(hash)
        const [start, end] = [Math.min(one, other), Math.max(one, other)]
        assert.ok((await collectBytes(reader, start, end)).equals(bytes.subarray(start, end)))
        assert.ok((await scanned(reader, start, end)).equals(bytes.subarray(start, end)))
      })
      await Promise.all(reads)
    }),
    { numRuns: 40 },
  )
})

async function scanned(reader: Reader, start: number, end: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of reader.scan({ start, end })) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

test('[B1] who scans at the same time has memory of their own, also where others have left early', async () => {
  await using context = await openTestBlobs()
  const blobs = await Promise.all(
    Array.from({ length: 7 }, async () => {
      const bytes = noise(2 * scanBytes + blockSize + 1)
      return { bytes, hash: (await context.blobs.put(streamOf(bytes))).hash }
    }),
  )
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(
      blobs.map(async ({ bytes, hash }, at) => {
        using reader = await context.blobs.open(hash)
        let offset = 0
        for await (const piece of reader.scan({ start: 0, end: bytes.length })) {
          // While others read: what was lent stays as it is.
          await new Promise((resolve) => setImmediate(resolve))
          assert.ok(bytes.subarray(offset, offset + piece.length).equals(piece))
          offset += piece.length
          if (at % 3 === round) break
        }
        assert.equal(offset, at % 3 === round ? scanBytes : bytes.length)
      }),
    )
  }
})

test('memory that was scanned into is used again, for a few at once', () => {
  using scratch = createScratch(10)
  const some = Array.from({ length: 6 }, () => scratch.take())
  assert.equal(new Set(some).size, 6)
  for (const buffer of some) scratch.give(buffer)
  const again = Array.from({ length: 6 }, () => scratch.take())
  assert.equal(again.filter((buffer) => some.includes(buffer)).length, 4)
  assert.equal(new Set(again).size, 6)
})

test('[B1] a blob of nothing, of one byte, and of exactly one block reads whole', async () => {
  await using context = await openTestBlobs()
  for (const size of [0, 1, blockSize - 1, blockSize, pageSize, pageSize + 1]) {
    const bytes = noise(size)
    const { hash } = await context.blobs.put(streamOf(bytes))
    using reader = await context.blobs.open(hash)
    assert.equal(reader.size, size)
    assert.ok((await collectBytes(reader)).equals(bytes))
    assert.equal((await reader.lend(size, 100)).bytes.length, 0)
  }
})

test('[B1] memory that is all lent out does not stop other readers', async () => {
  await using context = await openTestBlobs({ cacheBytes: pageSize })
  const bytes = noise(8 * pageSize)
  const { hash } = await context.blobs.put(streamOf(bytes))
  using reader = await context.blobs.open(hash)
  const loans = await Promise.all(
    Array.from({ length: 8 }, (_, page) => reader.lend(page * pageSize, pageSize)),
  )
  for (const [page, loan] of loans.entries()) {
    const start = page * pageSize
    assert.ok(loan.bytes.length >= blockSize)
    assert.ok(Buffer.from(loan.bytes).equals(bytes.subarray(start, start + loan.bytes.length)))
    loan.release()
    loan.release()
  }
  assert.ok((await collectBytes(reader)).equals(bytes))
})

const positions = [0, 1, blockSize - 1, blockSize, pageSize - 1, pageSize, pageSize + 3 * blockSize + 9]
for (const way of ['chunks', 'scan'] as const)
  test(`[B1] a byte that flips never leaves by ${way}, what stands before it does, and the blob is set aside`, async () => {
    await using context = await openTestBlobs()
    const damaged = await Promise.all(
      positions.map(async (position) => {
        const bytes = noise(pageSize + 3 * blockSize + 10)
        const { hash } = await context.blobs.put(streamOf(bytes))
        await flipByte(hashPath(join(context.folder, 'blobs'), hash), position)
        return { position, bytes, hash }
      }),
    )
    const isRefused = (hash: string) =>
      assert.rejects(context.blobs.open(hash), (error) => isCoded(error, 'BLOB_CORRUPT'))
    for (const { position, bytes, hash } of damaged) {
      {
        using reader = await context.blobs.open(hash)
        const got: Buffer[] = []
        await assert.rejects(
          async () => {
            for await (const piece of reader[way]({ start: 0, end: reader.size }))
              got.push(Buffer.from(piece))
          },
          (error) => isCoded(error, 'BLOB_CORRUPT'),
        )
        const sound = position - (position % blockSize)
        assert.ok(Buffer.concat(got).equals(bytes.subarray(0, sound)), `flipped at ${position}`)
      }
      await isRefused(hash)
      await until(() => context.events.some((event) => event.hash === hash))
    }
    const hashes = damaged.map(({ hash }) => hash)
    assert.deepEqual(
      context.events,
      hashes.map((hash) => ({ kind: 'corrupt', hash })),
    )
    await context.reopen()
    for (const hash of hashes) {
      await isRefused(hash)
      assert.equal(await context.blobs.size(hash), null)
    }
    assert.deepEqual((await readdir(join(context.folder, 'blobs', 'corrupt'))).toSorted(), hashes.toSorted())
    // The same content, uploaded again, is served again.
    for (const { bytes, hash } of damaged) {
      await context.blobs.put(streamOf(bytes), { expected: hash })
      using healed = await context.blobs.open(hash)
      assert.ok((await collectBytes(healed)).equals(bytes))
    }
  })

test('[B1] blocks beside a damaged one are served meanwhile only until the damage is met', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(4 * pageSize)
  const { hash } = await context.blobs.put(streamOf(bytes))
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 2 * pageSize)
  using reader = await context.blobs.open(hash)
  assert.ok((await collectBytes(reader, 0, pageSize)).equals(bytes.subarray(0, pageSize)))
  await assert.rejects(reader.lend(2 * pageSize, 10), (error) => isCoded(error, 'BLOB_CORRUPT'))
  // Sound blocks that are asked for by whoever has it open are still sound.
  assert.ok((await collectBytes(reader, 3 * pageSize)).equals(bytes.subarray(3 * pageSize)))
})

test('[B1] a truncated blob is found damaged when it is opened', async () => {
  await using context = await openTestBlobs()
  const { hash } = await context.blobs.put(streamOf(noise(200_000)))
  await truncate(hashPath(join(context.folder, 'blobs'), hash), 150_000)
  await assert.rejects(context.blobs.open(hash), (error) => isCoded(error, 'BLOB_CORRUPT'))
  await until(() => context.events.length > 0)
  assert.equal(await context.blobs.verify(hash), 'corrupt')
})

test('[B1] sums that are missing or damaged are made again from a blob that proves whole', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(300_000)
  const { hash } = await context.blobs.put(streamOf(bytes))
  const sums = hashPath(join(context.folder, 'sums'), hash)
  const saved = await readFile(sums)
  for (const damage of [() => rm(sums), () => writeFile(sums, ''), () => flipByte(sums, 60)]) {
    await damage()
    await context.reopen()
    using reader = await context.blobs.open(hash)
    assert.ok((await collectBytes(reader)).equals(bytes))
    assert.ok((await readFile(sums)).equals(saved))
  }
  await rm(sums)
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 299_999)
  await context.reopen()
  await assert.rejects(context.blobs.open(hash), (error) => isCoded(error, 'BLOB_CORRUPT'))
  await until(() => context.events.length > 0)
  assert.equal((await stat(join(context.folder, 'blobs', 'corrupt', hash))).size, 300_000)
})

test('[B1] a damaged blob is healed from another copy that proves sound', async () => {
  const good = await openTestBlobs()
  await using _good = good
  const bytes = noise(400_000)
  const { hash } = await good.blobs.put(streamOf(bytes))
  const bad = await openTestBlobs()
  await using _bad = bad
  await bad.blobs.put(streamOf(bytes))
  await flipByte(hashPath(join(bad.folder, 'blobs'), hash), 5)
  await using context = await openTestBlobs({
    otherCopies: async function* () {
      yield await bad.blobs.open(hash)
      yield await good.blobs.open(hash)
    },
  })
  await context.blobs.put(streamOf(bytes))
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 399_999)
  assert.equal(await context.blobs.verify(hash), 'healed')
  assert.deepEqual(
    context.events.map(({ kind }) => kind),
    ['corrupt', 'healed'],
  )
  using reader = await context.blobs.open(hash)
  assert.ok((await collectBytes(reader)).equals(bytes))
  assert.deepEqual(await context.blobs.damaged(), [])
})

test('a read that is given up rejects with its reason, and readers leave no descriptors open', async () => {
  await using context = await openTestBlobs()
  const { hash } = await context.blobs.put(streamOf(noise(2 * pageSize)))
  const before = (await readdir('/proc/self/fd')).length
  const reason = new Error('gone')
  for (let round = 0; round < 50; round += 1) {
    using reader = await context.blobs.open(hash)
    await assert.rejects(reader.lend(0, 10, AbortSignal.abort(reason)), reason)
    for await (const _piece of reader.chunks()) break
  }
  await assert.rejects(context.blobs.open(hash, AbortSignal.abort(reason)), reason)
  await context.reopen()
  assert.ok((await readdir('/proc/self/fd')).length <= before)
})

test('a blob that is put again while it is being verified does not wait for that, and stays', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(300_000)
  const { hash } = await context.blobs.put(streamOf(bytes))
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 299_999)
  const verifying = context.blobs.verify(hash, { bytesPerSecond: 400_000 })
  let verified = false
  void verifying.then(() => {
    verified = true
  })
  await context.blobs.put(streamOf(bytes))
  assert.equal(verified, false)
  assert.equal(await verifying, 'sound')
  assert.equal(await context.blobs.verify(hash), 'sound')
  assert.deepEqual(context.events, [])
})
