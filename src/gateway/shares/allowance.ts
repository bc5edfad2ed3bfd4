import { throttled } from '../../accounts/throttle.ts'

/** How much someone without an account may ask for: so much at once, and then so much in a minute. */
export interface Allowance {
  /** Throws a Throttled error (TOO_MANY_REQUESTS) where it is used up. */
  take(key: string): void
}

export interface AllowanceLimits {
  readonly atOnce: number
  readonly perMinute: number
}

/** Some 2 MB at most; who would make us forget needs as many addresses. */
const mostKeys = 10_000

/** Kept in memory: each node counts for itself, and a restart forgives. `clock` in milliseconds. */
export function createAllowance({ atOnce, perMinute }: AllowanceLimits, clock: () => number): Allowance {
  const known = new Map<string, { left: number; at: number }>()
  const perMs = perMinute / 60_000

  return {
    take(key) {
      const now = clock()
      const before = known.get(key) ?? { left: atOnce, at: now }
      const left = Math.min(atOnce, before.left + (now - before.at) * perMs)
      if (left < 1) throw throttled(Math.ceil((1 - left) / perMs / 1_000))
      // Deleted first, so that the map stays in the order of the last use.
      known.delete(key)
      known.set(key, { left: left - 1, at: now })
      const oldest = known.keys().next()
      if (known.size > mostKeys && oldest.done !== true) known.delete(oldest.value)
    },
  }
}
