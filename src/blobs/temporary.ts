import { randomUUID } from 'node:crypto'
import { type FileHandle, open, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '../protocol/errors.ts'
import type { Written } from './blobs.ts'
import { createDigest } from './digest.ts'
import { diskError, hasErrorCode } from './disk-errors.ts'
import { makeFolder } from './durable.ts'

/** Kept free on the disk, so that the databases can go on when uploads have filled the rest. */
export const reserveBytes = 64 * 1024 * 1024

/** Writes bytes behind those that it has written so far. */
export interface Writer extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>
}

/** For a new file that has been opened. It is disposed of before the file is flushed. */
export type OpenWriter = (file: FileHandle, path: string) => Promise<Writer>

/** By the threads of the pool: nobody here waits for a disk that is slow to take them. */
const writeAside: OpenWriter = async (file) => ({
  async write(bytes) {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
  },
  async [Symbol.asyncDispose]() {},
})

/** Writes `source` into a new file under `folder`, durably, and tells its digest. Nothing stays when it rejects. */
export async function writeTemporary(
  folder: string,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
  openWriter: OpenWriter = writeAside,
): Promise<Written> {
  await makeFolder(folder)
  const path = join(folder, randomUUID())
  try {
    await using file = await open(path, 'wx', 0o600)
    const digest = createDigest()
    {
      await using writer = await openWriter(file, path)
      for await (const bytes of source) {
        signal?.throwIfAborted()
        // The disk takes them while they are hashed.
        const written = writer.write(bytes)
        digest.update(bytes)
        await written
      }
    }
    signal?.throwIfAborted()
    await file.sync()
    return { path, digest: digest.finish() }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/** Throws DISK_FULL where `size` more bytes would not leave the reserve free. */
export async function checkSpace(folder: string, size: number): Promise<void> {
  const { free } = await spaceOf(folder)
  if (size + reserveBytes <= free) return
  throw new CodedError('DISK_FULL', `${size} bytes are needed and ${reserveBytes} kept, ${free} are free`)
}

/** Bytes that this process may still write on the file system of `folder`, and the size of that file system. */
export async function spaceOf(folder: string): Promise<{ free: number; total: number }> {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { free: bavail * bsize, total: blocks * bsize }
}

/**
 * Removes what a process that died left half written in the data folder. Only for the one process that holds the data
 * folder's lock: another may be writing there.
 */
export async function sweepTemporary(dataFolder: string): Promise<void> {
  for (const folder of [join(dataFolder, 'blobs', 'tmp'), join(dataFolder, 'sums', 'tmp')]) {
    try {
      for (const name of await readdir(folder)) await rm(join(folder, name), { force: true, recursive: true })
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw diskError(error)
    }
  }
}
