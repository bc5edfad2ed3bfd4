import { setTimeout as pause } from 'node:timers/promises'
import { type ClusterStatus, clusterStatus } from '../../protocol/api/cluster.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { Remote } from './remote.ts'

const lookEveryMs = 1_000
/** How long the store may not answer while it is waited for what it says: its members restart one after another. */
const storePatienceMs = 60_000

/** What the cluster says while its store answers. */
export const readStatus = (remote: Remote, signal: AbortSignal): Promise<ClusterStatus> =>
  patiently(async () => {
    const status = await remote.ask('/api/cluster', clusterStatus)
    if (!status.storeReachable) throw new CodedError('UNREACHABLE', 'too few members of the store answer')
    return status
  }, signal)

/** Asks again for as long as the store may be away. */
export async function patiently<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const until = performance.now() + storePatienceMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const isAway = isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')
      if (!isAway || performance.now() > until) throw error
    }
    await pause(lookEveryMs, undefined, { signal })
  }
}
