import type { Problem } from '../../protocol/facts/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Operation } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { problemId, problems } from '../facts.ts'
import { transactionsOf } from '../transactions.ts'

/** The problems of one library, as facts: found, kept while they last, and deleted when they are mended. */
export interface ProblemBook {
  readonly count: number
  /** What is known to be wrong at a path. */
  at(path: string): Problem | undefined
  find(problem: Pick<Problem, 'path' | 'code' | 'detail' | 'size' | 'modifiedAt'>): void
  /** Nothing is wrong at the path any more. */
  mend(path: string): void
  /** Problems that were there before and were neither found again nor mended. */
  open(): Problem[]
  /** Writes what has changed; answers the store's revision, or 0 where nothing has. */
  write(signal?: AbortSignal): Promise<number>
}

/** A library of which everything is wrong must not fill the store. */
const mostProblems = 1_000

export async function openProblemBook(store: Store, library: Id, signal?: AbortSignal): Promise<ProblemBook> {
  const known = new Map<string, { problem: Problem; revision: number }>()
  for await (const fact of problems.walk(store, { under: `${library}/`, skip: () => {} }, signal)) {
    known.set(fact.value.path, { problem: fact.value, revision: fact.revision })
  }
  const changes = new Map<string, Problem | null>()
  const met = new Set<string>()
  const present = new Set(known.keys())

  function set(problem: Problem) {
    met.add(problem.path)
    const before = known.get(problem.path)?.problem
    present.add(problem.path)
    if (before && isSame(before, problem)) changes.delete(problem.path)
    else changes.set(problem.path, problem)
  }

  return {
    get count() {
      return present.size
    },
    at: (path) => changes.get(path) ?? known.get(path)?.problem,
    find(problem) {
      if (present.size < mostProblems || present.has(problem.path))
        set({ library, at: Date.now(), ...problem })
      else set({ library, at: Date.now(), path: '', code: 'TOO_MANY_PROBLEMS' })
    },
    mend(path) {
      met.add(path)
      present.delete(path)
      if (known.has(path)) changes.set(path, null)
      else changes.delete(path)
    },
    open: () => [...known.values()].flatMap(({ problem }) => (met.has(problem.path) ? [] : [problem])),
    async write(signal) {
      const operations = [...changes].map(([path, problem]): Operation => {
        const id = problemId(library, path)
        const revision = known.get(path)?.revision ?? 0
        return problem === null ? problems.remove(id, revision) : problems.replace(id, revision, problem)
      })
      let revision = 0
      for (const transaction of transactionsOf(operations.map((operation) => [operation]))) {
        const outcome = await store.commit(transaction, signal)
        revision = outcome.revision
        if (!outcome.ok) continue
        for (const { key, value } of transaction.writes) {
          const problem = value && problems.decode(value)
          const path = problem
            ? problem.path
            : [...changes.keys()].find((one) => key === problems.key(problemId(library, one)))
          if (path === undefined) continue
          changes.delete(path)
          if (problem) known.set(path, { problem, revision })
          else known.delete(path)
        }
      }
      return revision
    },
  }
}

function isSame(one: Problem, other: Problem): boolean {
  return (
    one.code === other.code &&
    one.detail === other.detail &&
    one.size === other.size &&
    one.modifiedAt === other.modifiedAt
  )
}
