import { join } from 'node:path'
import type { Logger } from 'pino'
import { accountsProjection } from '../accounts/create.ts'
import { createStoreTimes, type StoreTimes } from '../gateway/metrics.ts'
import { type Index, openIndex } from '../index/index.ts'
import { listeningProjection } from '../listening/create.ts'
import { podcastsProjection } from '../podcasts/create.ts'
import type { Identity } from '../registry/trust/identity.ts'
import { requireFacts } from '../store/move.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { timed } from '../store/timed.ts'
import { type ClusterStore, openStoreOfCluster } from './cluster/store.ts'
import type { Config } from './config.ts'

/** The facts as this node reads and writes them. Disposing of it closes the index, then the store. */
export interface Facts extends AsyncDisposable {
  readonly store: Store
  /** How long the store takes to answer. */
  readonly storeTimes: StoreTimes
  readonly index: Index
  /** This node's member of the cluster's store; null: it stands alone. */
  readonly member: ClusterStore | null
}

export interface FactsOptions {
  readonly config: Config
  /** Who this node is in its cluster; null: it stands alone. */
  readonly identity: Identity | null
  readonly log: Logger
  /** The store answers at last, and its facts do not count. */
  readonly onLost: (error: Error) => void
}

/** Opens the store, a file or that of the cluster, and the index that follows it. Errors: those of both. */
export async function openFacts(options: FactsOptions, signal: AbortSignal): Promise<Facts> {
  const { config, identity, log, onLost } = options
  await using stack = new AsyncDisposableStack()
  const member =
    identity === null ? null : stack.use(await openStoreOfCluster({ config, identity, log, signal, onLost }))
  const storeTimes = createStoreTimes()
  const opened = member?.store ?? stack.use(await openFile(join(config.data, 'store.db'), signal))
  const store = timed(opened, storeTimes.observe)
  const index = stack.use(
    await openIndex({
      path: join(config.data, 'index.db'),
      store,
      storeAway: member?.answered === false,
      projections: [
        accountsProjection,
        new URL('../catalog/index/projection.ts', import.meta.url),
        listeningProjection,
        podcastsProjection,
      ],
      signal,
      // As `err`, by which the log knows what is only away for a while.
      report: (report) =>
        log.warn('trouble' in report ? { err: report.trouble } : report, 'the index met trouble'),
    }),
  )
  const owned = stack.move()
  return { store, storeTimes, index, member, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** The store of a machine that stands alone. */
async function openFile(path: string, signal: AbortSignal): Promise<Store> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await openSqliteStore(path, { signal }))
  await requireFacts(store, signal)
  stack.move()
  return store
}
