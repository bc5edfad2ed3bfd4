import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { BlobHash } from '../protocol/ids.ts'
import { blockSize, type Sums } from './sums.ts'

/** What reading a file whole tells: its name as a blob, and the sums of its blocks. */
export interface Digest {
  readonly hash: BlobHash
  readonly sums: Sums
}

export interface Digesting {
  update(bytes: Uint8Array): void
  /** Call once, after the last byte. */
  finish(): Digest
}

/** Computes a Digest over bytes that come in pieces of any size. */
export function createDigest(): Digesting {
  const sha = createHash('sha256')
  const blocks: number[] = []
  let size = 0
  let sum = 0

  return {
    update(bytes) {
      sha.update(bytes)
      let at = 0
      while (at < bytes.length) {
        const end = Math.min(bytes.length, at + blockSize - (size % blockSize))
        sum = crc32(bytes.subarray(at, end), sum)
        size += end - at
        at = end
        if (size % blockSize > 0) continue
        blocks.push(sum)
        sum = 0
      }
    },

    finish() {
      if (size % blockSize > 0) blocks.push(sum)
      return { hash: sha.digest('hex'), sums: { size, blocks: Uint32Array.from(blocks) } }
    },
  }
}
