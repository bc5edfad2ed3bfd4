import { isIPv6 } from 'node:net'
import { CodedError } from '../protocol/errors.ts'

/** An error that says how long to wait; the gateway makes a Retry-After header of it. */
export function throttled(seconds: number): CodedError & { readonly retryAfterSeconds: number } {
  return Object.assign(new CodedError('TOO_MANY_REQUESTS', `wait ${seconds} seconds`), {
    retryAfterSeconds: seconds,
  })
}

/**
 * Slows down who guesses: after some free attempts the wait doubles with each failure. Kept in memory: a restart
 * forgives, and each node counts for itself.
 */
export interface Throttle {
  /**
   * Counts an attempt as failed before it is made, so that many at once do not slip through; throws a Throttled
   * error while it must wait.
   */
  attempt(key: string): void
  /** It was right after all. */
  succeeded(key: string): void
}

export interface ThrottleLimits {
  /** Failures that cost no wait. */
  readonly free: number
  /** Seconds. */
  readonly longestWait: number
}

/** Failures are forgotten after this. */
const memoryMilliseconds = 3_600_000
/** Some 2 MB at most; who would make us forget needs as many addresses. */
const mostKeys = 10_000

export function createThrottle(limits: ThrottleLimits, clock: () => number): Throttle {
  const failures = new Map<string, { count: number; at: number; until: number }>()

  return {
    attempt(key) {
      const now = clock()
      const known = failures.get(key)
      if (known !== undefined && known.until > now) throw throttled(Math.ceil((known.until - now) / 1_000))
      const count = known === undefined || now - known.at > memoryMilliseconds ? 1 : known.count + 1
      const wait = count <= limits.free ? 0 : Math.min(2 ** (count - limits.free - 1), limits.longestWait)
      // Deleted first, so that the map stays in the order of the last attempt.
      failures.delete(key)
      failures.set(key, { count, at: now, until: now + wait * 1_000 })
      const oldest = failures.keys().next()
      if (failures.size > mostKeys && oldest.done !== true) failures.delete(oldest.value)
    },
    succeeded(key) {
      failures.delete(key)
    },
  }
}

/**
 * The part of an address that one person holds: an IPv6 network has 2^64 addresses for each. A v4 address that is
 * written as v6 counts as v4.
 */
export function addressGroup(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (v4 !== undefined) return v4
  if (!isIPv6(address)) return address
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = tail.split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
