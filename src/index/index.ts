import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { CodedError } from '../protocol/errors.ts'
import type { Store } from '../store/store.ts'
import { createThread } from '../store/thread.ts'
import type { Skipped } from './changes.ts'
import { follow, openWriter } from './follow.ts'
import { createView } from './view.ts'
import type { WriterCalls } from './writer-thread.ts'

/**
 * The local index: a disposable SQLite file in which projections keep what the facts say, in a form that answers
 * questions quickly. Deleting it loses nothing (law F3).
 */
export interface Index extends AsyncDisposable {
  /** Every change of the store up to this revision is in the tables. 0 while an empty index is being filled. */
  readonly revision: number

  /**
   * A read-only connection on this thread, for reads of microseconds. Ask for it each time: an index that is rebuilt
   * gets a new connection.
   */
  readonly db: DatabaseSync

  /** A statement of `db`, prepared once and kept: `index.statement('SELECT … WHERE id = ?').get(id)`. */
  statement(sql: string): StatementSync

  /**
   * Waits until the index holds everything up to `revision` (law F4). Rejects with BEHIND after five seconds, or with
   * the signal's reason.
   */
  waitFor(revision: number, signal?: AbortSignal): Promise<void>

  /**
   * The functions that the module `url` exports, run in the reader thread, each with a read-only connection as its
   * first argument. Arguments and results are cloned between the threads. Give an AbortSignal as the last argument to
   * abandon a question that has not begun. A question that runs longer than ten seconds rejects with TIMED_OUT.
   *
   * `index.reader<typeof import('./queries.ts')>(new URL('./queries.ts', import.meta.url))`
   *
   * `halves`: its questions are asked two at a time, and take so long that they are worth a second thread.
   */
  reader<Queries>(url: URL, options?: { readonly halves?: boolean }): Reader<Queries>

  /** Calls `listener` after each step with what changed; answers the function that ends it. */
  subscribe(listener: (step: IndexStep) => void): () => void

  /** How far the index is, for people: a page of progress, `/readyz`, metrics. */
  readonly progress: IndexProgress
}

export type Reader<Queries> = {
  readonly [Name in keyof Queries as Queries[Name] extends Query ? Name : never]: Queries[Name] extends (
    db: DatabaseSync,
    ...args: infer Arguments
  ) => infer Result
    ? (...args: [...Arguments, signal?: AbortSignal]) => Promise<Awaited<Result>>
    : never
}

type Query = (db: DatabaseSync, ...args: never[]) => unknown

export interface IndexStep {
  /** The revision that the index has reached. */
  readonly revision: number
  /** The keys of the facts that changed, at most 1,000 of them. */
  readonly keys: readonly string[]
  /** More keys changed than are named: treat everything as changed. */
  readonly more: boolean
}

export interface IndexProgress {
  /** `filling`: the first list of an empty or outdated index is being read; answers are incomplete meanwhile. */
  readonly state: 'filling' | 'following'
  /** Facts applied since the start. */
  readonly applied: number
  /** Facts that no projection could read: from a newer version, or damaged. */
  readonly skipped: number
  readonly revision: number
  /** The store's revision as last seen. */
  readonly storeRevision: number
}

export interface IndexOptions {
  /** The file; its folder must exist. It is made anew whenever it does not fit the store or the projections. */
  readonly path: string
  readonly store: Store
  /**
   * The store does not answer at the moment: the index begins as its file is, if that was filled before, and compares
   * it with the store when that is there.
   */
  readonly storeAway?: boolean
  /** The modules that export a `projection`. */
  readonly projections: readonly URL[]
  /** Ends the waiting for the start, not the index: that is what its disposal does. */
  readonly signal?: AbortSignal
  /** For the log: facts that could not be read, and troubles of the disk or the store, which are tried again. */
  readonly report?: (report: IndexReport) => void
}

export type IndexReport = { readonly skipped: readonly Skipped[] } | { readonly trouble: unknown }

/**
 * Opens the index and begins to follow the store. Resolves without waiting until it has caught up: ask `progress`,
 * or `waitFor` a revision. Rejects with DISK_… where the file cannot be made.
 */
export async function openIndex(options: IndexOptions): Promise<Index> {
  const { path, store, storeAway = false, signal, report } = options
  const writer = createThread<WriterCalls>({
    url: new URL('./writer-thread.ts', import.meta.url),
    name: 'index writer',
    heap: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 24 },
    died: (trouble) => report?.({ trouble }),
  })
  try {
    const file = { path, projections: options.projections.map((url) => url.href) }
    const opened = storeAway
      ? await writer.call('open', { ...file, store: null }, { signal })
      : await openWriter(store, writer, file, signal)

    const ended = new AbortController()
    const view = createView(path, opened, report, {
      async stop() {
        ended.abort(new CodedError('UNREACHABLE', 'the index has been closed'))
        await following
      },
      async close() {
        await writer.call('close', {}).catch(() => undefined)
        await writer.end()
      },
    })
    const following = follow(store, writer, file, opened, view.follower, ended.signal)
    return view.index
  } catch (error) {
    await writer.end()
    throw error
  }
}
