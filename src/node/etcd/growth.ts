import { setTimeout as pause } from 'node:timers/promises'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { type Membership, openMembership } from '../../store/etcd/members.ts'
import type { Member } from '../../store/etcd/messages.ts'
import { type EtcdMember, hasBegun, readTls, runMember, type StartOptions, setAside } from './member.ts'

/** How many members a cluster of so many nodes has: two would be lost with either of them, so one is safer. */
export const membersFor = (nodes: number): 1 | 3 | 5 => (nodes >= 5 ? 5 : nodes >= 3 ? 3 : 1)

/** Milliseconds. */
const betweenAttempts = 500
/** How long a member that has begun asks the others whether it is one still. */
const asking = 3_000

/** Starts the first member of a new cluster, or starts it again. */
export async function startFirst(options: StartOptions): Promise<EtcdMember> {
  return await runMember(options, {
    state: 'new',
    members: [`${options.name}=${options.advertise.peer}`],
  })
}

/**
 * Starts the member of this node in a cluster that exists, and resolves when it votes; can be killed at any moment and
 * called again. `endpoints` are the client addresses of other members. A member is known by the name of its node: where
 * that has another address than before, the others are told. A folder whose member has been removed is set aside, and a
 * member whose folder was lost is replaced by a new one: it would not know any more what it has voted. `again`: it ran a
 * moment ago, and if it has been removed since, somebody wants it gone: ETCD_FAILED.
 */
export async function joinCluster(
  options: StartOptions,
  endpoints: readonly string[],
  again = false,
): Promise<EtcdMember> {
  const { folder, advertise, signal } = options
  using membership = openMembership({ endpoints, tls: options.tls && (await readTls(options.tls)) })
  const members = await prepare(membership, options)
  // Those that have not started have no name yet: at this moment that is ourselves alone, as there is one learner.
  const initial = members.flatMap(({ name, peerUrls }) =>
    peerUrls.map((url) => `${url === advertise.peer ? options.name : name}=${url}`),
  )
  const running = await runMember(options, { state: 'existing', members: initial })
  try {
    if (members.length > 0) await promote(membership, advertise.peer, signal)
    return running
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }

  /** Makes the list of members and the folder fit each other, and answers the list. */
  async function prepare(membership: Membership, { log }: StartOptions): Promise<readonly Member[]> {
    const begun = hasBegun(folder)
    const listed = await known(membership, begun)
    if (listed === undefined) return []
    const there = find(listed, advertise.peer)
    const own = listed.find(({ name }) => name === options.name) ?? (there?.name === '' ? there : undefined)
    if (own !== undefined && begun) return own === there ? listed : await move(membership, own)
    if (begun && again) throw new CodedError('ETCD_FAILED', 'it was taken out before it started again')
    if (begun)
      log.warn({ aside: await setAside(folder) }, 'the data of a removed member of etcd was set aside')
    // One that has never started has no name, and nothing to forget.
    if (there?.name === '') return listed
    for (const { id } of new Set([own, there].filter((each) => each !== undefined)))
      await membership.remove(id, signal)
    await addLearner(membership, advertise.peer, signal)
    return await membership.list(signal)
  }

  async function move(membership: Membership, own: Member): Promise<readonly Member[]> {
    await membership.move(own.id, advertise.peer, signal)
    options.log.info({ from: own.peerUrls, to: advertise.peer }, 'the member of etcd has another address')
    return await membership.list(signal)
  }

  /**
   * Undefined where nobody answers a member that has begun: all may be starting at once after a loss of power, each
   * waiting for the others. Then it starts as it is; if it has been removed meanwhile, the others do not listen to it.
   */
  async function known(membership: Membership, begun: boolean) {
    if (!begun) return await membership.list(signal)
    const patience = AbortSignal.timeout(asking)
    try {
      return await membership.list(signal === undefined ? patience : AbortSignal.any([signal, patience]))
    } catch {
      signal?.throwIfAborted()
      return undefined
    }
  }
}

/** etcd takes one learner at a time, and none while a majority of its members is in doubt: then it waits. */
async function addLearner(membership: Membership, peerUrl: string, signal: AbortSignal | undefined) {
  for (;;) {
    try {
      return await membership.addLearner(peerUrl, signal)
    } catch (error) {
      signal?.throwIfAborted()
      // An answer that was lost may have been a good one.
      if (find(await membership.list(signal), peerUrl) !== undefined) return
      if (!isCoded(error, 'STORE_REFUSED') && !isCoded(error, 'TIMED_OUT')) throw error
    }
    await pause(betweenAttempts, undefined, { signal })
  }
}

/** Until it votes. etcd refuses while it has not caught up with the leader. */
async function promote(membership: Membership, peerUrl: string, signal: AbortSignal | undefined) {
  for (;;) {
    const own = find(await membership.list(signal), peerUrl)
    if (own === undefined) throw new CodedError('ETCD_FAILED', `${peerUrl} was removed while it joined`)
    if (!own.learner) return
    await membership.promote(own.id, signal).catch((error) => {
      signal?.throwIfAborted()
      if (!isCoded(error)) throw error
    })
    await pause(betweenAttempts, undefined, { signal })
  }
}

/**
 * Removes the member at this peer address: the one of a node that leaves, or of one that is gone for good. The last
 * member cannot be removed. A leader hands over first, so that nobody waits for an election.
 */
export async function removeMember(
  membership: Membership,
  peerUrl: string,
  signal?: AbortSignal,
): Promise<void> {
  const members = await membership.list(signal)
  const own = find(members, peerUrl)
  if (own === undefined) return
  await stepDown(membership, members, own, signal)
  await membership.remove(own.id, signal)
}

/** Lets another member lead, where this one does: whoever stops in order keeps nobody waiting for an election. */
export async function stepDown(
  membership: Membership,
  members: readonly Member[],
  own: Member,
  signal?: AbortSignal,
): Promise<void> {
  const heir = members.find((each) => each.id !== own.id && !each.learner)
  const [clientUrl] = own.clientUrls
  if (heir === undefined || clientUrl === undefined) return
  // Where it does not lead, or is dead, there is nothing to hand over.
  const patience = AbortSignal.any([AbortSignal.timeout(5_000), ...(signal === undefined ? [] : [signal])])
  await membership
    .status(clientUrl, patience)
    .then((status) =>
      status.leader === own.id ? membership.handOver(clientUrl, heir.id, patience) : undefined,
    )
    .catch(() => signal?.throwIfAborted())
}

/** How long a member that was added may take until it has started for the first time, in milliseconds. */
const patienceWithNewcomers = 180_000

/**
 * Members that were added and have not started for long: their nodes died in between, and as etcd takes one learner at
 * a time, nobody else could join any more. `seen` remembers since when each has been without a name, by `now`.
 */
export function forsaken(
  members: readonly Member[],
  seen: Map<string, number>,
  now: number,
): ReadonlySet<string> {
  const nameless = new Set(members.filter(({ name }) => name === '').map(({ id }) => id))
  for (const id of [...seen.keys()]) if (!nameless.has(id)) seen.delete(id)
  for (const id of nameless) if (!seen.has(id)) seen.set(id, now)
  return new Set([...seen].filter(([, since]) => now - since > patienceWithNewcomers).map(([id]) => id))
}

const find = (members: readonly Member[], peerUrl: string) =>
  members.find((each) => each.peerUrls.includes(peerUrl))
