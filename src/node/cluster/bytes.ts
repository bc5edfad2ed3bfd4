import { join } from 'node:path'
import type { Logger } from 'pino'
import { type Copies, startCopies } from '../../blobs/copies/copies.ts'
import { createElsewhere, type ElsewhereCopies } from '../../blobs/copies/elsewhere.ts'
import { createQuorum, type Quorum } from '../../blobs/copies/quorum.ts'
import { createBlobPeers } from '../../blobs/copies/remote.ts'
import { keepReporting } from '../../blobs/copies/report.ts'
import { type Whereabouts, whereaboutsOf } from '../../blobs/copies/whereabouts.ts'
import type { DiskBlobs } from '../../blobs/disk.ts'
import { layoutId, layouts } from '../../blobs/placement/layout.ts'
import type { Copies as KnownCopies } from '../../catalog/copies.ts'
import { createFetcher } from '../../gateway/peers/fetcher.ts'
import type { Index } from '../../index/index.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Calls } from '../../registry/calls.ts'
import { clusterSettings, defaultSettings, readSettings, settingsId } from '../../registry/facts.ts'
import { mirror } from '../../registry/mirror.ts'
import type { LiveNode, Registry } from '../../registry/registry.ts'
import type { Trust } from '../../registry/trust/trust.ts'
import type { Store } from '../../store/store.ts'

export interface BytesOptions {
  /** Whether this node has the role `media`. */
  readonly isMedia: boolean
  readonly data: string
  readonly store: Store
  /** It does not answer at the moment: the settings are what they are without any, until they are read. */
  readonly storeAway: boolean
  readonly index: Pick<Index, 'subscribe'>
  readonly blobs: DiskBlobs
  readonly known: KnownCopies
  readonly registry: Registry
  readonly trust: Pick<Trust, 'identity'>
  readonly calls: Calls
  readonly log: Logger
}

/** This node's share in the bytes of the cluster: its copies, and the way to those of the others. */
export interface ClusterBytes extends AsyncDisposable {
  readonly copies: Copies
  readonly elsewhere: ElsewhereCopies
  readonly quorum: Quorum
  /** The nodes that are to have a copy of a blob, by the layout and by what lies in music folders. */
  readonly holders: (hash: BlobHash) => readonly Id[]
}

/** How often everything is compared, whatever was heard of changes, in milliseconds. */
const compareEveryMs = 15 * 60_000
const reportEveryMs = 2_000

export async function openClusterBytes(options: BytesOptions, signal: AbortSignal): Promise<ClusterBytes> {
  const { data, store, storeAway, index, blobs, known, registry, trust, calls, log } = options
  await using stack = new AsyncDisposableStack()
  const ending = new AbortController()
  const onError = (error: unknown) => log.warn({ err: error }, 'the copies met trouble')
  let where: Whereabouts | null = null
  let copies: Copies | undefined
  let settings = storeAway ? defaultSettings : await readSettings(store, signal)

  const layout = mirror({
    store,
    collection: layouts,
    signal: ending.signal,
    onError,
    onChange() {
      const now = layout.facts.get(layoutId)
      const wasFilling = where !== null && where.previous !== null
      where = now === undefined ? null : whereaboutsOf(now)
      // Copies that belonged to the layout before are surplus from now on; nothing else tells of that.
      if (wasFilling && where?.previous === null) copies?.recount()
      copies?.wake()
    },
  })
  const settled = mirror({
    store,
    collection: clusterSettings,
    signal: ending.signal,
    onError,
    onChange() {
      settings = settled.facts.get(settingsId) ?? settings
    },
  })
  /** Those with the role `media` first; one that had it once, or that has music folders, may hold bytes as well. */
  const peers = createBlobPeers(calls.open, () => {
    const others = registry.nodes().filter(({ id }) => id !== registry.self)
    const isMedia = ({ roles }: LiveNode) => roles.includes('media')
    return [...others.filter(isMedia), ...others.filter((node) => !isMedia(node))].map(({ id }) => id)
  })
  const { fetch: fetchAside } = stack.use(createFetcher({ registry, trust, onError }))
  const started = startCopies({
    self: registry.self,
    isMedia: options.isMedia,
    blobs,
    peers,
    fetchAside,
    references: known.references,
    where: () => where,
    queuePath: join(data, 'copies.db'),
    compareEveryMs,
    onEvent(event) {
      if (event.kind === 'trouble') onError(event.error)
      else log.warn(event, event.kind === 'lost' ? 'no live node has a blob' : 'a node sent wrong bytes')
    },
  })
  stack.use(started)
  copies = started
  const unsubscribes = [
    registry.subscribe(() => started.wake()),
    index.subscribe(({ keys, more }) => {
      if (more || keys.some(known.concerns)) started.recount()
      // Where too much has changed to be named, the next comparison finds it.
      if (!more) for (const key of keys) for (const hash of known.blobsOf(key)) started.look(hash)
    }),
  ]
  const reporting = keepReporting(
    { store, self: registry.self, copies: started, everyMs: reportEveryMs, onError },
    ending.signal,
  )
  stack.defer(async () => {
    for (const unsubscribe of unsubscribes) unsubscribe()
    ending.abort(new DOMException('the node ends', 'AbortError'))
    await Promise.all([layout.ended, settled.ended, reporting])
  })
  const owned = stack.move()
  return {
    copies: started,
    elsewhere: createElsewhere(peers, () => where, known.references),
    quorum: createQuorum({
      self: registry.self,
      peers,
      where: () => where,
      writeQuorum: () => settings.writeQuorum,
    }),
    holders(hash) {
      const inPlace = known.references.get(hash)?.inPlace ?? []
      return [...inPlace, ...(where?.current.holders(hash, inPlace) ?? [])]
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
