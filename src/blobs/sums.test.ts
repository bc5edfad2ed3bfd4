import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { blockSize, createDigest } from './digest.ts'
import { decodeSums, encodeSums } from './sums.ts'
import { noise } from './test-support.ts'

test('a digest is the same however the bytes are cut into pieces', () => {
  const bytes = noise(3 * blockSize + 1_234)
  const expected = [0, 1, 2, 3].map((block) =>
    crc32(bytes.subarray(block * blockSize, (block + 1) * blockSize)),
  )
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
      const digest = createDigest()
      const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      for (const [index, edge] of edges.entries())
        digest.update(bytes.subarray(edge, edges[index + 1] ?? edge))
      const { hash, sums } = digest.finish()
      assert.equal(hash, createHash('sha256').update(bytes).digest('hex'))
      assert.equal(sums.size, bytes.length)
      assert.deepEqual([...sums.blocks], expected)
    }),
    { numRuns: 30 },
  )
})

test('sums that are empty, torn, foreign, of another format or changed in any byte are not taken for whole', () => {
  const digest = createDigest()
  digest.update(noise(blockSize * 2 + 5))
  const { hash, sums } = digest.finish()
  const bytes = encodeSums(hash, sums)
  assert.deepEqual(decodeSums(hash, bytes), sums)
  assert.equal(decodeSums('0'.repeat(64), bytes), null)
  for (let length = 0; length < bytes.length; length += 1)
    assert.equal(decodeSums(hash, bytes.subarray(0, length)), null)
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 0x10
    assert.equal(decodeSums(hash, changed), null, `byte ${at}`)
  }
})

test('the sums of nothing are no blocks at all', () => {
  const { hash, sums } = createDigest().finish()
  assert.deepEqual(decodeSums(hash, encodeSums(hash, sums)), { size: 0, blocks: new Uint32Array(0) })
})
