import { constants, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { hasErrorCode } from './disk-errors.ts'
import type { OpenWriter } from './temporary.ts'

/** What disks and file systems want the place, the length and the memory of such a write to be a multiple of. */
const blockBytes = 4_096

/**
 * Writes past the system's memory where the file system lets it: nobody reads again soon what is written here, so copying
 * it there costs the processor more than all else, takes the place of what listeners read, and leaves it to one long
 * flush. Such a write is nearly all waiting for the disk, which the pool does, while this thread goes on with what has come.
 * What is no whole block goes the usual way, by this thread itself, and all of it where the file system, or where the bytes
 * lie in memory, does not allow it: copying is work, and those who listen wait for the pool.
 */
export const openDirectWriter: OpenWriter = async (file, path) => {
  const direct = await openDirect(path)
  let isAllowed = direct !== null
  let at = 0

  /** Answers how many of the first bytes have been written. */
  async function writePast(bytes: Uint8Array): Promise<number> {
    if (direct === null || !isAllowed || at % blockBytes > 0) return 0
    const end = bytes.length - (bytes.length % blockBytes)
    let done = 0
    try {
      // What is left after a part that is no whole block, at the end of a full disk, is no longer in place.
      while (done < end && done % blockBytes === 0)
        done += (await direct.write(bytes, done, end - done, at + done)).bytesWritten
    } catch (error) {
      if (!hasErrorCode(error, 'EINVAL')) throw error
      isAllowed = false
    }
    return done
  }

  return {
    async write(bytes) {
      let done = await writePast(bytes)
      while (done < bytes.length) done += writeSync(file.fd, bytes, done, bytes.length - done, at + done)
      at += bytes.length
    },
    async [Symbol.asyncDispose]() {
      await direct?.close()
    },
  }
}

/** Null where the system or the file system has no such way, and for whatever else keeps it from being opened. */
async function openDirect(path: string): Promise<FileHandle | null> {
  const flag: number | undefined = constants.O_DIRECT
  if (flag === undefined) return null
  return await open(path, constants.O_WRONLY | flag).catch(() => null)
}
