import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { CodedError } from '../protocol/errors.ts'
import type { PlacedFile } from './blobs.ts'
import type { OpenFile } from './descriptors.ts'
import { diskError, hasErrorCode } from './disk-errors.ts'

export interface OpenPlaced {
  readonly handle: FileHandle
  /** Without links. */
  readonly path: Buffer
  readonly stats: Stats
}

/**
 * Opens a file of a music folder for reading, and only a plain file that lies within that folder and is what the caller
 * knows: errors as in `InPlace.open`.
 *
 * Links inside the folder are followed, as long as they stay in it. The path is freed of links first and then opened
 * without following any; since a folder on the way can be swapped for a link in between, what was opened must
 * afterwards still be the file at that path. Non-blocking, because opening a pipe would otherwise wait for a writer.
 */
export async function openPlaced(file: PlacedFile): Promise<OpenPlaced> {
  let handle: FileHandle | undefined
  try {
    const root = await withoutLinks(bytesOf(file.root))
    const path = await withoutLinks(Buffer.concat([root, separator, bytesOf(file.path)]))
    if (!isInside(root, path)) throw new CodedError('FILE_UNREADABLE', 'it lies outside of the music folder')
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile()) throw new CodedError('FILE_UNREADABLE', 'it is not a plain file')
    const opened = { handle, path, stats }
    if (!(await withoutLinks(path)).equals(path) || !isSame(stats, await stat(path)))
      throw new CodedError('FILE_CHANGED', 'it was replaced while it was opened')
    if (!isAsKnown(file, stats)) throw new CodedError('FILE_CHANGED')
    return opened
  } catch (error) {
    await handle?.close()
    throw placedError(error)
  }
}

/** Throws FILE_MISSING or FILE_CHANGED where the open file is not the one at its path any more. */
export async function checkStillThere(file: OpenFile): Promise<void> {
  try {
    // Nobody else can get its number while it is open: one look at the path tells of both.
    const there = await stat(file.path)
    const opened = file.stats
    const unchanged = there.size === opened.size && there.mtimeMs === opened.mtimeMs
    if (!unchanged || !isSame(there, opened)) throw new CodedError('FILE_CHANGED')
  } catch (error) {
    throw placedError(error)
  }
}

/** Whether size and time are those that the caller knows; a time that was rounded to milliseconds is the same. */
export function isAsKnown(known: Pick<PlacedFile, 'size' | 'modifiedAt'>, now: Stats): boolean {
  return now.size === known.size && Math.abs(now.mtimeMs - known.modifiedAt) < 1
}

const separator = Buffer.from('/')

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev
}

function isInside(root: Buffer, path: Buffer): boolean {
  const prefix = root.at(-1) === separator[0] ? root : Buffer.concat([root, separator])
  return path.length > prefix.length && path.subarray(0, prefix.length).equals(prefix)
}

function bytesOf(path: string | Buffer): Buffer {
  return typeof path === 'string' ? Buffer.from(path) : path
}

function withoutLinks(path: Buffer): Promise<Buffer> {
  return realpath(path, { encoding: 'buffer' })
}

function placedError(error: unknown): unknown {
  const options = { cause: error }
  if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return new CodedError('FILE_MISSING', undefined, options)
  if (hasErrorCode(error, 'ERR_INVALID_ARG_VALUE', 'ENAMETOOLONG', 'ELOOP', 'EACCES', 'EPERM', 'ENXIO'))
    return new CodedError('FILE_UNREADABLE', undefined, options)
  return diskError(error)
}
