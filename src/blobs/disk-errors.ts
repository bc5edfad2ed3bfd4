import { CodedError, type ErrorCode, isCoded } from '../protocol/errors.ts'

/** Whether `error` is one of the operating system's, with one of these codes. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  )
}

const codeOf: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EFBIG: 'DISK_FULL',
  EROFS: 'DISK_READ_ONLY',
  EACCES: 'DISK_READ_ONLY',
  EPERM: 'DISK_READ_ONLY',
  EIO: 'DISK_FAILED',
  ENXIO: 'DISK_FAILED',
  ENODEV: 'DISK_FAILED',
  ESTALE: 'DISK_FAILED',
}

/** The coded error for what the operating system said about the data folder; anything else comes back as it is. */
export function diskError(error: unknown): unknown {
  if (isCoded(error) || !(error instanceof Error) || !('code' in error)) return error
  const code = codeOf[String(error.code)]
  return code === undefined ? error : new CodedError(code, String(error.code), { cause: error })
}
