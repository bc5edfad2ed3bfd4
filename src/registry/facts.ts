import * as facts from '../protocol/facts/cluster.ts'
import { defineCollection } from '../store/collection.ts'
import type { Store } from '../store/store.ts'

/** Durable: one for each node that was ever let in. The id is the node's. */
export const members = defineCollection({ prefix: 'cluster/members/', version: 1, schema: facts.member })

/** Under leases: one for each node that is alive. The id is the node's. */
export const presences = defineCollection({
  prefix: 'cluster/presence/',
  version: 1,
  schema: facts.presence,
})

/** The id is the SHA-256 of the token's secret, in hexadecimal. */
export const joinTokens = defineCollection({ prefix: 'cluster/tokens/', version: 1, schema: facts.joinToken })

/** `authorityId`, and while it is being replaced `nextAuthorityId`, which does not sign yet. */
export const authorities = defineCollection({
  prefix: 'cluster/trust/',
  version: 1,
  schema: facts.authority,
})
export const authorityId = 'authority'
export const nextAuthorityId = 'next'

/** One for each node that belongs. The id is the node's. */
export const trustReports = defineCollection({
  prefix: 'cluster/trusting/',
  version: 1,
  schema: facts.trustReport,
})

/** Its only id is `chronicleId`. */
export const chronicles = defineCollection({
  prefix: 'cluster/events/',
  version: 1,
  schema: facts.chronicle,
  compress: true,
})
export const chronicleId = 'recent'

/** Its only id is `settingsId`. */
export const clusterSettings = defineCollection({
  prefix: 'cluster/settings/',
  version: 1,
  schema: facts.clusterSettings,
})
export const settingsId = 'current'

/** What holds where nobody has set anything. */
export const defaultSettings: facts.ClusterSettings = facts.clusterSettings.parse({})

/**
 * Whether a key is of a fact that describes this cluster: its nodes, certificates, layout, offices. Elsewhere it would be
 * wrong. What administrators have set for the cluster holds for the next one, too.
 */
export const describesCluster = (key: string): boolean =>
  key.startsWith('cluster/') && !key.startsWith(clusterSettings.prefix)

/** The cluster's settings; the defaults where nobody has set any. */
export async function readSettings(store: Store, signal?: AbortSignal): Promise<facts.ClusterSettings> {
  const fact = await clusterSettings.get(store, settingsId, signal)
  return fact?.value ?? defaultSettings
}
