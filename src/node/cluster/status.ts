import type { Copies } from '../../blobs/copies/copies.ts'
import { type CopiesReport, readReports } from '../../blobs/copies/report.ts'
import { layoutId, layouts } from '../../blobs/placement/layout.ts'
import type { ClusterNode, ClusterStatus } from '../../protocol/api/cluster.ts'
import { isCoded } from '../../protocol/errors.ts'
import { clusterSettings, type Member } from '../../protocol/facts/cluster.ts'
import { readSettings } from '../../registry/facts.ts'
import type { LiveNode, Registry } from '../../registry/registry.ts'
import { type Identity, validityOf } from '../../registry/trust/identity.ts'
import { readRenewal } from '../../registry/trust/renewal.ts'
import type { Alarm } from '../../store/etcd/messages.ts'
import type { Store } from '../../store/store.ts'
import { isDrained, standingOf } from './standing.ts'

interface Parts {
  readonly identity: Pick<Identity, 'id' | 'cluster' | 'store' | 'authorities'>
  readonly registry: Registry
  readonly store: Store
  readonly copies: Pick<Copies, 'status'>
  /** What the members of the store complain of. */
  readonly alarms: (signal: AbortSignal) => Promise<readonly Alarm[]>
  /** How many of its members answer. */
  readonly answering: (signal: AbortSignal) => Promise<number>
  /** Whether this node has a member of the store, or Hocket runs none. */
  readonly storeHere: boolean
}

/** How long the store may take to say that it is there, in milliseconds. */
const storePatienceMs = 2_000

/** The cluster as this node knows it. With the store away it is what was last known, and says so. */
export async function statusOf(parts: Parts, signal: AbortSignal): Promise<ClusterStatus> {
  const { identity, registry, store, copies, alarms, answering, storeHere } = parts
  const soon = AbortSignal.any([signal, AbortSignal.timeout(storePatienceMs)])
  const unlessAway = async <Value>(read: Promise<Value>): Promise<Value | null> => {
    try {
      return await read
    } catch (error) {
      signal.throwIfAborted()
      const isAway = isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')
      // One whose members differ answers nothing any more but that.
      if (soon.aborted || isAway || isCoded(error, 'STORE_DIVERGED')) return null
      throw error
    }
  }
  const storeAnswering = answering(soon)
  const settings = await unlessAway(readSettings(store, soon))
  const reports = await unlessAway(readReports(store, soon))
  const storeAlarm = alarmOf((await unlessAway(alarms(soon))) ?? [])
  const authority = await unlessAway(authorityOf(identity, store, soon))
  const layout = await unlessAway(layouts.get(store, layoutId, soon))
  const live = new Map(registry.nodes().map((node) => [node.id, node]))
  const alive = new Set(live.keys())
  const members = registry.members()
  const laid = layout?.value ?? null
  return {
    cluster: identity.cluster,
    nodes: members
      .map((member) => ({
        ...nodeOf(member, live.get(member.id), reports?.get(member.id), identity.id),
        drained: isDrained(member, { layout: laid, live: alive }),
      }))
      .toSorted((one, other) => one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1)),
    copies:
      reports === null || settings === null
        ? ownCopies(copies)
        : standingOf({ members, live: alive, reports, layout: laid, settings }),
    settings: settings ?? clusterSettings.parse({}),
    authority: authority ?? { expiresAt: expiryOf(identity) },
    // Who waits for a replacement of the authority must not take it for done while the store is away.
    storeReachable: settings !== null && authority !== null,
    ...(layout !== null && {
      layout: { version: layout.value.version, nodes: layout.value.nodes.map(({ id }) => id) },
    }),
    storeMembers: identity.store.length,
    storeAnswering: await storeAnswering,
    ...(storeAlarm !== undefined && { storeAlarm }),
    storeHere,
  }
}

/** By when the authority that signs has expired, and how far its replacement is. */
async function authorityOf(
  identity: Pick<Identity, 'authorities'>,
  store: Store,
  signal: AbortSignal,
): Promise<ClusterStatus['authority']> {
  const renewal = await readRenewal(store, signal)
  const expiresAt = expiryOf(identity)
  if (renewal === null) return { expiresAt }
  return { expiresAt, renewal: { step: renewal.step, waitingFor: [...renewal.waitingFor] } }
}

const expiryOf = ({ authorities: [signing = ''] }: Pick<Identity, 'authorities'>): number =>
  validityOf(signing).until

function alarmOf(alarms: readonly Alarm[]): ClusterStatus['storeAlarm'] {
  if (alarms.some(({ kind }) => kind === 'corrupt')) return 'diverged'
  return alarms.some(({ kind }) => kind === 'no space') ? 'full' : undefined
}

function ownCopies(copies: Pick<Copies, 'status'>): ClusterStatus['copies'] {
  const { wanted, here, missing, missingBytes, lost, bytesPerSecond } = copies.status()
  return {
    wanted,
    held: here,
    missing,
    missingBytes,
    away: 0,
    unavailable: lost,
    bytesPerSecond: Math.round(bytesPerSecond),
    // What the others have, and which layout counts, is not known.
    settled: false,
  }
}

function nodeOf(
  member: Member,
  live: LiveNode | undefined,
  report: CopiesReport | undefined,
  here: string,
): Omit<ClusterNode, 'drained'> {
  const { id, name, zone, roles, state, joinedAt, capacityBytes } = member
  const known = {
    id,
    name,
    zone,
    roles,
    state,
    joinedAt,
    ...(capacityBytes !== null && { capacityBytes }),
    alive: live !== undefined,
    here: id === here,
    ...(report !== undefined && { copies: copiesOf(report) }),
  }
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

function copiesOf(report: CopiesReport): ClusterNode['copies'] {
  const { filled, wanted, missing, missingBytes, surplus, bytesPerSecond, problem } = report
  return {
    filled,
    wanted,
    missing,
    missingBytes,
    surplus,
    bytesPerSecond,
    ...(problem !== null && { problem }),
  }
}
