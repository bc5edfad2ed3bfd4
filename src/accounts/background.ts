/**
 * Small writes that nobody waits for: when a session or a device was last seen. Their failure does no harm: they are
 * made when it is seen after the next pause, so that a store which is away is not asked with every request.
 */
export interface Background extends AsyncDisposable {
  /** Starts `work` unless the same was started less than `every` milliseconds before `now`. */
  once(what: string, now: number, every: number, work: (signal: AbortSignal) => Promise<unknown>): void
}

const remembered = 10_000

export function createBackground(): Background {
  const started = new Map<string, number>()
  const running = new Set<Promise<unknown>>()
  const ended = new AbortController()

  return {
    once(what, now, every, work) {
      const last = started.get(what)
      if (ended.signal.aborted || (last !== undefined && now - last < every)) return
      started.delete(what)
      started.set(what, now)
      const oldest = started.keys().next()
      if (started.size > remembered && oldest.done !== true) started.delete(oldest.value)
      const done = work(ended.signal)
        .catch(() => undefined)
        .finally(() => running.delete(done))
      running.add(done)
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await Promise.all(running)
    },
  }
}
