import type { Store } from './store.ts'

/** What is timed of a store: what someone waits for. */
export type TimedOperation = 'get' | 'list' | 'commit'

/** The store, with `observe` told how many seconds each answer took, and whether it was one. */
export function timed(
  store: Store,
  observe: (operation: TimedOperation, seconds: number, ok: boolean) => void,
): Store {
  async function time<Answer>(operation: TimedOperation, answer: Promise<Answer>): Promise<Answer> {
    const startedAt = performance.now()
    let ok = false
    try {
      const answered = await answer
      ok = true
      return answered
    } finally {
      observe(operation, (performance.now() - startedAt) / 1_000, ok)
    }
  }
  return {
    get: (key, signal) => time('get', store.get(key, signal)),
    list: (prefix, options, signal) => time('list', store.list(prefix, options, signal)),
    commit: (transaction, signal) => time('commit', store.commit(transaction, signal)),
    watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
    grant: (ttl, signal) => store.grant(ttl, signal),
    renew: (lease, signal) => store.renew(lease, signal),
    revoke: (lease, signal) => store.revoke(lease, signal),
    compact: (revision, signal) => store.compact(revision, signal),
    status: (signal) => store.status(signal),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
