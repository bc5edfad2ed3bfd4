import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import pino from 'pino'
import { createQuickPasswords } from '../../../test/fixtures/passwords.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import { accountsProjection, createAccounts } from '../../accounts/create.ts'
import { createInstallationKey } from '../../accounts/installation-key.ts'
import { openDiskBlobs } from '../../blobs/disk.ts'
import { createCatalog } from '../../catalog/catalog.ts'
import { createPlaces } from '../../catalog/places.ts'
import { createRecords } from '../../catalog/records.ts'
import { createScanner } from '../../catalog/scan/scanner.ts'
import { createTagReader } from '../../catalog/tags/reader.ts'
import { openUploads } from '../../catalog/uploads/open.ts'
import { createWithdraw } from '../../catalog/uploads/withdraw.ts'
import { openIndex } from '../../index/index.ts'
import { createListening, listeningProjection } from '../../listening/create.ts'
import { createMedia } from '../../media/media.ts'
import { createOriginals, nowhereElse } from '../../media/originals.ts'
import { createOutbox } from '../../outbox/create.ts'
import { fetchOutward } from '../../outward/fetch.ts'
import { sendOutward } from '../../outward/outward.ts'
import { createPodcasts, podcastsProjection } from '../../podcasts/create.ts'
import { keepPodcasts } from '../../podcasts/keep.ts'
import { CodedError } from '../../protocol/errors.ts'
import { allRoles } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { openSqliteStore } from '../../store/sqlite.ts'
import type { Gateway, GatewayConfig } from '../gateway.ts'
import { createBeside } from '../media/beside.ts'
import { createLyrics } from '../media/lyrics.ts'
import { createRenditions } from '../media/renditions.ts'
import { createTracks } from '../media/tracks.ts'
import { createStoreTimes } from '../metrics.ts'
import type { GatewayAddress } from '../roaming.ts'
import { createGateway } from '../server.ts'
import { type Checker, createChecker, type Description, readDocument } from './checked.ts'
import { createVisitor, type Visitor } from './visitor.ts'

/** A gateway over real roles and a data folder of its own. */
export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly url: string
  readonly checker: Checker
  /** What has been logged: one JSON text a line. */
  readonly log: () => string
  /** Nobody in particular: sends no token. */
  readonly anyone: Visitor
  /** The administrator, who has set the server up. */
  readonly administrator: Visitor
  /** A plain user, made for this. */
  person(name: string): Promise<Visitor>
  /** Another gateway over the same roles, which does not listen yet: theirs are the threads that are dear to start. */
  another(config: Partial<GatewayConfig>): Promise<Gateway>
}

const catalogProjection = new URL('../../catalog/index/projection.ts', import.meta.url)

export const password = 'a password of some length'
export const operatorToken = 'the-token-of-the-command-line'

/** By the routes that a gateway has, which are the same for almost all of a process. */
const described = new Map<string, Description>()

function describe(gateway: Gateway): Description {
  const routes = JSON.stringify(gateway.routes)
  const known = described.get(routes) ?? readDocument(gateway.document)
  described.set(routes, known)
  return known
}

export async function openTestGateway(
  config: Partial<GatewayConfig> = {},
  {
    setUp = true,
    others = [],
  }: { readonly setUp?: boolean; readonly others?: readonly GatewayAddress[] } = {},
): Promise<TestGateway> {
  await using stack = new AsyncDisposableStack()
  const data = await mkdtemp(join(tmpdir(), 'hocket-gateway-'))
  stack.defer(() => rm(data, { recursive: true, force: true, maxRetries: 3 }))
  let logged = ''
  const log = pino(
    { level: 'debug' },
    new Writable({
      write(chunk, _encoding, done) {
        logged += chunk
        done()
      },
    }),
  )

  const store = stack.use(await openSqliteStore(join(data, 'store.db')))
  const index = stack.use(
    await openIndex({
      path: join(data, 'index.db'),
      store,
      projections: [accountsProjection, catalogProjection, listeningProjection, podcastsProjection],
    }),
  )
  const accounts = stack.use(
    createAccounts({
      store,
      index,
      secretsFolder: join(data, 'secrets'),
      passwords: createQuickPasswords(),
    }),
  )
  const blobs = stack.use(
    await openDiskBlobs(data, { cacheBytes: 1 << 20, otherCopies: () => [], report: () => undefined }),
  )
  const originals = createOriginals({
    blobs,
    inPlace: blobs.inPlace,
    elsewhere: nowhereElse,
    changed: () => undefined,
    changedOver: () => undefined,
  })
  const tagReader = stack.use(createTagReader())
  const places = createPlaces(index, null)
  const scanner = stack.use(createScanner({ store, index, places, reader: tagReader }))
  const media = stack.use(
    createMedia({
      cacheFolder: join(data, 'cache'),
      audioCacheBytes: 1 << 24,
      coverCacheBytes: 1 << 24,
      report: () => undefined,
    }),
  )
  const tracks = createTracks({ places, originals })
  const beside = createBeside({ places, originals })
  const catalog = createCatalog({ store, index })
  const installationKey = createInstallationKey(store, join(data, 'secrets'))
  const personOf = async (user: Id) => {
    const person = accounts.user(user)
    return person === null || person.disabled ? null : { administrator: person.role === 'administrator' }
  }
  const outbox = createOutbox({
    store,
    person: personOf,
    secrets: {
      encrypt: async (text, purpose) => (await installationKey.get()).encrypt(text, purpose),
      decrypt: async (sealed, purpose) => (await installationKey.get()).decrypt(sealed, purpose),
    },
    send: sendOutward,
  })
  const uploads = stack.use(
    await openUploads({
      dataFolder: data,
      store,
      index,
      catalog,
      places,
      openRecords: () => createRecords(store),
      blobs,
      spread: async () => undefined,
      tagReader,
      tell: outbox.telling,
      uploader(user) {
        const person = accounts.user(user)
        if (person === null || person.disabled) return null
        return { administrator: person.role === 'administrator', quotaBytes: person.quotaBytes ?? 1 << 24 }
      },
      onError: (error) => log.error({ err: error }, 'an upload could not be finished'),
    }),
  )
  const podcasts = createPodcasts({ store, index })
  const listening = stack.use(
    createListening({
      store,
      index,
      catalog,
      isEpisode: (id) => podcasts.episode(id) !== null,
      userName: (id) => accounts.user(id)?.name,
      tell: outbox.telling,
      keptFolder: join(data, 'kept-plays'),
      onError: (error) => log.error({ err: error }, 'a play that was kept could not be counted'),
    }),
  )
  const create = (changes: Partial<GatewayConfig>) =>
    createGateway({
      config: {
        host: '127.0.0.1',
        port: 0,
        trustedProxies: [],
        publicUrl: undefined,
        webFolder: join(data, 'web'),
        version: '0.0.0-test',
        node: null,
        roles: allRoles,
        forbiddenFolders: [data],
        ...changes,
      },
      log,
      cluster: null,
      gateways: () => others,
      storeTimes: createStoreTimes(),
      figures: [],
      store,
      index,
      accounts,
      blobs,
      tracks,
      renditions: createRenditions({ media, tracks, beside, pictureElsewhere: () => null, tagReader }),
      readLyrics: createLyrics({ tracks, beside, tagReader }),
      isOperator: (token) => token === operatorToken,
      catalog,
      scanner,
      scanHere: () => scanner.status,
      uploads,
      withdraw: createWithdraw({ index, catalog, records: createRecords(store) }),
      media,
      listening,
      outbox,
      podcasts,
      fetch: fetchOutward,
      async *backup() {
        yield Buffer.from('the bytes ')
        yield Buffer.from('of an archive')
      },
    })
  const gateway = stack.use(await create(config))
  const { url } = await gateway.listen()
  const ending = new AbortController()
  const keeping = keepPodcasts(
    {
      store,
      index,
      blobs,
      spread: async () => undefined,
      async readAudio(path, signal) {
        const [reading] = await tagReader.readTags([path], signal)
        if (reading?.ok !== true) throw new CodedError(reading?.fault.code ?? 'READER_FAILED')
        return reading.audio
      },
      fetch: fetchOutward,
      person: personOf,
      onError: (error) => log.error({ err: error }, 'podcasts met trouble'),
    },
    { signal: ending.signal, commit: async (transaction) => (await store.commit(transaction)).ok },
  )
  stack.defer(async () => {
    ending.abort()
    await keeping
  })
  await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { what: 'the gateway to be ready' })
  const checker = createChecker(describe(gateway))
  const anyone = createVisitor(url, checker)
  const administrator = setUp ? await anyone.enter('/api/setup', { name: 'ada', password }) : anyone
  const owned = stack.move()
  return {
    gateway,
    url,
    checker,
    anyone,
    administrator,
    log: () => logged,
    another: create,
    async person(name) {
      await administrator.post('/api/users', { name, password })
      return anyone.enter('/api/session', { name, password })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
