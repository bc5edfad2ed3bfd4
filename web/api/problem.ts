import type { ProblemDocument } from '../../src/protocol/api/problem.ts'

/** What went wrong with a request, in the words of the server, or `UNREACHABLE` where it could not be asked. */
export class RequestFailed extends Error {
  readonly problem: ProblemDocument

  constructor(problem: ProblemDocument) {
    super(problem.detail ?? problem.title)
    this.name = 'RequestFailed'
    this.problem = problem
  }
}

/** Nobody answered: the only problem that the page words by itself, in the person's language (see ProblemState). */
export const unreachable: ProblemDocument = {
  type: 'about:blank',
  title: 'The server cannot be reached',
  status: 0,
  code: 'UNREACHABLE',
  help: 'Check the connection; it is tried again by itself.',
}

/** The problem behind any thrown thing. */
export function problemOf(error: unknown): ProblemDocument {
  if (error instanceof RequestFailed) return error.problem
  return {
    ...unreachable,
    code: 'INTERNAL',
    title: 'Something broke in this page',
    help: 'Load the page again.',
  }
}

/** Reads the body of a failed answer. A page of a proxy in between says only that the server is not there. */
export async function readProblem(response: Response): Promise<ProblemDocument> {
  const body: unknown = await response.json().catch(() => undefined)
  if (isProblem(body)) return body
  if (response.status >= 502) return unreachable
  return { ...unreachable, title: `HTTP ${response.status}`, status: response.status, code: 'INTERNAL' }
}

export function isProblem(value: unknown): value is ProblemDocument {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'title' in value &&
    typeof value.title === 'string' &&
    'help' in value &&
    typeof value.help === 'string'
  )
}
