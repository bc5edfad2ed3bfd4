import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { BlobHash } from '../protocol/ids.ts'

/**
 * The sums of a file: one CRC32 for each 64 KiB of it, so that any range can be checked as it is read, without reading
 * the rest. They are a function of the bytes, so they are found by the hash, wherever the bytes themselves stand: as a
 * blob or in a music folder. CRC32 sees damage, not malice; whoever can write to the disk can write sums too.
 */
export interface Sums {
  /** Size of the file in bytes. */
  readonly size: number
  /** The CRC32 of each block, the last of which may be short. */
  readonly blocks: Uint32Array
}

export const blockSize = 64 * 1024

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
