import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Member } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { type Identity, writeTlsFiles } from '../../registry/trust/identity.ts'
import { openMembership } from '../../store/etcd/members.ts'
import type { Config } from '../config.ts'
import { joinCluster, membersFor, removeMember, startFirst } from '../etcd/growth.ts'
import { type EtcdMember, hasBegun } from '../etcd/member.ts'
import { hostsOf, storeMembers, withPort } from './membership.ts'

export interface RunOptions {
  readonly config: Pick<Config, 'data' | 'address' | 'etcdPort'>
  readonly identity: Identity
  /** The list of revoked certificates, in PEM. */
  readonly revocations: string
  readonly log: Logger
  readonly signal: AbortSignal
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
  const { config, identity, revocations, log, signal } = options
  const [host] = hostsOf(config)
  const listened = isIP(host) === 0 ? '0.0.0.0' : host
  const urls = (at: string) => ({
    client: `https://${withPort(at, config.etcdPort)}`,
    peer: `https://${withPort(at, config.etcdPort + 1)}`,
  })
  const files = await writeTlsFiles(config.data, identity, revocations)
  const settings = {
    name: identity.id,
    folder: etcdFolder(config.data),
    listen: urls(listened),
    advertise: urls(host),
    token: identity.cluster,
    tls: { ca: files.authority, certificate: files.certificate, key: files.key },
    log,
    signal,
  }
  const others = identity.store.filter((endpoint) => endpoint !== settings.advertise.client)
  return others.length === 0 ? await startFirst(settings) : await joinCluster(settings, others)
}

/** Where etcd is reached now, as its members say; those that are still learning are left out. */
export async function storeEndpoints(identity: Identity, signal: AbortSignal): Promise<readonly string[]> {
  using membership = openMembership(storeMembers(identity))
  const members = await membership.list(signal)
  return members.filter(({ learner }) => !learner).flatMap(({ clientUrls }) => [...clientUrls])
}

/** Takes the member of etcd that a removed node ran out of it, so that its vote is not waited for. */
export async function removeEtcdMember(identity: Identity, node: Id, signal: AbortSignal): Promise<void> {
  using membership = openMembership(storeMembers(identity))
  const members = await membership.list(signal)
  const [peerUrl] = members.find(({ name }) => name === node)?.peerUrls ?? []
  if (peerUrl !== undefined) await removeMember(membership, peerUrl, signal)
}

/** Whether this node should run a member: the first nodes that joined do, as many as the size of the cluster asks for. */
export function shouldRunEtcd(self: Id, members: readonly Member[]): boolean {
  const present = members
    .filter(({ state }) => state !== 'removed')
    .toSorted((one, other) => one.joinedAt - other.joinedAt || (one.id < other.id ? -1 : 1))
  return present.slice(0, membersFor(present.length)).some(({ id }) => id === self)
}
