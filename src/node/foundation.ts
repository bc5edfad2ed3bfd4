import { join } from 'node:path'
import type { Logger } from 'pino'
import { createInstallationKey } from '../accounts/installation-key.ts'
import { type DiskBlobs, openDiskBlobs } from '../blobs/disk.ts'
import { type Copies, createCopies } from '../catalog/copies.ts'
import { createPlaces, type Places } from '../catalog/places.ts'
import { createTagReader, type TagReader } from '../catalog/tags/reader.ts'
import { createMedia, type Media } from '../media/media.ts'
import type { Term } from '../operator/leadership.ts'
import type { BlobHash } from '../protocol/ids.ts'
import { loadOfProcess } from './cluster/load.ts'
import { type ClusterPart, openClusterPart } from './cluster/part.ts'
import { type Facts, type FactsOptions, openFacts } from './facts.ts'
import { createNodeOutbox, type NodeOutbox } from './outbox.ts'
import { createPodcastKeeper, withPodcasts } from './podcasts.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

/**
 * What the roles of a node stand on: facts, bytes, and what looks after both. Disposing of it ends the upkeep, takes
 * leave of the cluster, and closes everything in order.
 */
export interface Foundation extends Omit<Facts, 'member'> {
  readonly blobs: DiskBlobs
  /** Which files and copies the facts name. */
  readonly copies: Copies
  /** Which of them lie on the disks of this node. */
  readonly places: Places
  readonly media: Media
  readonly tagReader: TagReader
  readonly outbox: NodeOutbox['outbox']
  readonly upkeep: Upkeep
  /** Brings a blob that was just written to as many nodes as must have it; nothing where this one stands alone. */
  readonly spread: (hash: BlobHash, size: number) => Promise<void>
  /** What whoever is the operator delivers and fetches. */
  readonly office: OfficeWork
  /** What a node of a cluster does besides; null: it stands alone. */
  readonly part: ClusterPart | null
}

export interface OfficeWork {
  readonly deliver: NodeOutbox['deliver']
  readonly keepPodcasts: (term: Term) => Promise<void>
}

/** Memory for pages of audio that are being read. */
const blobCacheBytes = 16 * 1024 * 1024

/** Errors: those of the store, the index, the disk and the registry. */
export async function openFoundation(options: FactsOptions, signal: AbortSignal): Promise<Foundation> {
  const { config, identity, log, onLost } = options
  const { data } = config
  const node = identity?.id ?? null
  await using stack = new AsyncDisposableStack()
  const { store, storeTimes, index, member } = stack.use(await openFacts(options, signal))
  const places = createPlaces(index, node)
  const copies = withPodcasts(createCopies(index, places), index)

  // Damage is met by those who read, before there is anybody to mend it: these two are made from what reads.
  let part: ClusterPart | null = null
  let upkeep: Upkeep | null = null
  const blobs: DiskBlobs = stack.use(
    await openDiskBlobs(data, {
      cacheBytes: blobCacheBytes,
      otherCopies: (hash) => otherCopies(hash),
      report(event) {
        log.warn(event, event.kind === 'healed' ? 'a blob was healed' : 'bytes are damaged')
        if (event.file !== undefined) upkeep?.noteDamage(event.file)
        else if (event.kind === 'corrupt') part?.replace(event.hash)
      },
    }),
  )
  /** For healing: first what lies here, then what other nodes have. */
  async function* otherCopies(hash: BlobHash) {
    yield* copies.inMusicFolders(hash, blobs.inPlace)
    if (part !== null) yield* part.otherCopies(hash)
  }
  const media = stack.use(openMedia(config, log, (problem) => upkeep?.note(problem)))
  const tagReader = stack.use(createTagReader())

  const installationKey = createInstallationKey(store, join(data, 'secrets'))
  const { outbox, person, deliver, tell } = createNodeOutbox({ store, installationKey, log })
  const spread = async (hash: BlobHash, size: number) => part?.spread(hash, size)
  const keepPodcasts = createPodcastKeeper({ store, index, blobs, spread, tagReader, person, log })
  upkeep = stack.use(createUpkeep({ config, log, store, index, blobs, copies, places, node, tagReader }))
  if (identity !== null && member !== null)
    part = stack.use(
      await openClusterPart(
        {
          config,
          identity,
          store,
          member,
          index,
          blobs,
          known: copies,
          places,
          outbox: { deliver, tell },
          keepPodcasts,
          log,
          load: loadOfProcess(),
          onLost,
        },
        signal,
      ),
    )

  const office = { deliver, keepPodcasts }
  const owned = stack.move()
  return {
    store,
    storeTimes,
    index,
    blobs,
    copies,
    places,
    media,
    tagReader,
    outbox,
    upkeep,
    spread,
    office,
    part,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Conversions and pictures, kept in the data folder; a picture that cannot be read is noted with its folder. */
function openMedia(
  { data, audioCacheBytes, coverCacheBytes }: FactsOptions['config'],
  log: Logger,
  note: Upkeep['note'],
): Media {
  return createMedia({
    cacheFolder: join(data, 'cache'),
    audioCacheBytes,
    coverCacheBytes,
    report(problem) {
      log.warn(problem, 'a picture cannot be read')
      const { place, code, detail } = problem
      if (place !== undefined) note({ ...place, code, detail })
    },
  })
}
