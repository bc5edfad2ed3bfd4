import type { Index } from '../../index/index.ts'
import { isCoded } from '../../protocol/errors.ts'

/** An index that has not moved for so long is stuck. */
const patienceMs = 120_000

/**
 * Waits until the index holds everything up to `revision`. A scan has time, unlike a listener: an index that is being
 * filled, or is behind on a slow disk, is waited for as long as it moves on. BEHIND where it does not.
 */
export async function caughtUp(
  index: Pick<Index, 'waitFor' | 'progress'>,
  revision: number,
  signal: AbortSignal,
): Promise<void> {
  let applied = index.progress.applied
  let movedAt = performance.now()
  for (;;) {
    try {
      return await index.waitFor(revision, signal)
    } catch (error) {
      if (!isCoded(error, 'BEHIND')) throw error
      if (index.progress.applied !== applied) movedAt = performance.now()
      applied = index.progress.applied
      if (performance.now() - movedAt > patienceMs) throw error
    }
  }
}
