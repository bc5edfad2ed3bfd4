import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { BlobHash } from '../protocol/ids.ts'
import { blockSize, type Sums } from './digest.ts'
import { hasErrorCode } from './disk-errors.ts'
import { makeFolder } from './durable.ts'

/** `folder/ab/cd/<hash>` for the hash `abcd…`: how blobs and sums are laid out. */
export function hashPath(folder: string, hash: BlobHash): string {
  return join(folder, hash.slice(0, 2), hash.slice(2, 4), hash)
}

export interface SumsFolder {
  /** The sums of the content `hash`, or null where there are none that are whole. */
  load(hash: BlobHash): Promise<Sums | null>
  save(hash: BlobHash, sums: Sums): Promise<void>
  /** Saves the sums unless the same ones are there, so that looking after a disk does not wear it. */
  keep(hash: BlobHash, sums: Sums): Promise<void>
  remove(hash: BlobHash): Promise<void>
}

/**
 * Sums kept under `folder`. A file of sums carries a checksum of its own and the hash it belongs to, and whoever finds
 * none makes it again from the bytes; so it is not fsynced: a power cut costs one reading, never a wrong answer.
 */
export function openSums(folder: string): SumsFolder {
  async function load(hash: BlobHash): Promise<Sums | null> {
    try {
      return decodeSums(hash, await readFile(hashPath(folder, hash)))
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null
      throw error
    }
  }

  async function save(hash: BlobHash, sums: Sums): Promise<void> {
    const path = hashPath(folder, hash)
    const temporary = join(folder, 'tmp', randomUUID())
    await makeFolder(dirname(temporary))
    await makeFolder(dirname(path))
    try {
      await writeFile(temporary, encodeSums(hash, sums), { flag: 'wx' })
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  return {
    load,
    save,
    async keep(hash, sums) {
      const saved = await load(hash)
      if (!saved || !encodeSums(hash, saved).equals(encodeSums(hash, sums))) await save(hash, sums)
    },
    remove: (hash) => rm(hashPath(folder, hash), { force: true }),
  }
}

/*
 * The file, numbers little-endian: "HKSM", format 1, block size, size (64 bits), the SHA-256 of the content, the blocks'
 * sums, and the CRC32 of all that.
 */
const magic = 0x4d534b48
const format = 1
const headerBytes = 52

export function encodeSums(hash: BlobHash, sums: Sums): Buffer {
  const bytes = Buffer.alloc(headerBytes + sums.blocks.length * 4 + 4)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(format, 4)
  bytes.writeUInt32LE(blockSize, 8)
  bytes.writeBigUInt64LE(BigInt(sums.size), 12)
  bytes.write(hash, 20, 'hex')
  for (const [index, sum] of sums.blocks.entries()) bytes.writeUInt32LE(sum, headerBytes + index * 4)
  const end = bytes.length - 4
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end)
  return bytes
}

/** The sums that `bytes` hold for the content `hash`, or null where they are torn, foreign or of another format. */
export function decodeSums(hash: BlobHash, bytes: Buffer): Sums | null {
  const end = bytes.length - 4
  if (end < headerBytes || bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) return null
  if (bytes.readUInt32LE(0) !== magic || bytes.readUInt32LE(4) !== format) return null
  if (bytes.readUInt32LE(8) !== blockSize || bytes.toString('hex', 20, headerBytes) !== hash) return null
  const size = Number(bytes.readBigUInt64LE(12))
  const count = Math.ceil(size / blockSize)
  if (end !== headerBytes + count * 4) return null
  const blocks = new Uint32Array(count)
  for (let index = 0; index < count; index += 1) blocks[index] = bytes.readUInt32LE(headerBytes + index * 4)
  return { size, blocks }
}
