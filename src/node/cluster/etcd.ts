import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { CodedError } from '../../protocol/errors.ts'
import type { Member } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { type Identity, writeTlsFiles } from '../../registry/trust/identity.ts'
import { type Membership, openMembership } from '../../store/etcd/members.ts'
import type { Member as EtcdMemberInfo } from '../../store/etcd/messages.ts'
import type { Config } from '../config.ts'
import { joinCluster, membersFor, removeMember, startFirst } from '../etcd/growth.ts'
import { type EtcdMember, hasBegun } from '../etcd/member.ts'
import { hostsOf, storeMembers, withPort } from './membership.ts'

export interface RunOptions {
  readonly config: Pick<Config, 'data' | 'address' | 'etcdPort'>
  readonly identity: Identity
  readonly log: Logger
  readonly signal: AbortSignal
  /** A member that ran a moment ago: one that was taken out meanwhile is not to become a new one (ETCD_FAILED). */
  readonly again?: boolean
}

export const etcdFolder = (data: string) => join(data, 'etcd')
/** Whether this node has run a member of etcd before, and runs one again. */
export const runsEtcd = (data: string) => hasBegun(etcdFolder(data))

/** Where this node's member of etcd is reached by clients. */
export function clientUrlOf(config: RunOptions['config']): string {
  return `https://${withPort(hostsOf(config)[0], config.etcdPort)}`
}

/** Runs this node's member of etcd: the first of its cluster, or one beside those whose addresses the identity holds. */
export async function runEtcd(options: RunOptions): Promise<EtcdMember> {
  const { config, identity, log, signal, again = false } = options
  const [host] = hostsOf(config)
  const listened = isIP(host) === 0 ? '0.0.0.0' : host
  const urls = (at: string) => ({
    client: `https://${withPort(at, config.etcdPort)}`,
    peer: `https://${withPort(at, config.etcdPort + 1)}`,
  })
  const { authority: ca, ...files } = await writeTlsFiles(config.data, identity)
  const settings = {
    name: identity.id,
    folder: etcdFolder(config.data),
    listen: urls(listened),
    advertise: urls(host),
    token: identity.cluster,
    tls: { ca, ...files },
    log,
    signal,
  }
  const others = identity.store.filter((endpoint) => endpoint !== settings.advertise.client)
  return others.length === 0 ? await startFirst(settings) : await joinCluster(settings, others, again)
}

/** The members of a managed etcd, as they say themselves. */
export async function listMembers(
  identity: Identity,
  signal: AbortSignal,
): Promise<readonly EtcdMemberInfo[]> {
  using membership = openMembership(storeMembers(identity))
  return await membership.list(signal)
}

/**
 * Takes the member of etcd that a node runs out of it, so that its vote is not waited for, and lets another one lead
 * first. NODE_HOLDS_STORE where no other member could vote afterwards: with that node the facts would be gone.
 */
export async function removeEtcdMember(identity: Identity, node: Id, signal: AbortSignal): Promise<void> {
  using membership = openMembership(storeMembers(identity))
  const members = await membership.list(signal)
  const own = members.find(({ name }) => name === node)
  if (own === undefined) return
  if (!members.some(({ name, learner }) => name !== node && !learner))
    throw new CodedError('NODE_HOLDS_STORE')
  await removeOne(membership, own, signal)
}

export async function removeOne(
  membership: Membership,
  { peerUrls: [peerUrl] }: EtcdMemberInfo,
  signal: AbortSignal,
): Promise<void> {
  if (peerUrl !== undefined) await removeMember(membership, peerUrl, signal)
}

/**
 * Which nodes should run a member: those that joined first, as many as the number of nodes asks for. One that is being
 * emptied does only where there are too few others.
 */
export function keepersOf(members: readonly Member[]): ReadonlySet<Id> {
  const present = members
    .filter(({ state }) => state !== 'removed')
    .toSorted(
      (one, other) =>
        Number(one.state === 'draining') - Number(other.state === 'draining') ||
        one.joinedAt - other.joinedAt ||
        (one.id < other.id ? -1 : 1),
    )
  return new Set(present.slice(0, membersFor(present.length)).map(({ id }) => id))
}
