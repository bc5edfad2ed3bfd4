import { CodedError } from '../protocol/errors.ts'

/** SQLite's result codes (sqlite.org/rescode.html) that say something a person can act on. */
const meanings = {
  5: 'UNREACHABLE', // BUSY: another process holds it
  6: 'UNREACHABLE', // LOCKED
  8: 'DISK_READ_ONLY', // READONLY
  10: 'DISK_FAILED', // IOERR
  11: 'STORE_CORRUPT', // CORRUPT
  13: 'DISK_FULL', // FULL
  14: 'DISK_READ_ONLY', // CANTOPEN: the folder is missing or may not be written
  26: 'STORE_CORRUPT', // NOTADB
} as const

/** Extended codes that say more than their kind does. */
const exactMeanings = {
  4874: 'DISK_FULL', // IOERR_SHMSIZE: there is no room for the file beside the database that its readers share
} as const

const systemMeanings = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EROFS: 'DISK_READ_ONLY',
  EACCES: 'DISK_READ_ONLY',
  EPERM: 'DISK_READ_ONLY',
  ENOENT: 'DISK_READ_ONLY',
  ENOTDIR: 'DISK_READ_ONLY',
  EIO: 'DISK_FAILED',
} as const

/** The coded error for what SQLite or the file system threw; other errors (faults of ours) come back as they are. */
export function storeError(error: unknown): unknown {
  if (error instanceof CodedError || !(error instanceof Error)) return error
  if ('errcode' in error && typeof error.errcode === 'number') {
    // The low byte is the primary code; what stands above it tells kinds of it apart.
    for (const [found, known] of [
      [error.errcode, exactMeanings],
      [error.errcode & 0xff, meanings],
    ] as const) {
      for (const [code, meaning] of Object.entries(known)) {
        if (Number(code) === found) return new CodedError(meaning, error.message, { cause: error })
      }
    }
  }
  if ('code' in error) {
    for (const [code, meaning] of Object.entries(systemMeanings)) {
      if (code === error.code) return new CodedError(meaning, error.message, { cause: error })
    }
  }
  return error
}
