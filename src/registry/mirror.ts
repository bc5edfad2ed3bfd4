import { setTimeout as pause } from 'node:timers/promises'
import { CodedError } from '../protocol/errors.ts'
import type { Collection } from '../store/collection.ts'
import type { Store } from '../store/store.ts'

/** All facts of a small collection in memory, as they change. Asking it does no input or output. */
export interface Mirror<Value> {
  readonly facts: ReadonlyMap<string, Value>
  /** Whether the store answers; while it does not, the facts are as they were last known. */
  readonly following: boolean
  /** Resolves when the facts have been read for the first time, or rejects when the signal is aborted. */
  readonly filled: Promise<void>
  /** Resolves when following has ended, by the signal. */
  readonly ended: Promise<void>
}

export interface MirrorOptions<Value> {
  readonly store: Store
  readonly collection: Collection<Value>
  readonly signal: AbortSignal
  /** What was known last, until the store says what there is. */
  readonly remembered?: ReadonlyMap<string, Value>
  /** Called after each change with the ids that it may have touched. `live`: it has just happened. */
  readonly onChange: (ids: readonly string[], live: boolean) => void
  readonly onError: (error: unknown) => void
}

const shortestPauseMs = 100
const longestPauseMs = 3_000

/** Lists, then watches; when the store is away it tries again until the signal ends it, and keeps what it knew. */
export function mirror<Value>(options: MirrorOptions<Value>): Mirror<Value> {
  const { store, collection, signal, onChange, onError } = options
  let facts = new Map<string, Value>(options.remembered)
  let following = false
  const filled = Promise.withResolvers<void>()
  // Whoever does not wait for it need not hear of its rejection.
  filled.promise.catch(() => undefined)

  function take(into: Map<string, Value>, id: string, value: Uint8Array): void {
    try {
      into.set(id, collection.decode(value))
    } catch (error) {
      // A fact of a newer version, or a damaged one, must not hide the others.
      if (!(error instanceof CodedError)) throw error
      into.delete(id)
      onError(error)
    }
  }

  /** Answers the revision after which to watch. */
  async function list(): Promise<number> {
    const listed = new Map<string, Value>()
    let after: string | undefined
    let revision: number | undefined
    for (let more = true; more; ) {
      const page = await store.list(collection.prefix, after === undefined ? {} : { after }, signal)
      for (const { key, value } of page.entries) take(listed, collection.id(key), value)
      revision ??= page.revision
      after = page.entries.at(-1)?.key
      more = page.more
    }
    const touched = new Set([...facts.keys(), ...listed.keys()])
    facts = listed
    following = true
    onChange([...touched], false)
    filled.resolve()
    return revision ?? 0
  }

  async function follow(): Promise<void> {
    const revision = await list()
    for await (const { changes } of store.watch(collection.prefix, revision, signal)) {
      if (changes.length === 0) continue
      const next = new Map(facts)
      for (const { key, value } of changes) {
        const id = collection.id(key)
        if (value === null) next.delete(id)
        else take(next, id, value)
      }
      facts = next
      onChange(
        changes.map(({ key }) => collection.id(key)),
        true,
      )
    }
  }

  async function keepFollowing(): Promise<void> {
    let wait = shortestPauseMs
    while (!signal.aborted) {
      const startedAt = performance.now()
      try {
        await follow()
      } catch (error) {
        following = false
        if (signal.aborted) break
        onError(error)
        if (performance.now() - startedAt > longestPauseMs) wait = shortestPauseMs
        await pause(wait, undefined, { signal }).catch(() => undefined)
        wait = Math.min(wait * 2, longestPauseMs)
      }
    }
    filled.reject(signal.reason)
  }

  return {
    get facts() {
      return facts
    },
    get following() {
      return following
    },
    filled: filled.promise,
    ended: keepFollowing(),
  }
}
