import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Copy } from '../../blobs/blobs.ts'
import { createCourtesy } from '../../blobs/copies/courtesy.ts'
import { createHeld } from '../../blobs/copies/held.ts'
import type { DiskBlobs } from '../../blobs/disk.ts'
import type { Copies as KnownCopies } from '../../catalog/copies.ts'
import type { Places } from '../../catalog/places.ts'
import type { Spread } from '../../catalog/uploads/finish.ts'
import type { PictureElsewhere } from '../../gateway/media/renditions.ts'
import type { Figure } from '../../gateway/metrics.ts'
import { peerBlobRoutes } from '../../gateway/peers/blobs.ts'
import { peerFileRoutes } from '../../gateway/peers/files.ts'
import { joinRoute } from '../../gateway/peers/join.ts'
import { membershipRoute } from '../../gateway/peers/membership.ts'
import { type PeerRoutes, startPeerServer } from '../../gateway/peers/server.ts'
import type { Cluster } from '../../gateway/rest/cluster.ts'
import type { GatewayAddress } from '../../gateway/roaming.ts'
import type { Index } from '../../index/index.ts'
import type { Elsewhere } from '../../media/originals.ts'
import { CodedError, errorCodes } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import { type Calls, createCalls } from '../../registry/calls.ts'
import { openRegistry, type Registry, type RegistryEvent, ttlSeconds } from '../../registry/registry.ts'
import { openMemory } from '../../registry/remembered.ts'
import { type Identity, placeOf } from '../../registry/trust/identity.ts'
import { keepTrust } from '../../registry/trust/trust.ts'
import type { Store } from '../../store/store.ts'
import type { BackupBlobs } from '../backup/backup.ts'
import type { Config } from '../config.ts'
import type { NodeOutbox } from '../outbox.ts'
import { version } from '../version.ts'
import { createAdministration } from './administration.ts'
import { type ClusterBytes, openClusterBytes } from './bytes.ts'
import { figuresOf } from './figures.ts'
import { createFilesElsewhere, type FilesElsewhere } from './files.ts'
import { advertiseNode, keepRolesNoted } from './found.ts'
import { hostsOf, withPort } from './membership.ts'
import { type OperatorOptions, startOperator } from './operator.ts'
import { hearOfRemoval } from './removal.ts'
import type { ClusterStore } from './store.ts'
import { createUploads } from './uploads.ts'

export interface PartOptions {
  readonly config: Config
  readonly identity: Identity
  readonly store: Store
  /** This node's member of the store. */
  readonly member: Pick<ClusterStore, 'answered' | 'follow' | 'members'>
  readonly index: Index
  readonly blobs: DiskBlobs
  readonly known: KnownCopies
  readonly places: Places
  /** The outbox, for while this node is the operator. */
  readonly outbox: Pick<NodeOutbox, 'deliver' | 'tell'>
  readonly keepPodcasts: OperatorOptions['keepPodcasts']
  readonly log: Logger
  /** How busy this node is: 0 is idle, 1 is all that it can do. */
  readonly load: () => number
  /** This node must stop: another has its identity, or it was removed. */
  readonly onLost: (error: Error) => void
}

/** What a node of a cluster does besides what one does that stands alone. Disposing of it takes leave of the others. */
export interface ClusterPart extends AsyncDisposable {
  readonly cluster: Cluster
  readonly figures: readonly Figure[]
  /** What a backup is to hold besides the facts. */
  readonly uploads: BackupBlobs
  /** The other gateways. */
  readonly gateways: () => readonly GatewayAddress[]
  readonly elsewhere: Elsewhere
  readonly spread: Spread
  readonly pictureElsewhere: PictureElsewhere
  /** For healing: copies on other nodes. */
  readonly otherCopies: (hash: BlobHash) => AsyncIterable<Copy>
  /** Sees to it that a copy which has been set aside here is made again, also where nobody has a sound one just now. */
  replace(hash: BlobHash): void
  readonly calls: Calls
  /** The nodes that are to have a copy of a blob. */
  readonly holders: (hash: BlobHash) => readonly Id[]
  /**
   * Answers other nodes, with these routes besides those of every node, and tells them that this one is there; people
   * reach its gateway at `publicUrl`, if it has one.
   */
  announce(routes: readonly PeerRoutes[], publicUrl: string | null): Promise<void>
}

/** How long an upload may take to be copied, in milliseconds: 4 GiB at 15 MB/s. */
const spreadMs = 300_000

/** Errors: those of the registry and of the server for nodes. */
export async function openClusterPart(options: PartOptions, signal: AbortSignal): Promise<ClusterPart> {
  const { config, identity, store, blobs, log, onLost } = options
  await using stack = new AsyncDisposableStack()
  const hosts = hostsOf(config)
  const [host] = hosts
  const trust = stack.use(
    keepTrust({
      data: config.data,
      identity,
      store,
      hosts,
      onError: (error) => log.error({ err: error }, 'the certificate of this node could not be renewed'),
    }),
  )
  const registry = stack.use(await openOwnRegistry(options, signal))
  const calls = stack.use(createCalls({ registry, trust }))
  const files = createFilesElsewhere(calls)
  const courtesy = createCourtesy()
  const held = createHeld(blobs, options.known.filesInPlace)
  const storeEndpoints = () => trust.identity.store
  let port = config.peerPort
  const addresses = () => hosts.map((each) => withPort(each, port))
  options.member.follow({ trust, registry })
  const bytes = stack.use(
    await openClusterBytes(
      {
        isMedia: config.roles.includes('media'),
        data: config.data,
        store,
        storeAway: !options.member.answered,
        index: options.index,
        blobs,
        known: options.known,
        registry,
        trust,
        calls,
        log,
      },
      signal,
    ),
  )
  const operator = config.roles.includes('operator')
    ? stack.use(
        startOperator({
          store,
          registry,
          log,
          ...options.outbox,
          keepPodcasts: options.keepPodcasts,
          identity: () => trust.identity,
        }),
      )
    : null

  const onStrangers = () => {
    const { title, help } = errorCodes.AUTHORITY_DIFFERS
    log.error({ code: 'AUTHORITY_DIFFERS', help }, title)
  }
  const ending = new AbortController()
  const removal = hearOfRemoval({ registry, calls, onStrangers }, ending.signal).then((removed) => {
    if (removed !== null) onLost(removed)
  })
  let describing: Promise<void> | undefined
  stack.defer(async () => {
    ending.abort(new DOMException('the node ends', 'AbortError'))
    await Promise.all([describing, removal])
  })

  const owned = stack.move()
  return {
    cluster: createAdministration({
      config,
      store,
      member: options.member,
      registry,
      trust,
      copies: bytes.copies,
      addresses,
    }),
    uploads: createUploads({
      store,
      index: options.index,
      references: options.known.references,
      registry,
      blobs,
      elsewhere: bytes.elsewhere,
    }),
    figures: figuresOf({ registry, copies: bytes.copies, operator, storeEndpoints }),
    gateways: () =>
      registry
        .nodes()
        .flatMap(({ id, name, publicUrl }) =>
          id === identity.id || publicUrl === null ? [] : [{ name, url: publicUrl }],
        ),
    elsewhere: elsewhereOf(bytes, files, options),
    replace: (hash) => bytes.copies.look(hash),
    async spread(hash, size) {
      const open = () => blobs.open(hash)
      // Without the role this node is in no layout, and its copy goes when the others are there.
      const isHere = config.roles.includes('media')
      await bytes.quorum.reach({ hash, size }, isHere, open, AbortSignal.timeout(spreadMs))
    },
    pictureElsewhere(library, path) {
      const node = options.places.nodeOf(library)
      return node === null || node === identity.id
        ? null
        : (asked) => files.picture(node, library, path, asked)
    },
    otherCopies: (hash) => bytes.elsewhere.inTurn(hash),
    calls,
    holders: bytes.holders,
    async announce(routes, publicUrl) {
      const server = owned.use(
        await startPeerServer({
          host: isIP(host) === 0 ? '0.0.0.0' : host,
          port: config.peerPort,
          trust,
          registry,
          routes: [
            joinRoute({ store, secret: identity.secret, storeEndpoints }),
            membershipRoute,
            peerBlobRoutes({ blobs, held, courtesy }),
            peerFileRoutes({ places: options.places, inPlace: blobs.inPlace }),
            ...routes,
          ],
          log,
        }),
      )
      port = server.port
      const parts = { config, identity, store, registry, log }
      describing = keepRolesNoted(parts, ending.signal)
      await registry.announce({ addresses: addresses(), publicUrl })
      const advertising = await advertiseNode(parts, host, addresses())
      if (advertising !== null) owned.use(advertising)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function tell(log: Logger, event: RegistryEvent): void {
  if (event.kind === 'trouble') log.warn({ err: event.error }, 'the registry met trouble')
  else if (event.kind === 'clock') log.warn(event, 'the clock of a node is wrong, or right again')
  else log.info(event, event.kind === 'joined' ? 'a node is there' : 'a node is gone')
}

/** Who is alive, and that this node is. What was known is written down for a start without the store. */
async function openOwnRegistry(options: PartOptions, signal: AbortSignal): Promise<Registry> {
  const { config, identity, store, member, blobs, load, log, onLost } = options
  return await openRegistry({
    store,
    self: {
      id: identity.id,
      place: await placeOf(config.data),
      zone: config.zone ?? config.name,
      roles: config.roles,
      version,
    },
    ttlSeconds,
    vitals: async () => {
      const { free, total } = await blobs.space()
      return { freeBytes: free, totalBytes: total, load: load() }
    },
    onEvent: (event) => tell(log, event),
    onLost,
    storeAway: !member.answered,
    memory: await openMemory(config.data, (error) =>
      log.warn({ err: error }, 'the other nodes could not be written down for the next start'),
    ),
    signal,
  })
}

/** Copies on other nodes: of a blob wherever one is, else, where the track has not been hashed yet, its own files. */
function elsewhereOf(
  bytes: ClusterBytes,
  files: FilesElsewhere,
  { config, blobs }: Pick<PartOptions, 'config' | 'blobs'>,
): Elsewhere {
  return {
    copies: ({ blob, elsewhere }, signal) =>
      blob === undefined
        ? elsewhere.map((file) => () => files.open(file, signal))
        : bytes.elsewhere.copies(blob, signal),
    async bring({ blob, title, elsewhere: [file] }, signal) {
      if (blob === undefined) {
        if (file === undefined) throw new CodedError('FILE_MISSING', title)
        return await files.bring(file, join(config.data, 'blobs', 'tmp'), signal)
      }
      await bytes.copies.bring(blob, signal)
      return await blobs.open(blob, signal)
    },
  }
}
