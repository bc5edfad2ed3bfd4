import type { Copies } from '../../blobs/copies/copies.ts'
import { copiesReports } from '../../blobs/copies/report.ts'
import type { ClusterNode, ClusterStatus } from '../../protocol/api/cluster.ts'
import { isCoded } from '../../protocol/errors.ts'
import { clusterSettings, type Member } from '../../protocol/facts/cluster.ts'
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
  const unlessAway = async <Value>(read: Promise<Value>): Promise<Value | null> => {
    try {
      return await read
    } catch (error) {
      signal.throwIfAborted()
      if (soon.aborted || isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')) return null
      throw error
    }
  }
  const settings = await unlessAway(readSettings(store, soon))
  const live = new Map(registry.nodes().map((node) => [node.id, node]))
  return {
    cluster: identity.cluster,
    nodes: registry
      .members()
      .map((member) => nodeOf(member, live.get(member.id), identity.id))
      .toSorted((one, other) => one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1)),
    copies: (await unlessAway(reported(store, soon))) ?? copiesOf(copies),
    settings: settings ?? clusterSettings.parse({}),
    storeReachable: settings !== null,
    storeMembers: identity.store.length,
  }
}

/** What all nodes say of their copies, added up. */
async function reported(store: Store, signal: AbortSignal): Promise<ClusterStatus['copies']> {
  const sum = { wanted: 0, held: 0, missing: 0, unavailable: 0, bytesPerSecond: 0, settled: true }
  for await (const { value } of copiesReports.walk(store, { skip: () => undefined }, signal)) {
    const { wanted, missing, lost, bytesPerSecond, comparing, filled, version } = value
    sum.wanted += wanted
    sum.held += Math.max(0, wanted - missing)
    sum.missing += missing
    sum.unavailable += lost
    sum.bytesPerSecond += bytesPerSecond
    sum.settled &&= !comparing && missing === lost && filled === version
  }
  return sum
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
