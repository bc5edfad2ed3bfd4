import { problemDocument } from '../protocol/api/problem.ts'
import { CodedError, type ErrorCode, errorCodes } from '../protocol/errors.ts'

/** The error that a node answered with, from its problem document; UNREACHABLE where it is none of ours. */
export function refusalOf(status: number, body: string): CodedError {
  const problem = problemDocument.safeParse(parse(body))
  if (problem.success && isCode(problem.data.code)) {
    return new CodedError(problem.data.code, problem.data.detail)
  }
  return new CodedError('UNREACHABLE', `it answered ${status}, and not as a node does`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}
