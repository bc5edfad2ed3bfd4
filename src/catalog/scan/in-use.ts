import { lstat } from 'node:fs/promises'
import type { Problem } from '../../protocol/facts/catalog.ts'
import type { Store } from '../../store/store.ts'
import { libraries } from '../facts.ts'
import { pathBytes } from './path.ts'
import { openProblemBook } from './problem-book.ts'

/** Codes of what shows only when a file is used: scans neither find it nor can tell that it is gone. */
const ofUse = new Set(['COVER_UNREADABLE', 'FILE_DECAYED'])

export function isOfUse(problem: Pick<Problem, 'code'> | undefined): boolean {
  return problem !== undefined && ofUse.has(problem.code)
}

/** Writes down a problem that was met in use, with the file as it is now; not where one is known, or no file is there. */
export async function noteInUse(
  store: Store,
  problem: Pick<Problem, 'library' | 'path' | 'code' | 'detail'>,
  signal: AbortSignal,
): Promise<void> {
  const { library, path, code, detail } = problem
  const root = (await libraries.get(store, library, signal))?.value.path
  const file = root === undefined ? null : await look(root, path)
  if (file === null) return
  const book = await openProblemBook(store, library, signal)
  if (book.at(path) !== undefined) return
  const { size, modifiedAt } = file
  book.find({ path, code, size, modifiedAt, ...(detail !== undefined && { detail: detail.slice(0, 2_000) }) })
  await book.write(signal)
}

/**
 * Whether the file is another than the one that the problem was met in. Its own time may be that of the original, as
 * when it was restored from a backup, but the system's time of the change is not.
 */
export async function hasChangedSince(root: string, problem: Problem): Promise<boolean> {
  const now = await look(root, problem.path)
  if (now === null) return true
  return now.size !== problem.size || now.modifiedAt !== problem.modifiedAt || now.changedAt > problem.at
}

async function look(root: string, path: string) {
  return await lstat(pathBytes(`${root}/${path}`)).then(
    ({ size, mtimeMs, ctimeMs }) => ({
      size,
      modifiedAt: Math.max(0, Math.trunc(mtimeMs)),
      changedAt: ctimeMs,
    }),
    () => null,
  )
}
