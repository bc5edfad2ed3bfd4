import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Registry } from '../../registry/registry.ts'
import { type Identity, writeTlsFiles } from '../../registry/trust/identity.ts'
import type { Trust } from '../../registry/trust/trust.ts'
import type { EtcdStore } from '../../store/etcd/etcd.ts'
import type { Config } from '../config.ts'
import type { EtcdMember } from '../etcd/member.ts'
import { runEtcd, runsEtcd, shouldRunEtcd, storeEndpoints } from './etcd.ts'
import { isManaged, openClusterStore, storeMembers } from './membership.ts'

export interface ClusterStore extends AsyncDisposable {
  readonly store: EtcdStore
  /**
   * Keeps pace with the cluster from now on: runs a member of etcd here when this node is among those that should, and
   * knows where etcd is reached and by which certificate.
   */
  follow(parts: { readonly trust: Trust; readonly registry: Registry }): void
}

interface Options {
  readonly config: Config
  readonly identity: Identity
  readonly log: Logger
  readonly signal: AbortSignal
}

/** How often it is looked where etcd is, in milliseconds; changes of the nodes are looked at at once. */
const lookEveryMs = 15_000

/** The store of the cluster, with this node's member of it where it has one. */
export async function openStoreOfCluster(options: Options): Promise<ClusterStore> {
  const { config, identity, log, signal } = options
  await using stack = new AsyncDisposableStack()
  const ending = new AbortController()
  let member: EtcdMember | undefined
  let following: Promise<void> = Promise.resolve()
  const run = async (now: Identity, until: AbortSignal) => {
    member = await runEtcd({ config, identity: now, revocations: '', log, signal: until })
  }
  stack.defer(async () => {
    ending.abort(new DOMException('the node ends', 'AbortError'))
    await following
    await member?.[Symbol.asyncDispose]()
  })
  if (runsEtcd(config.data)) await run(identity, signal)
  const store = stack.use(await openClusterStore(identity, signal))
  const owned = stack.move()

  /** One look: whatever fails is tried again with the next. */
  async function look(trust: Trust, registry: Registry): Promise<void> {
    const endpoints = await storeEndpoints(trust.identity, ending.signal)
    if (endpoints.length > 0 && !isSame(endpoints, trust.identity.store)) {
      await trust.noteStore(endpoints)
      log.info({ endpoints }, 'the members of the store have changed')
    }
    if (
      member === undefined &&
      isManaged(trust.identity) &&
      shouldRunEtcd(trust.identity.id, registry.members())
    ) {
      await run(trust.identity, ending.signal)
      log.info('this node runs a member of the store from now on')
    }
  }

  return {
    store,
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
          store.use(storeMembers(trust.identity))
          // etcd reads its certificate anew for each connection.
          if (member !== undefined) {
            writeTlsFiles(config.data, trust.identity, '').catch((error) =>
              log.error({ err: error }, 'the certificate of etcd could not be written'),
            )
          }
          changed.abort()
        }),
      ]
      following = (async () => {
        while (!ending.signal.aborted) {
          changed = new AbortController()
          await look(trust, registry).catch((error: unknown) => {
            if (!ending.signal.aborted)
              log.warn({ err: error }, 'the members of the store could not be asked')
          })
          const either = AbortSignal.any([ending.signal, changed.signal])
          await pause(lookEveryMs, undefined, { signal: either, ref: false }).catch(() => undefined)
        }
        for (const unsubscribe of unsubscribes) unsubscribe()
      })()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.toSorted().join() === other.toSorted().join()
}
