import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../store.ts'

/**
 * How much history etcd keeps. A follower that was away for less reads on where it was; for longer, it lists again,
 * which costs it seconds to a minute. So an hour is kept, and of a quiet store much more: the last 10,000 revisions
 * however old they are; but never more than 100,000, as superseded values fill the database.
 */
const keptFor = 3_600_000
const keptAlways = 10_000
const keptAtMost = 100_000
/** Milliseconds. */
const lookEvery = 60_000

export interface Sight {
  /** Milliseconds in the clock that never jumps. */
  readonly at: number
  readonly revision: number
}

/** Up to which revision history can go; undefined: none yet. `sights` are in the order of time, the last one is now. */
export function forgettable(sights: readonly Sight[]): number | undefined {
  const now = sights.at(-1)
  if (now === undefined) return undefined
  const anHourAgo = sights.findLast((sight) => now.at - sight.at >= keptFor)?.revision ?? 0
  const revision = Math.max(Math.min(anHourAgo, now.revision - keptAlways), now.revision - keptAtMost)
  return revision > 0 ? revision : undefined
}

/**
 * Compacts the store now and then, until the signal is aborted. Every node does so by what it has seen itself, with no
 * word between them: the second compaction to about the same revision finds nothing to do. A node that has just started
 * has seen nothing that is an hour old, and leaves it to the others.
 */
export async function forgetHistory(
  store: Pick<Store, 'status' | 'compact'>,
  signal: AbortSignal,
): Promise<void> {
  let sights: Sight[] = []
  let compacted = 0
  while (!signal.aborted) {
    try {
      const { revision } = await store.status(signal)
      const now = performance.now()
      // One that is older than another which is old enough is of no use any more.
      const useful = sights.findLastIndex((sight) => now - sight.at >= keptFor)
      sights = [...sights.slice(Math.max(0, useful)), { at: now, revision }]
      const target = forgettable(sights)
      // Each costs etcd some work, so small steps are saved up.
      if (target !== undefined && target >= compacted + keptAlways / 10) {
        await store.compact(target, signal)
        compacted = target
      }
    } catch {
      // The store is away: whoever needs it says so, and history can wait.
    }
    await pause(lookEvery, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
