import { CodedError, type ErrorCode, errorCodes } from '../../protocol/errors.ts'

/** The error codes of the API, and which of ours explains each of them (`docs/errors.md`). */
const failures = {
  0: 'INTERNAL',
  10: 'BAD_REQUEST',
  20: 'BAD_REQUEST',
  30: 'BAD_REQUEST',
  40: 'WRONG_CREDENTIALS',
  41: 'WRONG_CREDENTIALS',
  42: 'WRONG_CREDENTIALS',
  43: 'BAD_REQUEST',
  44: 'WRONG_CREDENTIALS',
  50: 'FORBIDDEN',
  60: 'FORBIDDEN',
  70: 'NOT_FOUND',
} as const satisfies Record<number, ErrorCode>

export type FailureCode = keyof typeof failures

/** A refusal in the words of the API; `message` is shown to people. */
export class Failure extends Error {
  readonly code: FailureCode
  readonly explained: ErrorCode

  constructor(code: FailureCode, message: string, explained: ErrorCode = failures[code]) {
    super(message)
    this.name = 'Failure'
    this.code = code
    this.explained = explained
  }
}

/** The API's codes for our errors; the others are `0`, a generic error whose message says what happened. */
const codes: Partial<Record<ErrorCode, FailureCode>> = {
  BAD_REQUEST: 10,
  TOO_LARGE: 10,
  CONTENT_TYPE_UNKNOWN: 10,
  RANGE_NOT_SATISFIABLE: 10,
  WRONG_CREDENTIALS: 40,
  TOO_MANY_REQUESTS: 40,
  ACCOUNT_DISABLED: 40,
  FORBIDDEN: 50,
  NOT_FOUND: 70,
}

/** Any error as a refusal; one that nobody foresaw says nothing of the inside. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof CodedError) {
    const { title } = errorCodes[error.code]
    const message = error.detail === undefined ? title : `${title}: ${error.detail}`
    return new Failure(codes[error.code] ?? 0, message, error.code)
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new Failure(0, errorCodes.TIMED_OUT.title, 'TIMED_OUT')
  }
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (status === 413) return new Failure(10, errorCodes.TOO_LARGE.title, 'TOO_LARGE')
  if (status === 415) return new Failure(10, errorCodes.CONTENT_TYPE_UNKNOWN.title, 'CONTENT_TYPE_UNKNOWN')
  if (typeof status === 'number' && status < 500) return new Failure(10, errorCodes.BAD_REQUEST.title)
  return new Failure(0, errorCodes.INTERNAL.title)
}

export function notFound(what: string): Failure {
  return new Failure(70, `There is no such ${what}`)
}
