import type { Copies } from '../../blobs/copies/copies.ts'
import type { ClusterNode, ClusterStatus } from '../../protocol/api/cluster.ts'
import type { Member } from '../../protocol/facts/cluster.ts'
import { readSettings } from '../../registry/facts.ts'
import type { LiveNode, Registry } from '../../registry/registry.ts'
import type { Identity } from '../../registry/trust/identity.ts'
import type { Store } from '../../store/store.ts'

interface Parts {
  readonly identity: Pick<Identity, 'id' | 'cluster' | 'store'>
  readonly registry: Registry
  readonly store: Store
  readonly copies: Pick<Copies, 'status'>
}

/** How long the store may take to say that it is there, in milliseconds. */
const storePatienceMs = 2_000

/** The cluster as this node knows it. With the store away it is what was last known, and says so. */
export async function statusOf(parts: Parts, signal: AbortSignal): Promise<ClusterStatus> {
  const { identity, registry, store, copies } = parts
  const soon = AbortSignal.any([signal, AbortSignal.timeout(storePatienceMs)])
  const settings = await readSettings(store, soon).catch((error: unknown) => {
    signal.throwIfAborted()
    return error instanceof Error ? null : null
  })
  const live = new Map(registry.nodes().map((node) => [node.id, node]))
  return {
    cluster: identity.cluster,
    nodes: registry
      .members()
      .map((member) => nodeOf(member, live.get(member.id), identity.id))
      .toSorted((one, other) => one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1)),
    copies: copiesOf(copies),
    settings: settings ?? { replicas: 2, writeQuorum: 2, graceSeconds: 900 },
    storeReachable: settings !== null,
    storeMembers: identity.store.length,
  }
}

function copiesOf(copies: Pick<Copies, 'status'>): ClusterStatus['copies'] {
  const { wanted, here, missing, lost, bytesPerSecond, comparing, version, filled } = copies.status()
  return {
    wanted,
    held: here,
    missing,
    unavailable: lost,
    bytesPerSecond: Math.round(bytesPerSecond),
    settled: comparing === null && missing === lost && filled === version,
  }
}

function nodeOf(member: Member, live: LiveNode | undefined, here: string): ClusterNode {
  const { id, name, zone, roles, state, joinedAt } = member
  const known = { id, name, zone, roles, state, joinedAt, alive: live !== undefined, here: id === here }
  if (live === undefined) return known
  const { startedAt, version, publicUrl, addresses, freeBytes, totalBytes, load, skewMs } = live
  return {
    ...known,
    startedAt,
    version,
    addresses: [...addresses],
    freeBytes,
    totalBytes,
    load,
    ...(publicUrl !== null && { url: publicUrl }),
    ...(skewMs !== null && { clockSkewMs: skewMs }),
  }
}
