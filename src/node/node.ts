import { join } from 'node:path'
import type { Logger } from 'pino'
import { accountsProjection, createAccounts } from '../accounts/create.ts'
import { createInstallationKey } from '../accounts/installation-key.ts'
import { createPasswords } from '../accounts/password.ts'
import { type DiskBlobs, openDiskBlobs } from '../blobs/disk.ts'
import { sweepTemporary } from '../blobs/temporary.ts'
import { createCatalog } from '../catalog/catalog.ts'
import { createCopies } from '../catalog/copies.ts'
import { createPlaces } from '../catalog/places.ts'
import { createRecords } from '../catalog/records.ts'
import { createTagReader } from '../catalog/tags/reader.ts'
import { openUploads } from '../catalog/uploads/open.ts'
import { createWithdraw } from '../catalog/uploads/withdraw.ts'
import { createBeside } from '../gateway/media/beside.ts'
import { createLyrics } from '../gateway/media/lyrics.ts'
import { createRenditions } from '../gateway/media/renditions.ts'
import { createTracks } from '../gateway/media/tracks.ts'
import { createStoreTimes } from '../gateway/metrics.ts'
import { createGateway } from '../gateway/server.ts'
import { openIndex } from '../index/index.ts'
import { createListening, listeningProjection } from '../listening/create.ts'
import { createMedia } from '../media/media.ts'
import { createOriginals, nowhereElse } from '../media/originals.ts'
import type { Term } from '../operator/leadership.ts'
import { createPodcasts, podcastsProjection } from '../podcasts/create.ts'
import { CodedError } from '../protocol/errors.ts'
import { allRoles } from '../protocol/facts/cluster.ts'
import type { BlobHash } from '../protocol/ids.ts'
import { wasRemoved } from '../registry/trust/identity.ts'
import { requireFacts } from '../store/move.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { timed } from '../store/timed.ts'
import { loopbackOf, publicUrlOf } from './addresses.ts'
import { ensureAdministrator, filledWithin } from './administrator.ts'
import { type BackupBlobs, backUp } from './backup/backup.ts'
import { loadOfProcess } from './cluster/load.ts'
import { readMembership } from './cluster/membership.ts'
import { type ClusterPart, openClusterPart } from './cluster/part.ts'
import { openStoreOfCluster } from './cluster/store.ts'
import type { Config } from './config.ts'
import { isLocalToken, newLocalToken, publishLocal } from './local.ts'
import { lockDataFolder } from './lock.ts'
import { announceScans, createNodeOutbox, holdOfficeAlone } from './outbox.ts'
import { createPodcastKeeper, withPodcasts } from './podcasts.ts'
import { createRolesApart, type RolesAnywhere, type RolesHere } from './roles/roles.ts'
import { createUpkeep } from './upkeep.ts'
import { version } from './version.ts'

/** A running node. Disposing of it lets answers that have begun end, then closes everything in order. */
export interface Node extends AsyncDisposable {
  /** Where people reach it. */
  readonly url: string
  /** What the first-run page asks for from other machines; null once there is an account. */
  readonly setupCode: string | null
}

/** Memory for pages of audio that are being read. */
const blobCacheBytes = 16 * 1024 * 1024
/** How long a start waits for an index that is being rebuilt; a longer rebuild shows at /readyz instead. */
const fillPatienceMs = 5_000
const webFolder = join(import.meta.dirname, '..', '..', 'dist', 'web')

/**
 * Puts the roles together on one machine, and answers when people can reach them. What was opened when something fails
 * is closed again. Errors: those of the lock, the store, the index and the port (PORT_IN_USE).
 */
export async function startNode(
  config: Config,
  log: Logger,
  signal: AbortSignal,
  onLost: (error: Error) => void = () => undefined,
): Promise<Node> {
  await using stack = new AsyncDisposableStack()
  const { data, roles } = config
  stack.use(await lockDataFolder(data))
  await sweepTemporary(data)

  const identity = await readMembership(data)
  if (identity !== null && wasRemoved(data)) throw new CodedError('NODE_REMOVED')
  if (identity === null && roles.length < allRoles.length)
    throw new CodedError(
      'SETTING_INVALID',
      '--roles: a machine that stands alone does everything; leave it out',
    )
  const clusterStore =
    identity === null ? null : stack.use(await openStoreOfCluster({ config, identity, log, signal, onLost }))
  const storeTimes = createStoreTimes()
  const store = timed(
    clusterStore?.store ?? stack.use(await openFile(join(data, 'store.db'), signal)),
    storeTimes.observe,
  )
  const node = identity?.id ?? null
  const index = stack.use(
    await openIndex({
      path: join(data, 'index.db'),
      store,
      storeAway: clusterStore?.answered === false,
      projections: [
        accountsProjection,
        new URL('../catalog/index/projection.ts', import.meta.url),
        listeningProjection,
        podcastsProjection,
      ],
      signal,
      report: (report) => log.warn(report, 'the index met trouble'),
    }),
  )
  const places = createPlaces(index, node)
  const copies = withPodcasts(createCopies(index, places), index)
  let part: ClusterPart | null = null
  const blobs: DiskBlobs = stack.use(
    await openDiskBlobs(data, {
      cacheBytes: blobCacheBytes,
      otherCopies: (hash) => otherCopies(hash),
      report(event) {
        log.warn(event, event.kind === 'healed' ? 'a blob was healed' : 'bytes are damaged')
        if (event.file !== undefined) upkeep.noteDamage(event.file)
        else if (event.kind === 'corrupt') part?.replace(event.hash)
      },
    }),
  )
  /** For healing: first what lies here, then what other nodes have. */
  async function* otherCopies(hash: BlobHash) {
    yield* copies.inMusicFolders(hash, blobs.inPlace)
    if (part !== null) yield* part.otherCopies(hash)
  }
  const media = stack.use(
    createMedia({
      cacheFolder: join(data, 'cache'),
      audioCacheBytes: config.audioCacheBytes,
      coverCacheBytes: config.coverCacheBytes,
      report(problem) {
        log.warn(problem, 'a picture cannot be read')
        const { place, code, detail } = problem
        if (place !== undefined) upkeep.note({ ...place, code, detail })
      },
    }),
  )
  const tagReader = stack.use(createTagReader())

  const installationKey = createInstallationKey(store, join(data, 'secrets'))
  const { outbox, person, deliver, tell } = createNodeOutbox({ store, installationKey, log })
  const spread = async (hash: BlobHash, size: number) => part?.spread(hash, size)
  const keepPodcasts = createPodcastKeeper({ store, index, blobs, spread, tagReader, person, log })
  const upkeep = stack.use(
    createUpkeep({ config, log, store, index, blobs, copies, places, node, tagReader }),
  )
  part =
    identity === null || clusterStore === null
      ? null
      : stack.use(
          await openClusterPart(
            {
              config,
              identity,
              store,
              member: clusterStore,
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
  const apart =
    part === null || identity === null
      ? null
      : createRolesApart({
          self: identity.id,
          roles,
          calls: part.calls,
          holders: part.holders,
          nodeOf: places.nodeOf,
        })
  const passwords = createPasswords()
  const accounts = stack.use(
    createAccounts({
      store,
      index,
      secretsFolder: join(data, 'secrets'),
      passwords: apart?.passwords(passwords) ?? passwords,
    }),
  )
  const catalog = createCatalog({ store, index })
  const podcasts = createPodcasts({ store, index })
  const listening = stack.use(
    createListening({
      store,
      index,
      catalog,
      isEpisode: (id) => podcasts.episode(id) !== null,
      userName: (user) => accounts.user(user)?.name,
      tell: outbox.telling,
      keptFolder: join(data, 'kept-plays'),
      onError: (error) => log.warn({ err: error }, 'a play that was kept could not be counted'),
    }),
  )
  let changeovers = 0
  const originals = createOriginals({
    blobs,
    inPlace: blobs.inPlace,
    elsewhere: part?.elsewhere ?? nowhereElse,
    changed: upkeep.lookAgain,
    changedOver() {
      changeovers += 1
    },
  })
  const tracks = createTracks({ places, originals })
  const beside = createBeside({ places, originals })
  const records = createRecords(store)
  const openOwnUploads = () =>
    openUploads({
      dataFolder: data,
      store,
      index,
      catalog,
      places,
      records,
      blobs,
      spread,
      tagReader,
      tell: outbox.telling,
      uploader(user) {
        const person = accounts.user(user)
        if (person === null || person.disabled) return null
        const quotaBytes = person.quotaBytes ?? config.uploadQuotaBytes
        return { administrator: person.role === 'administrator', quotaBytes }
      },
      onError: (error) => log.error({ err: error }, 'an upload could not be finished'),
    })
  const here = {
    passwords,
    scanner: upkeep.scanner,
    uploads: roles.includes('catalog') ? stack.use(await openOwnUploads()) : null,
    renditions: createRenditions({
      media,
      tracks,
      beside,
      pictureElsewhere: (library, path) => part?.pictureElsewhere(library, path) ?? null,
      tagReader,
    }),
    readLyrics: createLyrics({ tracks, beside, tagReader }),
  }
  const anywhere = apart?.anywhere(here, tracks, stack) ?? alone(here)

  const isFilled = await filledWithin(index, fillPatienceMs, signal)
  if (!isFilled) log.info('the index is being filled from the facts; answers are refused until it is whole')
  await ensureAdministrator({ config, log, index, accounts }, isFilled && roles.includes('accounts'), signal)

  const token = newLocalToken()
  const gateway = stack.use(
    await createGateway({
      config: {
        host: config.host,
        port: config.port,
        trustedProxies: config.trustedProxies,
        publicUrl: config.publicUrl,
        webFolder,
        version,
        node,
        roles,
        forbiddenFolders: [data],
      },
      log,
      cluster: part?.cluster ?? null,
      gateways: part?.gateways ?? (() => []),
      storeTimes,
      figures: [
        {
          name: 'hocket_changeovers_total',
          help: 'How often a reader went on at another copy in mid-stream',
          kind: 'counter',
          read: () => changeovers,
        },
        ...(part?.figures ?? []),
      ],
      ...anywhere,
      scanHere: () => upkeep.scanner.status,
      accounts,
      catalog,
      listening,
      outbox,
      podcasts,
      media,
      tracks,
      withdraw: createWithdraw({ index, catalog, records }),
      blobs,
      store,
      index,
      backup: (backupSignal) =>
        backUp({ store, blobs: part?.uploads ?? ownBlobs(blobs), data, version }, backupSignal),
      isOperator: (presented) => isLocalToken(token, presented),
    }),
  )
  const { port, url } = await gateway.listen()
  stack.use(await publishLocal(data, { address: `http://${loopbackOf(config.host)}:${port}`, token }))
  const publicUrl = config.publicUrl ?? publicUrlOf(config, { port, url })
  await part?.announce(apart?.routes(here, log) ?? [], roles.includes('gateway') ? publicUrl : null)
  if (part === null) {
    const work = async (term: Term) => {
      await Promise.all([deliver(term), keepPodcasts(term)])
    }
    stack.use(holdOfficeAlone(store, work, log))
  }
  stack.defer(announceScans(upkeep.scanner, outbox, log))
  upkeep.begin()

  const owned = stack.move()
  return {
    url: config.publicUrl ?? url,
    get setupCode() {
      return gateway.setupCode
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A machine that stands alone does all of it itself. */
function alone({ scanner, uploads, renditions, readLyrics }: RolesHere): RolesAnywhere {
  if (uploads === null) throw new CodedError('INTERNAL', 'a machine that stands alone takes uploads')
  return { scanner, uploads, renditions, readLyrics }
}

/** The store of a machine that stands alone. */
async function openFile(path: string, signal: AbortSignal): Promise<Store> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await openSqliteStore(path, { signal }))
  await requireFacts(store, signal)
  stack.move()
  return store
}

/** All that lies in the data folder of a machine that stands alone. */
function ownBlobs(blobs: DiskBlobs): BackupBlobs {
  return { list: (signal) => blobs.list(undefined, signal), open: (hash, signal) => blobs.open(hash, signal) }
}
