import type { SettingsChange } from '../protocol/api/cluster.ts'
import { CodedError } from '../protocol/errors.ts'
import * as facts from '../protocol/facts/cluster.ts'
import { update } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { clusterSettings, settingsId } from './facts.ts'

/**
 * Changes what is given of the cluster's settings; every node obeys them as soon as the fact reaches it. BAD_REQUEST
 * where more copies would have to be durable than there are.
 */
export async function changeSettings(
  store: Store,
  change: SettingsChange,
  signal?: AbortSignal,
): Promise<{ readonly revision: number }> {
  return await update(
    store,
    clusterSettings,
    settingsId,
    (now) => {
      const { replicas, writeQuorum, graceSeconds } = now ?? facts.clusterSettings.parse({})
      const next = {
        replicas: change.replicas ?? replicas,
        writeQuorum: change.writeQuorum ?? writeQuorum,
        graceSeconds: change.graceSeconds ?? graceSeconds,
      }
      if (next.writeQuorum > next.replicas) {
        throw new CodedError(
          'BAD_REQUEST',
          `a write quorum of ${next.writeQuorum} cannot be had of ${next.replicas} copies`,
        )
      }
      return next
    },
    signal,
  )
}
