import type { Id } from '../protocol/ids.ts'

/** How long a node that did not answer is left alone, in milliseconds; twice as long each time, up to the longest. */
const shortestMs = 1_000
const longestMs = 10_000
/** How long one call tries a node again before others do too, in milliseconds. */
const probeMs = 1_000

/**
 * Remembers for a moment which nodes did not answer, so that the next listener need not wait to find that out. When the
 * moment is over, one call tries; the others go on elsewhere until it has heard something.
 */
export interface Circuits {
  /** Whether a call to the node should not be made now. The first one that is told no is the one that tries. */
  isOpen(node: Id): boolean
  /** The same without being that one: for choosing among nodes. */
  isAvoided(node: Id): boolean
  heard(node: Id): void
  /** A call that began at `since` had no answer. It counts only where nobody has heard from the node meanwhile. */
  silent(node: Id, since: number): void
  forget(node: Id): void
}

interface Circuit {
  heardAt: number
  waitMs: number
  until: number
}

/** `clock` never jumps and counts milliseconds, as `performance.now` does. */
export function createCircuits(clock: () => number): Circuits {
  const circuits = new Map<Id, Circuit>()
  const isAvoided = (node: Id) => (circuits.get(node)?.until ?? 0) > clock()

  return {
    isAvoided,
    isOpen(node) {
      if (isAvoided(node)) return true
      const circuit = circuits.get(node)
      if (circuit !== undefined && circuit.waitMs > 0) circuit.until = clock() + probeMs
      return false
    },
    heard(node) {
      const circuit = circuits.get(node)
      if (circuit === undefined) circuits.set(node, { heardAt: clock(), waitMs: 0, until: 0 })
      else Object.assign(circuit, { heardAt: clock(), waitMs: 0, until: 0 })
    },
    silent(node, since) {
      const { heardAt, waitMs } = circuits.get(node) ?? { heardAt: -1, waitMs: 0 }
      if (heardAt > since) return
      const next = Math.min(Math.max(shortestMs, waitMs * 2), longestMs)
      circuits.set(node, { heardAt, waitMs: next, until: clock() + next })
    },
    forget(node) {
      circuits.delete(node)
    },
  }
}
