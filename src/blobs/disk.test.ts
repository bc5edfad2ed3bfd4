import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { access, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { isCoded } from '../protocol/errors.ts'
import { hashPath } from './sums.ts'
import {
  collectBytes,
  filesUnder,
  flipByte,
  noise,
  openTestBlobs,
  streamOf,
  type TestBlobs,
  until,
} from './test-support.ts'

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

test('[B1] a blob is named by the SHA-256 of its bytes, and the same content is kept once', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(123_456)
  const expected = { hash: sha256(bytes), size: bytes.length }
  assert.deepEqual(await context.blobs.put(streamOf(bytes)), { ...expected, duplicate: false })
  assert.deepEqual(await context.blobs.put(streamOf(bytes, 7)), { ...expected, duplicate: true })
  assert.equal(await context.blobs.size(expected.hash), bytes.length)
  assert.equal((await filesUnder(join(context.folder, 'blobs'))).length, 1)
})

test('[B2] putting the same content many times at once leaves one sound blob and nothing else', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(500_000)
  const stored = await Promise.all(Array.from({ length: 12 }, () => context.blobs.put(streamOf(bytes))))
  assert.equal(new Set(stored.map(({ hash }) => hash)).size, 1)
  assert.equal(stored.filter(({ duplicate }) => !duplicate).length, 1)
  assert.equal(await context.blobs.verify(sha256(bytes)), 'sound')
  assert.equal((await filesUnder(join(context.folder, 'blobs'))).length, 1)
})

test('[B1] content that comes again replaces a copy that was damaged without anyone noticing', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(90_000)
  const { hash } = await context.blobs.put(streamOf(bytes))
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 10)
  assert.equal((await context.blobs.put(streamOf(bytes))).duplicate, true)
  assert.equal(await context.blobs.verify(hash), 'sound')
})

test('bytes that are not those announced are not kept', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(1_000)
  const mismatch = (error: unknown) => isCoded(error, 'BLOB_MISMATCH')
  await assert.rejects(context.blobs.put(streamOf(bytes), { expected: '0'.repeat(64) }), mismatch)
  await assert.rejects(context.blobs.put(streamOf(bytes), { size: 999 }), mismatch)
  assert.deepEqual(await filesUnder(context.folder), [])
})

test('a put whose source fails or that is given up leaves nothing', async () => {
  await using context = await openTestBlobs()
  const broken = new Error('the line went dead')
  const source = async function* () {
    yield noise(70_000)
    throw broken
  }
  await assert.rejects(context.blobs.put(source()), broken)
  const controller = new AbortController()
  const endless = async function* () {
    for (;;) {
      yield noise(1_000)
      controller.abort(broken)
    }
  }
  await assert.rejects(context.blobs.put(endless(), { signal: controller.signal }), broken)
  assert.deepEqual(await filesUnder(context.folder), [])
})

test('a finished file becomes a blob without being copied, and its name is told before it moves', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(250_000)
  const path = join(context.folder, 'upload')
  await writeFile(path, bytes)
  const { ino } = await stat(path)
  const announced: string[] = []
  const announce = async (hash: string) => {
    await access(path)
    announced.push(hash)
  }
  const { hash, duplicate } = await context.blobs.adopt(path, { announce })
  assert.deepEqual(announced, [sha256(bytes)])
  assert.equal(duplicate, false)
  assert.equal((await stat(hashPath(join(context.folder, 'blobs'), hash))).ino, ino)
  await assert.rejects(access(path))
  using reader = await context.blobs.open(hash)
  assert.ok((await collectBytes(reader)).equals(bytes))
})

test('a file that is not taken over stays where it is', async () => {
  await using context = await openTestBlobs()
  const path = join(context.folder, 'upload')
  await writeFile(path, 'music')
  await assert.rejects(context.blobs.adopt(path, { expected: '1'.repeat(64) }), (error) =>
    isCoded(error, 'BLOB_MISMATCH'),
  )
  await access(path)
})

test('[B4] the last sound copy is not deleted, and a surplus one only once the others were verified', async () => {
  await using context = await openTestBlobs()
  const { hash } = await context.blobs.put(streamOf(noise(1_000)))
  await assert.rejects(
    context.blobs.remove(hash, async () => 0),
    (error) => isCoded(error, 'LAST_COPY'),
  )
  const unreachable = new Error('the other node does not answer')
  await assert.rejects(
    context.blobs.remove(hash, async () => {
      throw unreachable
    }),
    unreachable,
  )
  assert.equal(await context.blobs.verify(hash), 'sound')
  await context.blobs.remove(hash, async () => 1)
  assert.equal(await context.blobs.size(hash), null)
  await assert.rejects(context.blobs.open(hash), (error) => isCoded(error, 'BLOB_MISSING'))
})

test('what no fact refers to is collected, but only after the grace period', async () => {
  await using context = await openTestBlobs()
  const { hash: kept } = await context.blobs.put(streamOf(noise(1_000)))
  const { hash: old } = await context.blobs.put(streamOf(noise(2_000)))
  const { hash: young } = await context.blobs.put(streamOf(noise(3_000)))
  const yesterday = new Date(Date.now() - 86_400_000)
  for (const hash of [kept, old])
    await utimes(hashPath(join(context.folder, 'blobs'), hash), yesterday, yesterday)
  const freed = await context.blobs.collect((hash) => hash === kept, 3_600_000)
  assert.deepEqual(freed, { blobs: 1, bytes: 2_000 })
  assert.equal(await context.blobs.size(old), null)
  assert.equal(await context.blobs.size(kept), 1_000)
  assert.equal(await context.blobs.size(young), 3_000)
})

test('content that comes again while it is being collected is not lost', async () => {
  await using context = await openTestBlobs()
  const bytes = noise(10_000)
  const { hash } = await context.blobs.put(streamOf(bytes))
  const yesterday = new Date(Date.now() - 86_400_000)
  await utimes(hashPath(join(context.folder, 'blobs'), hash), yesterday, yesterday)
  await context.blobs.collect(async () => {
    await context.blobs.put(streamOf(bytes))
    return false
  }, 3_600_000)
  assert.equal(await context.blobs.verify(hash), 'sound')
})

test('blobs are listed in order, from any name on, and nothing else in the folder is taken for one', async () => {
  await using context = await openTestBlobs()
  const hashes: string[] = []
  for (let index = 0; index < 30; index += 1)
    hashes.push((await context.blobs.put(streamOf(noise(index)))).hash)
  hashes.sort()
  await writeFile(join(context.folder, 'blobs', 'README'), 'not a blob')
  const listed = async (after?: string) => {
    const found: string[] = []
    for await (const { hash } of context.blobs.list(after)) found.push(hash)
    return found
  }
  assert.deepEqual(await listed(), hashes)
  for (const index of [0, 11, 29]) assert.deepEqual(await listed(hashes[index]), hashes.slice(index + 1))
  assert.deepEqual(await listed('ff'.repeat(32)), [])
})

test('a folder that lost its blobs says which are missing', async () => {
  await using context = await openTestBlobs()
  const hash = 'a'.repeat(64)
  assert.equal(await context.blobs.verify(hash), 'missing')
  await assert.rejects(context.blobs.open(hash), (error) => isCoded(error, 'BLOB_MISSING'))
  assert.ok((await context.blobs.space()).free > 0)
  assert.deepEqual(await readdir(join(context.folder, 'blobs')), [])
})

test('[B4] only a copy that was just read whole is vouched for', async () => {
  await using context = await openTestBlobs()
  const { hash } = await context.blobs.put(streamOf(noise(200_000)))
  assert.equal(await context.blobs.vouch(hash), true)
  assert.equal(await context.blobs.vouch('a'.repeat(64)), false)
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 150_000)
  assert.equal(await context.blobs.vouch(hash), false)
  await until(async () => (await context.blobs.damaged()).includes(hash))
})

test('[B4] however many nodes drop the same blob at the same time, one copy stays', async () => {
  await using stack = new AsyncDisposableStack()
  const nodes: TestBlobs[] = []
  for (let count = 0; count < 3; count += 1) nodes.push(stack.use(await openTestBlobs()))
  for (let round = 0; round < 20; round += 1) {
    const bytes = noise(1_000 + round)
    for (const { blobs } of nodes) await blobs.put(streamOf(bytes))
    const hash = sha256(bytes)
    const drop = async (node: TestBlobs) => {
      await pause(Math.random() * 3)
      await node.blobs.remove(hash, async () => {
        const others = nodes.filter((other) => other !== node)
        const vouched = await Promise.all(others.map((other) => other.blobs.vouch(hash)))
        return vouched.filter(Boolean).length
      })
    }
    const dropped = await Promise.allSettled(nodes.map(drop))
    const left = await Promise.all(nodes.map(({ blobs }) => blobs.verify(hash)))
    assert.ok(left.includes('sound'), `round ${round}: ${dropped.map(({ status }) => status)}`)
  }
})
