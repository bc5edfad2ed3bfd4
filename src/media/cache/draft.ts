import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { diskError } from '../../blobs/disk-errors.ts'

/** A file of a cache that is still being written. */
export interface Draft {
  write(chunk: Uint8Array): Promise<void>
  /** Bytes written so far, which `read` can give. */
  readonly size: number
  read(buffer: Uint8Array, position: number): Promise<number>
  /**
   * Complete: from now on `get` finds it. What is larger than the whole budget, or finds no room because all the rest
   * is in use, is not kept.
   */
  complete(): Promise<void>
  /** Closes the draft, and deletes it where it was not completed. */
  close(): Promise<void>
}

export interface DraftOwner {
  grown(): void
  /** The file at `path` is complete; it may be taken to its place. */
  finished(path: string, size: number, crc: string): Promise<void>
  /** What was written no longer counts as a draft. */
  closed(): void
}

/** Makes the file. Errors of the disk: DISK_FULL, DISK_READ_ONLY, DISK_FAILED. */
export async function openDraft(path: string, owner: DraftOwner): Promise<Draft> {
  const handle = await openNew(path).catch(rethrow)
  let size = 0
  let crc = 0
  let open = true
  return {
    get size() {
      return size
    },
    async write(chunk) {
      for (let done = 0; done < chunk.length; ) {
        const written = await handle.write(chunk, done, chunk.length - done, size + done).catch(rethrow)
        done += written.bytesWritten
      }
      crc = crc32(chunk, crc)
      size += chunk.length
      owner.grown()
    },
    async read(buffer, position) {
      const length = Math.min(buffer.length, size - position)
      return length <= 0 ? 0 : (await handle.read(buffer, 0, length, position)).bytesRead
    },
    async complete() {
      owner.closed()
      await owner.finished(path, size, hexadecimal(crc))
    },
    async close() {
      if (!open) return
      open = false
      owner.closed()
      await handle.close()
      await rm(path, { force: true })
    },
  }
}

export function hexadecimal(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}

/** Makes the folder again where somebody has deleted it. */
async function openNew(path: string): Promise<FileHandle> {
  return await open(path, 'wx+', 0o600).catch(async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    return await open(path, 'wx+', 0o600)
  })
}

function rethrow(error: unknown): never {
  throw diskError(error)
}
