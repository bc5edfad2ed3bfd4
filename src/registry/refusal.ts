import { CodedError, type ErrorCode, errorCodes } from '../protocol/errors.ts'

/**
 * The error that a node answered with, from its problem document; UNREACHABLE where it is none of ours. How that is checked
 * is loaded when the first one refuses: threads that only fetch have nothing else to check.
 */
export async function refusalOf(status: number, body: string): Promise<CodedError> {
  const { problemDocument } = await import('../protocol/api/problem.ts')
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
