import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { CodedError } from '../protocol/errors.ts'
import type { Follower } from './follow.ts'
import type { Index, IndexProgress, IndexReport, IndexStep } from './index.ts'
import { createQuestionQueue } from './reader.ts'
import type { Opened } from './writer-thread.ts'

const namedKeys = 1_000
const waitDeadline = 5_000

/** What the main thread has of the index: how far it is, who waits for it, who listens, and its read connections. */
export function createView(
  path: string,
  opened: Opened,
  report: ((report: IndexReport) => void) | undefined,
  source: { readonly stop: () => Promise<void>; readonly close: () => Promise<void> },
): { index: Index; follower: Follower } {
  let revision = opened.filled ? opened.revision : 0
  let storeRevision = opened.revision
  let state: IndexProgress['state'] = opened.filled ? 'following' : 'filling'
  let applied = 0
  let skipped = 0
  let connection = connect(path)
  const waiting = new Set<{ revision: number; resolve: () => void; reject: (error: unknown) => void }>()
  const listeners = new Set<(step: IndexStep) => void>()
  const questions = createQuestionQueue(path)

  const follower: Follower = {
    filling() {
      // An index that had been filled once still answers, if with old things, while it is compared with the store.
      if (revision === 0) state = 'filling'
    },
    seen(newest) {
      storeRevision = Math.max(storeRevision, newest)
    },
    applied(step) {
      applied += step.applied
      skipped += step.skipped.length
      if (step.skipped.length > 0) report?.({ skipped: step.skipped })
    },
    reached(now, keys) {
      revision = now
      state = 'following'
      for (const one of [...waiting]) if (one.revision <= now) one.resolve()
      if (keys !== null && keys.length === 0) return
      const more = keys === null || keys.length > namedKeys
      for (const listener of listeners) listener({ revision, keys: keys?.slice(0, namedKeys) ?? [], more })
    },
    async replaced() {
      revision = 0
      state = 'filling'
      connection.db.close()
      connection = connect(path)
      await questions.restart()
    },
    troubled: (trouble) => report?.({ trouble }),
  }

  function waitFor(wanted: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (revision >= wanted) return resolve()
      const settle = (action: () => void) => () => {
        clearTimeout(timer)
        waiting.delete(one)
        signal?.removeEventListener('abort', aborted)
        action()
      }
      const late = () => reject(new CodedError('BEHIND', `at revision ${revision}, asked for ${wanted}`))
      const timer = setTimeout(settle(late), waitDeadline)
      const aborted = settle(() => reject(signal?.reason))
      const one = {
        revision: wanted,
        resolve: settle(resolve),
        reject: (error: unknown) => settle(() => reject(error))(),
      }
      signal?.addEventListener('abort', aborted)
      waiting.add(one)
    })
  }

  const index: Index = {
    get revision() {
      return revision
    },
    get db() {
      return connection.db
    },
    get progress() {
      return { state, applied, skipped, revision, storeRevision }
    },
    statement: (sql) => connection.statement(sql),
    waitFor,
    reader(url, { halves: isHalf = false } = {}) {
      return readerOf((name, args) => {
        const last = args.at(-1)
        const signal = last instanceof AbortSignal ? last : undefined
        const rest = signal === undefined ? args : args.slice(0, -1)
        return questions.ask({ module: url.href, name, args: rest }, { isHalf, signal })
      })
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async [Symbol.asyncDispose]() {
      await source.stop()
      for (const one of [...waiting]) one.reject(new CodedError('UNREACHABLE', 'the index has been closed'))
      // The writer goes last: only the last connection that may write leaves a single, complete file behind.
      await questions.restart()
      connection.db.close()
      await source.close()
    },
  }
  return { index, follower }
}

/** An object whose every method asks the reader thread. Its type comes from the module that the thread loads. */
function readerOf(ask: (name: string, args: readonly unknown[]) => Promise<unknown>) {
  return new Proxy(Object.create(null), {
    get: (_target, name) =>
      typeof name === 'string' && name !== 'then' ? (...args: unknown[]) => ask(name, args) : undefined,
  })
}

function connect(path: string) {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 })
  db.exec('PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY')
  const statements = new Map<string, StatementSync>()
  return {
    db,
    /** Statements are written in the code, so there are only so many of them. */
    statement(sql: string): StatementSync {
      const known = statements.get(sql) ?? db.prepare(sql)
      statements.set(sql, known)
      return known
    },
  }
}
