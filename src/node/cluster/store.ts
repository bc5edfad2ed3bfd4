import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isCoded } from '../../protocol/errors.ts'
import { refuseSecond } from '../../registry/announce.ts'
import { type Registry, ttlSeconds } from '../../registry/registry.ts'
import { type Identity, placeOf } from '../../registry/trust/identity.ts'
import { reportTrust } from '../../registry/trust/renewal.ts'
import type { Trust } from '../../registry/trust/trust.ts'
import type { Members } from '../../store/etcd/connection.ts'
import type { EtcdStore } from '../../store/etcd/etcd.ts'
import { requireFacts } from '../../store/move.ts'
import type { Config } from '../config.ts'
import { clientUrlOf, listMembers, runsEtcd } from './etcd.ts'
import { isSameTls, readStoreTls } from './external.ts'
import { createKeeper, type Keeper, lookEveryMs } from './keeper.ts'
import { isManaged, storeMembers } from './membership.ts'

export interface ClusterStore extends AsyncDisposable {
  readonly store: EtcdStore
  /** Whether the store answered at the start. Where it did not, this node serves what it has, and catches up later. */
  readonly answered: boolean
  /**
   * Keeps pace with the cluster from now on: runs a member of etcd here when this node is among those that should, and
   * knows where etcd is reached and by which certificate.
   */
  follow(parts: { readonly trust: Trust; readonly registry: Registry }): void
  /** Where it is, and what proves us to it. */
  members(identity: Identity): Members
}

interface Options {
  readonly config: Config
  readonly identity: Identity
  readonly log: Logger
  readonly signal: AbortSignal
  /** The store answers at last, and its facts do not count: STORE_RETIRED, STORE_INCOMPLETE. */
  readonly onLost: (error: Error) => void
}

/** How long a start waits for the store: machines that come back from a loss of power wait for one another. */
const startPatienceMs = 8_000
/** One that others run is waited for until it is known why it does not answer: a setting may be wrong. */
const externalPatienceMs = 20_000
const askAgainMs = 1_000

/** The store of the cluster, with this node's member of it where it has one. Errors: NODE_DUPLICATE, those of `requireFacts`. */
export async function openStoreOfCluster(options: Options): Promise<ClusterStore> {
  const { config, identity, log, signal } = options
  await using stack = new AsyncDisposableStack()
  const ending = new AbortController()
  let external = await readStoreTls(identity.store, config)
  // What speaks to etcd is loaded only where there is one: a machine that stands alone stays small.
  const { connectEtcdStore } = await import('../../store/etcd/etcd.ts')
  const store = stack.use(connectEtcdStore(storeMembers(identity, external)))
  const keeper = isManaged(identity)
    ? stack.use(createKeeper({ config, store, self: identity.id, log, signal: ending.signal }))
    : null
  // Where the only member is our own, there is nobody to ask before it runs.
  if (runsEtcd(config.data) && identity.store.some((address) => address !== clientUrlOf(config))) {
    const self = { id: identity.id, place: await placeOf(config.data), ttlSeconds }
    await refuseSecond(store, self, signal)
  }
  const beginning = keeper?.begin(identity) ?? Promise.resolve()
  let following: Promise<unknown> = beginning
  stack.defer(async () => {
    ending.abort(new DOMException('the node ends', 'AbortError'))
    await following
  })
  const silence = await silenceOf(store, keeper === null ? externalPatienceMs : startPatienceMs, signal)
  const answered = silence === undefined
  if (answered) await requireFacts(store, signal)
  else {
    log.warn(
      { err: silence },
      'the store does not answer: this node serves what it has, and nothing can be saved until it does',
    )
    requireLater().catch((error: unknown) => {
      if (!ending.signal.aborted) options.onLost(error instanceof Error ? error : new Error(String(error)))
    })
  }
  const owned = stack.move()

  async function requireLater(): Promise<void> {
    while ((await silenceOf(store, startPatienceMs, ending.signal)) !== undefined)
      await pause(askAgainMs, undefined, { signal: ending.signal, ref: false })
    await requireFacts(store, ending.signal)
    log.info('the store answers again')
  }

  /** One look: whatever fails is tried again with the next. Answers whether to look again at once. */
  async function look(trust: Trust, registry: Registry): Promise<boolean> {
    if (keeper !== null && registry.following) await noteEndpoints(trust)
    const { identity: now } = trust
    if (keeper === null) await readAgain()
    const again = (await keeper?.look(now, registry)) ?? false
    if (registry.following) await report(now)
    return again
  }

  let reported: Identity | undefined
  /** The member of etcd here has been given this identity, and everything else goes by it as soon as it is known. */
  async function report(now: Identity): Promise<void> {
    if (reported?.certificate === now.certificate && reported.authorities === now.authorities) return
    await keeper?.renew(now)
    await reportTrust(store, now, ending.signal)
    reported = now
  }

  async function noteEndpoints(trust: Trust): Promise<void> {
    const members = await listMembers(trust.identity, ending.signal)
    const endpoints = members.filter(({ learner }) => !learner).flatMap(({ clientUrls }) => [...clientUrls])
    if (endpoints.length === 0 || isSame(endpoints, trust.identity.store)) return
    await trust.noteStore(endpoints)
    log.info({ endpoints }, 'the members of the store have changed')
  }

  /** Whoever runs the store renews its certificates, and replaces the files. */
  async function readAgain(): Promise<void> {
    const fresh = await readStoreTls(identity.store, config)
    if (isSameTls(fresh, external)) return
    external = fresh
    store.use(storeMembers(identity, external))
    log.info('the certificates for the store were read anew')
  }

  async function keepLooking(trust: Trust, registry: Registry, nextChange: () => AbortSignal): Promise<void> {
    await beginning
    while (!ending.signal.aborted) {
      const changed = nextChange()
      const again = await look(trust, registry).catch((error: unknown) => {
        if (!ending.signal.aborted)
          log.warn({ err: error }, 'the members of the store could not be looked after')
        return false
      })
      if (again) continue
      const either = AbortSignal.any([ending.signal, changed])
      await pause(lookEveryMs, undefined, { signal: either, ref: false }).catch(() => undefined)
    }
  }

  return {
    store,
    answered,
    members: (now) => storeMembers(now, external),
    follow({ trust, registry }) {
      let changed = new AbortController()
      let shape = ''
      const unsubscribes = [
        // Nodes say every few seconds how they are; what matters here is who belongs to the cluster.
        registry.subscribe(() => {
          const now = registry
            .members()
            .map(({ id, state }) => `${id} ${state}`)
            .join()
          if (now !== shape) changed.abort()
          shape = now
        }),
        trust.subscribe(() => {
          if (keeper === null) return
          store.use(storeMembers(trust.identity))
          renewFiles(keeper, trust.identity)
          changed.abort()
        }),
      ]
      const nextChange = () => {
        changed = new AbortController()
        return changed.signal
      }
      following = keepLooking(trust, registry, nextChange).finally(() => {
        for (const unsubscribe of unsubscribes) unsubscribe()
      })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }

  function renewFiles(running: Keeper, now: Identity): void {
    running.renew(now).catch((error: unknown) => {
      log.error({ err: error }, 'the certificate of etcd could not be written')
    })
  }
}

/** Why the store does not answer in time; undefined where it does. What else is wrong with it is thrown. */
async function silenceOf(store: EtcdStore, patienceMs: number, signal: AbortSignal): Promise<unknown> {
  const patience = AbortSignal.timeout(patienceMs)
  try {
    await store.status(AbortSignal.any([signal, patience]))
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    if (patience.aborted || isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')) return error
    throw error
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.toSorted().join() === other.toSorted().join()
}
