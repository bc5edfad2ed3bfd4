/** A value that tells when it changes: the smallest thing that `useSyncExternalStore` and the player both need. */
export interface Store<T> {
  get(): T
  /** Merges `change`; listeners hear of it only when something differs. */
  set(change: Partial<T>): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: (now: T, before: T) => void): () => void
}

export function createStore<T extends object>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<(now: T, before: T) => void>()
  return {
    get: () => value,
    set(change) {
      const before = value
      const next = { ...before, ...change }
      if (sameFields(before, next)) return
      value = next
      for (const listener of listeners) listener(next, before)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function sameFields<T extends object>(a: T, b: T): boolean {
  const left: [string, unknown][] = Object.entries(a)
  const right = new Map<string, unknown>(Object.entries(b))
  return left.length === right.size && left.every(([name, value]) => Object.is(right.get(name), value))
}
