import { rm } from 'node:fs/promises'
import type { Logger } from 'pino'
import { inTurn } from '../../operator/leadership.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Registry } from '../../registry/registry.ts'
import {
  type Identity,
  readRevocationList,
  writeRevocationList,
  writeTlsFiles,
} from '../../registry/trust/identity.ts'
import { listedSerials, readRevocations, revokedSerials } from '../../registry/trust/membership.ts'
import { openMembership } from '../../store/etcd/members.ts'
import type { Member } from '../../store/etcd/messages.ts'
import type { Store } from '../../store/store.ts'
import type { Config } from '../config.ts'
import { forsaken, stepDown } from '../etcd/growth.ts'
import type { EtcdMember } from '../etcd/member.ts'
import { etcdFolder, keepersOf, listMembers, removeOne, runEtcd, runsEtcd } from './etcd.ts'
import { storeMembers } from './membership.ts'

/** What a node does for a managed etcd: it runs a member where the size of the cluster asks for one of it. */
export interface Keeper extends AsyncDisposable {
  /** Starts the member that this node has run before. What fails is told, and tried again by `look`. */
  begin(identity: Identity): Promise<void>
  /**
   * Closes the difference between what is and what should be: starts this node's member or takes it out, takes out
   * those of removed nodes, and lets etcd refuse their certificates. Answers whether members have come or gone.
   */
  look(identity: Identity, registry: Pick<Registry, 'members' | 'following'>): Promise<boolean>
  /** Gives a running member the identity as it is now. */
  renew(identity: Identity): Promise<void>
}

interface Options {
  readonly config: Config
  readonly store: Store
  readonly self: Id
  readonly log: Logger
  /** Ends what it waits for; a member that runs is ended by disposing of the keeper, later. */
  readonly signal: AbortSignal
}

/** Whoever stops a member for a moment, or takes one out, holds this office: a majority is never without two. */
const office = 'etcd'
/** How often a node looks where etcd is, in milliseconds; changes of the nodes are looked at at once. */
export const lookEveryMs = 4_000
/** Longer than a member takes to start again. */
const turnSeconds = 20
/**
 * Whoever leaves the store waits for so many milliseconds after those that are to hold it are complete: by then every
 * node has looked where it is.
 */
const leaveAfterMs = 3 * lookEveryMs
/**
 * Whoever removes a node takes its member out first, and then says that it is removed. Its node waits for that so many
 * milliseconds: in a cluster that is still large enough for it, it would make a new member that nobody runs any more.
 */
const returnAfterMs = 3 * lookEveryMs

export function createKeeper({ config, store, self, log, signal }: Options): Keeper {
  const { data } = config
  let member: EtcdMember | undefined
  /** What the list on the disk holds; undefined: not read yet, null: there is none. */
  let listed: ReadonlySet<string> | null | undefined
  /** Connections may be open that the list refuses by now. */
  let mustRestart = false
  /** The authorities that our member has trusted since it started. */
  let trusted = ''
  let writing = Promise.resolve()
  /** Since when all that should hold the store have done so, though we hold it as well; by the clock that never jumps. */
  let superfluousSince: number | undefined
  /** When others took out our member, or it could not be started again; by the same clock. */
  let takenOutAt = Number.NEGATIVE_INFINITY
  const nameless = new Map<string, number>()

  async function run(identity: Identity, again = false): Promise<void> {
    await writing
    trusted = bundleOf(identity)
    member = await runEtcd({ config, identity, log, signal, again })
  }

  async function end(): Promise<void> {
    const ended = member
    member = undefined
    await ended?.[Symbol.asyncDispose]()
  }

  const takeTurn = (work: () => Promise<void>) => {
    const onError = (error: unknown) => log.warn({ err: error }, 'a change of the members of etcd waits')
    return inTurn({ store, office, node: self, ttlSeconds: turnSeconds, onError }, work, signal)
  }

  /** The list is written first: from then on nobody on it opens a connection. Those that are open end with a restart. */
  async function refuseRemoved(identity: Identity, serials: readonly string[]): Promise<void> {
    listed ??= await readListed(serials)
    if (listed === null || serials.some((serial) => listed?.has(serial) !== true)) {
      await writeRevocationList(data, await readRevocations(store, identity.secret, signal))
      listed = new Set(serials)
      mustRestart = member !== undefined
    }
    if (!mustRestart) return
    await takeTurn(() => restart(identity))
    mustRestart = false
    log.info({ refused: serials.length }, 'etcd refuses the certificates of removed nodes')
  }

  /** etcd reads whom it trusts only when it starts. */
  async function trustAsNow(identity: Identity): Promise<void> {
    if (member === undefined || trusted === bundleOf(identity)) return
    await takeTurn(() => restart(identity))
    log.info(
      { authorities: identity.authorities.length },
      'etcd trusts the authorities of the cluster as they are',
    )
  }

  async function readListed(wanted: readonly string[]) {
    const list = await readRevocationList(data)
    if (list === null) return null
    // To read one takes a thread and a quarter of a second, and hardly any cluster has ever removed a node.
    return wanted.length === 0 ? new Set<string>() : await listedSerials(list)
  }

  async function restart(identity: Identity): Promise<void> {
    using membership = openMembership(storeMembers(identity))
    const members = await membership.list(signal)
    const own = members.find(({ name }) => name === self)
    if (own !== undefined) await stepDown(membership, members, own, signal)
    await end()
    await run(identity, true).catch((error: unknown) => {
      takenOutAt = performance.now()
      throw error
    })
    // The next one may stop once this one is back among the others.
    await membership.list(signal)
  }

  /** Takes members out, one at a time, our own among them. */
  async function takeOut(identity: Identity, gone: (member: Member) => boolean): Promise<void> {
    await takeTurn(async () => {
      using membership = openMembership(storeMembers(identity))
      for (const each of (await membership.list(signal)).filter(gone)) {
        await removeOne(membership, each, signal)
        log.info({ member: each.name }, 'a member of the store was taken out')
        if (each.name === self) await forget()
      }
    })
  }

  /** What it held is held by the others, and it must never vote again. */
  async function forget(): Promise<void> {
    await end()
    await rm(etcdFolder(data), { recursive: true, force: true })
    log.info('this node runs no member of the store any more')
  }

  return {
    async begin(identity) {
      if (!runsEtcd(data)) return
      await run(identity).catch((error: unknown) => {
        if (!signal.aborted) log.error({ err: error }, 'this node’s member of etcd could not be started')
      })
    },

    async look(identity, { members, following }) {
      // What is only remembered says nothing of who should be a member now.
      if (!following) {
        if (member === undefined && runsEtcd(data)) await run(identity)
        return false
      }
      const nodes = members()
      const keepers = keepersOf(nodes)
      const isKeeper = keepers.has(self)
      if (member !== undefined || isKeeper) await refuseRemoved(identity, revokedSerials(nodes))
      await trustAsNow(identity)
      if (member === undefined) {
        if (!isKeeper && !runsEtcd(data)) return false
        if (performance.now() - takenOutAt < returnAfterMs) return false
        await run(identity)
        log.info('this node runs a member of the store from now on')
        return true
      }
      const present = await listMembers(identity, signal)
      if (!present.some(({ name }) => name === self)) {
        await forget()
        takenOutAt = performance.now()
        return true
      }
      const removed = new Set<string>(nodes.filter(({ state }) => state === 'removed').map(({ id }) => id))
      const isComplete = [...keepers].every((id) =>
        present.some(({ name, learner }) => name === id && !learner),
      )
      superfluousSince = !isKeeper && isComplete ? (superfluousSince ?? performance.now()) : undefined
      const leaves = superfluousSince !== undefined && performance.now() - superfluousSince > leaveAfterMs
      const lost = forsaken(present, nameless, performance.now())
      const isGone = ({ id, name }: Member) => removed.has(name) || lost.has(id) || (leaves && name === self)
      if (!present.some(isGone)) return false
      await takeOut(identity, isGone)
      return true
    },

    async renew(identity) {
      // Also while it starts: a machine with another address answers nobody before its certificate names that.
      if (!runsEtcd(data)) return
      const written = writing.then(() => writeTlsFiles(data, identity))
      writing = written.then(
        () => undefined,
        () => undefined,
      )
      await written
    },

    [Symbol.asyncDispose]: end,
  }
}

/** Which of them signs makes no difference to who trusts them. */
const bundleOf = ({ authorities }: Identity) => authorities.toSorted().join('')
