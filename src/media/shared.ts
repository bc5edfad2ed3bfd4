/** The promise's result, or the signal's reason where that comes first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Work that several wait for and that is done once. */
export interface SharedWork<T> {
  /**
   * The result of `make`, which is called unless the same work is under way. A caller's signal ends only their own
   * waiting; the work's signal is aborted when nobody waits any more.
   */
  do(key: string, signal: AbortSignal, make: (signal: AbortSignal) => Promise<T>): Promise<T>
}

export function createSharedWork<T>(): SharedWork<T> {
  const underWay = new Map<string, { result: Promise<T>; stop: AbortController; waiting: number }>()
  return {
    async do(key, signal, make) {
      signal.throwIfAborted()
      let work = underWay.get(key)
      if (work === undefined) {
        const stop = new AbortController()
        const begun = { result: make(stop.signal), stop, waiting: 0 }
        const forget = (): void => {
          if (underWay.get(key) === begun) underWay.delete(key)
        }
        begun.result.then(forget, forget)
        underWay.set(key, begun)
        work = begun
      }
      work.waiting += 1
      try {
        return await orAborted(work.result, signal)
      } finally {
        work.waiting -= 1
        if (work.waiting === 0) {
          if (underWay.get(key) === work) underWay.delete(key)
          work.stop.abort(new Error('nobody waits any more'))
        }
      }
    },
  }
}
