import type { Index } from '../../index/index.ts'
import type { Reading } from '../tags/messages.ts'
import { caughtUp } from './caught-up.ts'
import { hasChangedSince, isOfUse } from './in-use.ts'
import type { FoundFile } from './messages.ts'
import type { ProblemBook } from './problem-book.ts'
import { isThere } from './there.ts'

/** What is wrong with the bytes themselves stays wrong while they are the same; what was wrong around them may pass. */
const ofContent = new Set([
  'FILE_EMPTY',
  'FILE_NOT_AUDIO',
  'FILE_DAMAGED',
  'FILE_ENCRYPTED',
  'TAGS_TOO_LARGE',
])

/** Whether the file is as it was when it could not be read. */
export function isKnownFailure(book: ProblemBook, event: FoundFile, full: boolean): boolean {
  const problem = book.at(event.path)
  if (full || event.known || problem === undefined || !ofContent.has(problem.code)) return false
  return problem.size === event.size && problem.modifiedAt === event.modifiedAt
}

/** Notes what reading a file has shown, and that what was wrong with it is mended. */
export function noteReading(book: ProblemBook, found: FoundFile, reading: Reading): void {
  const { path, size, modifiedAt } = found
  const fault = reading.ok ? reading.faults[0] : reading.fault
  if (!fault) {
    // What shows only when the file is used says nothing of whether it can be read: `closeProblems` looks at it.
    if (!isOfUse(book.at(path))) book.mend(path)
  }
  // A file that went away while it was on its way to be read is no problem: the next scan sees it gone.
  else if (fault.code !== 'FILE_MISSING') {
    const detail = fault.detail === undefined ? {} : { detail: fault.detail }
    book.find({ path, code: fault.code, ...detail, ...(reading.ok ? {} : { size, modifiedAt }) })
  }
}

/** The bytes are to be replaced: until the system says that somebody wrote to the file, see `closeProblems`. */
export function noteDecay(book: ProblemBook, { path, size, modifiedAt }: FoundFile): void {
  book.find({ path, code: 'FILE_DECAYED', size, modifiedAt })
}

/** Codes that a walk finds again each time, unlike those of files, which are read only when they have changed. */
const ofWalk = new Set(['LIBRARY_GONE', 'PATH_TOO_LONG', 'LINK_OUTSIDE', 'LINK_CIRCLE', 'TOO_MANY_PROBLEMS'])

/** Problems below these folders that were not met again are mended, unless they are of a file that is still as it was. */
export async function closeProblems(
  { root, index, signal }: { root: string; index: Index; signal: AbortSignal },
  folders: readonly string[],
  book: ProblemBook,
): Promise<void> {
  for (const problem of book.open()) {
    const { path, code, size } = problem
    const inScope = folders.some(
      (folder) => folder === '' || path === folder || path.startsWith(`${folder}/`),
    )
    if (!inScope) continue
    const ofFolder = code === 'FILE_UNREADABLE' && size === undefined
    const isMended = isOfUse(problem)
      ? await hasChangedSince(root, problem)
      : ofWalk.has(code) || ofFolder || !(await isThere(`${root}/${path}`))
    if (isMended) book.mend(path)
  }
  const revision = await book.write(signal)
  if (revision > 0) await caughtUp(index, revision, signal)
}
