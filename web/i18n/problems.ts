import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { Say } from './i18n.tsx'

/** The server's own titles and helps in another language, by code. */
export type ProblemWords = {
  readonly [Code in ErrorCode]?: { readonly title: string; readonly help: string }
}

/** What a person reads of a problem. */
export interface ProblemText {
  title: string
  help: string
  /** What is particular about this one: only the server knows it, and says it in English. */
  detail: string | undefined
  /** Title or detail, where there is room for one line: the detail only where its language is the page's. */
  brief: string
}

/**
 * The problem in the person's language: by its code where `words` have it, else as the server said it. What has no
 * status was made by this page: nobody answered, or the page itself is broken.
 */
export function problemText(problem: ProblemDocument, words: ProblemWords, say: Say): ProblemText {
  if (problem.status === 0) {
    const [title, help] =
      problem.code === 'UNREACHABLE'
        ? [say('unreachableTitle'), say('unreachableHelp')]
        : [say('brokenTitle'), say('brokenHelp')]
    return { title, help, detail: undefined, brief: title }
  }
  const { title, detail, help, code } = problem
  const known = new Map(Object.entries(words)).get(code)
  // Which part of the service is silent says nothing to who listens.
  const isAway = code === 'UNREACHABLE' || code === 'TIMED_OUT'
  if (known === undefined) return { title, help, detail, brief: isAway ? title : (detail ?? title) }
  return { ...known, detail, brief: known.title }
}
