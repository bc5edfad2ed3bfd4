import type { Presence } from '../protocol/facts/cluster.ts'
import type { Id } from '../protocol/ids.ts'

/** Clocks may differ by this much, in milliseconds, before it is said: tokens, certificates and plays depend on them. */
const toleratedSkewMs = 5_000

export interface Clocks {
  /** Takes note of a presence; answers the node's skew where it has just become, or ceased to be, worth telling. */
  observe(presence: Presence, live: boolean, now: number): { readonly skewMs: number | null } | undefined
  /** By how much a node's clock is ahead of ours, in milliseconds; null where it agrees or is not known. */
  skewMs(node: Id): number | null
  forget(node: Id): void
}

/**
 * Compares the clocks of others with our own. A presence that comes late makes its clock look as if it were behind, so
 * only a second one in a row is believed for that; one from the future has no such excuse.
 */
export function createClocks(): Clocks {
  const skews = new Map<Id, number>()
  const suspects = new Set<Id>()

  return {
    observe({ id, clock }, live, now) {
      const skew = clock - now
      const isAhead = skew > toleratedSkewMs
      const isBehind = live && skew < -toleratedSkewMs
      if (isBehind && !suspects.has(id) && !skews.has(id)) {
        suspects.add(id)
        return undefined
      }
      if (isAhead || isBehind) {
        const isNew = !skews.has(id)
        skews.set(id, skew)
        return isNew ? { skewMs: skew } : undefined
      }
      // What lies in a list may be a minute old, which says nothing of a clock that seems to be behind.
      if (!live) return undefined
      suspects.delete(id)
      return skews.delete(id) ? { skewMs: null } : undefined
    },
    skewMs: (node) => skews.get(node) ?? null,
    forget(node) {
      skews.delete(node)
      suspects.delete(node)
    },
  }
}
