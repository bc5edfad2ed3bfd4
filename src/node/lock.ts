import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { diskError, hasErrorCode } from '../blobs/disk-errors.ts'
import { makeFolder } from '../blobs/durable.ts'
import { CodedError } from '../protocol/errors.ts'
import { readLocal } from './local.ts'

/**
 * Makes the data folder (0700) where it does not exist, and holds it for this process alone until disposed of. The
 * lock is SQLite's exclusive one on `lock.db`: the operating system frees it however the process ends.
 *
 * Throws DATA_FOLDER_IN_USE where another process holds it, DATA_FOLDER_UNUSABLE, DISK_FULL, DISK_READ_ONLY or
 * DISK_FAILED.
 */
export async function lockDataFolder(data: string): Promise<Disposable> {
  await makeOwnFolder(data)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(data, 'lock.db'), { timeout: 0 })
    // Each start writes: a folder that is full or read-only is refused now, not at the first fact. (On a read-only
    // disk SQLite would grant a lock that holds nobody off.)
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS lock (held)')
    database.exec(`DELETE FROM lock; INSERT INTO lock VALUES (${process.pid}); COMMIT`)
    const held = database
    return { [Symbol.dispose]: () => held.close() }
  } catch (error) {
    database?.close()
    throw await lockError(error, data)
  }
}

async function makeOwnFolder(data: string): Promise<void> {
  try {
    await makeFolder(data)
    if (!(await stat(data)).isDirectory()) throw new CodedError('DATA_FOLDER_UNUSABLE', data)
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST', 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL')) {
      throw new CodedError('DATA_FOLDER_UNUSABLE', `${data} is not a folder`, { cause: error })
    }
    throw diskError(error)
  }
}

/** SQLite's primary result codes, from https://sqlite.org/rescode.html; extended ones hold them in the low byte. */
const busy = 5
const locked = 6
const readOnly = 8
const ioError = 10
const full = 13
const cannotOpen = 14

async function lockError(error: unknown, data: string): Promise<unknown> {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error
  const options = { cause: error }
  switch (error.errcode & 0xff) {
    case busy:
    case locked:
      return new CodedError('DATA_FOLDER_IN_USE', await holderOf(data), options)
    case readOnly:
    case cannotOpen:
      return new CodedError('DISK_READ_ONLY', data, options)
    case full:
      return new CodedError('DISK_FULL', data, options)
    case ioError:
      return new CodedError('DISK_FAILED', data, options)
    default:
      return new CodedError('DATA_FOLDER_UNUSABLE', `lock.db in ${data}: ${error.message}`, options)
  }
}

async function holderOf(data: string): Promise<string> {
  const holder = await readLocal(data)
  return holder === null ? data : `${data}, by process ${holder.pid} at ${holder.address}`
}
