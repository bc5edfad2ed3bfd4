import type { Id } from '../protocol/ids.ts'

/** How long a node that did not answer is left alone, in milliseconds; twice as long each time, up to the longest. */
const shortestMs = 1_000
const longestMs = 10_000
/** How long one call tries a node again before others do too, in milliseconds. */
const probeMs = 1_000

/**
 * Remembers for a moment which nodes did not answer, so that the next listener need not wait to find that out. When the
 * moment is over, one call tries; the others go on elsewhere until it has heard something. A node is named by its
 * incarnation: one that has started again has not been silent yet.
 */
export interface Circuits {
  /** Whether a call to the node should not be made now. The first one that is told no is the one that tries. */
  isOpen(incarnation: Id): boolean
  /** The same without being that one: for choosing among nodes. */
  isAvoided(incarnation: Id): boolean
  heard(incarnation: Id): void
  /** A call that began at `since` had no answer. It counts only where nobody has heard from the node meanwhile. */
  silent(incarnation: Id, since: number): void
  /** Forgets all others. */
  keep(incarnations: ReadonlySet<Id>): void
}

interface Circuit {
  heardAt: number
  waitMs: number
  until: number
}

/** `clock` never jumps and counts milliseconds, as `performance.now` does. */
export function createCircuits(clock: () => number): Circuits {
  const circuits = new Map<Id, Circuit>()
  const isAvoided = (incarnation: Id) => (circuits.get(incarnation)?.until ?? 0) > clock()

  return {
    isAvoided,
    isOpen(incarnation) {
      if (isAvoided(incarnation)) return true
      const circuit = circuits.get(incarnation)
      if (circuit !== undefined && circuit.waitMs > 0) circuit.until = clock() + probeMs
      return false
    },
    heard(incarnation) {
      const circuit = circuits.get(incarnation)
      if (circuit === undefined) circuits.set(incarnation, { heardAt: clock(), waitMs: 0, until: 0 })
      else Object.assign(circuit, { heardAt: clock(), waitMs: 0, until: 0 })
    },
    silent(incarnation, since) {
      const { heardAt, waitMs } = circuits.get(incarnation) ?? { heardAt: -1, waitMs: 0 }
      if (heardAt > since) return
      const next = Math.min(Math.max(shortestMs, waitMs * 2), longestMs)
      circuits.set(incarnation, { heardAt, waitMs: next, until: clock() + next })
    },
    keep(incarnations) {
      for (const incarnation of circuits.keys()) {
        if (!incarnations.has(incarnation)) circuits.delete(incarnation)
      }
    },
  }
}
