import type { Copies } from '../../blobs/copies/copies.ts'
import type { Cluster } from '../../gateway/rest/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { chronicleId, chronicles } from '../../registry/facts.ts'
import type { Registry } from '../../registry/registry.ts'
import { changeSettings } from '../../registry/settings.ts'
import { changeMember } from '../../registry/trust/membership.ts'
import { beginRenewal } from '../../registry/trust/renewal.ts'
import { invite } from '../../registry/trust/tokens.ts'
import type { Trust } from '../../registry/trust/trust.ts'
import { openMembership } from '../../store/etcd/members.ts'
import type { Store } from '../../store/store.ts'
import type { Config } from '../config.ts'
import { clientUrlOf, removeEtcdMember } from './etcd.ts'
import { isManaged } from './membership.ts'
import { statusOf } from './status.ts'
import type { ClusterStore } from './store.ts'

export interface AdministrationParts {
  readonly config: Config
  readonly store: Store
  /** This node's member of the store. */
  readonly member: Pick<ClusterStore, 'members'>
  readonly registry: Registry
  readonly trust: Trust
  readonly copies: Pick<Copies, 'status'>
  /** Where other nodes reach this one. */
  readonly addresses: () => readonly string[]
}

/** How many addresses a join line names: a few that may be dead by then, and no more than a person can copy. */
const mostAddresses = 5
/** How long a member of the store may take to say that it is there, in milliseconds. */
const memberPatienceMs = 1_500

/** The cluster as administrators handle it through this node. */
export function createAdministration(parts: AdministrationParts): Cluster {
  const { config, store, member, registry, trust, copies } = parts

  async function alarms(signal: AbortSignal) {
    using membership = openMembership(member.members(trust.identity))
    return await membership.alarms(signal)
  }

  /** Those that do not answer soon are taken for dead: a person waits. */
  async function answering(signal: AbortSignal): Promise<number> {
    const { endpoints } = member.members(trust.identity)
    using membership = openMembership(member.members(trust.identity))
    const soon = AbortSignal.any([signal, AbortSignal.timeout(memberPatienceMs)])
    const asked = await Promise.allSettled(endpoints.map((endpoint) => membership.status(endpoint, soon)))
    return asked.filter(({ status }) => status === 'fulfilled').length
  }

  /** Where a machine that joins may ask: here first, since the person who invites it sees that this node lives. */
  function peerAddresses(): readonly string[] {
    const others = registry.nodes().filter(({ id }) => id !== registry.self)
    const theirs = others.flatMap(({ addresses }) => addresses.slice(0, 1))
    return [...parts.addresses().slice(0, 1), ...theirs].slice(0, mostAddresses)
  }

  return {
    status(signal) {
      const { identity } = trust
      const storeHere = !isManaged(identity) || identity.store.includes(clientUrlOf(config))
      return statusOf({ identity, registry, store, copies, alarms, answering, storeHere }, signal)
    },
    async invite(signal) {
      const value = await invite(store, peerAddresses(), signal)
      return { value, revision: (await store.status(signal)).revision }
    },
    async change(node: Id, change, signal) {
      // In this order, as the node stops when it hears of it, and with it a vote that taking out two members may need.
      if (change.state === 'removed' && isManaged(trust.identity))
        await removeEtcdMember(trust.identity, node, signal)
      return written(await changeMember(store, node, change, signal))
    },
    set: async (change, signal) => written(await changeSettings(store, change, signal)),
    renewAuthority: async (signal) => written(await beginRenewal(store, trust.identity.secret, signal)),
    async events(signal) {
      const fact = await chronicles.get(store, chronicleId, signal)
      return { events: (fact?.value.events ?? []).toReversed() }
    },
  }
}

const written = ({ revision }: { readonly revision: number }) => ({ value: undefined, revision })
