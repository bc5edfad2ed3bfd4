import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../../store/store.ts'

/** Before trying again, in milliseconds, where the store cannot be watched. */
const patience = 1_000

/**
 * Calls `changed` with the keys below `prefix` that change from now on, until the signal. For facts that are read from
 * the store by their keys and so are not in the index, whose steps tell of all others.
 */
export async function watchKeys(
  store: Pick<Store, 'watch' | 'status'>,
  prefix: string,
  changed: (keys: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { revision } = await store.status(signal)
      for await (const { changes } of store.watch(prefix, revision, signal)) {
        if (changes.length > 0) changed(changes.map(({ key }) => key))
      }
    } catch {
      // COMPACTED or UNREACHABLE: what was missed is loaded by pages anyway when they next ask.
      await pause(patience, undefined, { signal }).catch(() => undefined)
    }
  }
}
