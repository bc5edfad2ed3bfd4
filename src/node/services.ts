import { join } from 'node:path'
import type { Accounts } from '../accounts/accounts.ts'
import { createAccounts } from '../accounts/create.ts'
import { createPasswords } from '../accounts/password.ts'
import { type Catalog, createCatalog } from '../catalog/catalog.ts'
import { createRecords } from '../catalog/records.ts'
import { openUploads } from '../catalog/uploads/open.ts'
import type { Uploads } from '../catalog/uploads/uploads.ts'
import { createWithdraw } from '../catalog/uploads/withdraw.ts'
import type { Roles } from '../gateway/gateway.ts'
import { createBeside } from '../gateway/media/beside.ts'
import { createLyrics } from '../gateway/media/lyrics.ts'
import { createRenditions } from '../gateway/media/renditions.ts'
import { createTracks } from '../gateway/media/tracks.ts'
import type { Figure } from '../gateway/metrics.ts'
import type { PeerRoutes } from '../gateway/peers/server.ts'
import { createListening } from '../listening/create.ts'
import { createOriginals, nowhereElse, type Originals } from '../media/originals.ts'
import { fetchOutward } from '../outward/fetch.ts'
import { createPodcasts } from '../podcasts/create.ts'
import type { Podcasts } from '../podcasts/podcasts.ts'
import { CodedError } from '../protocol/errors.ts'
import type { FactsOptions } from './facts.ts'
import type { Foundation } from './foundation.ts'
import { createRolesApart, type RolesAnywhere, type RolesHere } from './roles/roles.ts'

/** The work of the roles. Disposing of it ends what this node does of it. */
export interface Services extends AsyncDisposable {
  /** What the gateway stands on: done here where this node has the role, else by another. */
  readonly forGateway: Omit<Roles, 'backup'>
  /** What this node answers to those that lack its roles. */
  readonly forPeers: readonly PeerRoutes[]
  readonly figures: readonly Figure[]
}

type Options = Pick<FactsOptions, 'config' | 'identity' | 'log'>

/** Errors: those of the folder of uploads. */
export async function openServices(options: Options, foundation: Foundation): Promise<Services> {
  const { config, identity, log } = options
  const { store, index, places, blobs, media, tagReader, outbox, upkeep, part } = foundation
  await using stack = new AsyncDisposableStack()
  const apart =
    identity === null || part === null
      ? null
      : createRolesApart({
          self: identity.id,
          roles: config.roles,
          calls: part.calls,
          holders: part.holders,
          nodeOf: places.nodeOf,
        })
  const passwords = createPasswords()
  const accounts = stack.use(
    createAccounts({
      store,
      index,
      secretsFolder: join(config.data, 'secrets'),
      passwords: apart?.passwords(passwords) ?? passwords,
    }),
  )
  const catalog = createCatalog({ store, index })
  const podcasts = createPodcasts({ store, index })
  const listening = stack.use(openListening(options, foundation, { accounts, catalog, podcasts }))
  const { originals, changeovers } = openOriginals(foundation)
  const tracks = createTracks({ places, originals })
  const beside = createBeside({ places, originals })
  const here: RolesHere = {
    passwords,
    scanner: upkeep.scanner,
    uploads: config.roles.includes('catalog')
      ? stack.use(await openOwnUploads(options, foundation, { accounts, catalog }))
      : null,
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
  const withdraw = createWithdraw({ index, catalog, records: createRecords(store) })

  const owned = stack.move()
  return {
    forGateway: {
      ...anywhere,
      accounts,
      catalog,
      listening,
      outbox,
      podcasts,
      fetch: fetchOutward,
      media,
      tracks,
      withdraw,
      blobs,
      store,
      index,
    },
    forPeers: apart?.routes(here, log) ?? [],
    figures: [changeovers],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A machine that stands alone does all of it itself. */
function alone({ scanner, uploads, renditions, readLyrics }: RolesHere): RolesAnywhere {
  if (uploads === null) throw new CodedError('INTERNAL', 'a machine that stands alone takes uploads')
  return { scanner, uploads, renditions, readLyrics }
}

interface People {
  readonly accounts: Accounts
  readonly catalog: Catalog
}

function openListening(
  { config, log }: Options,
  { store, index, outbox }: Foundation,
  { accounts, catalog, podcasts }: People & { readonly podcasts: Podcasts },
) {
  return createListening({
    store,
    index,
    catalog,
    isEpisode: (id) => podcasts.episode(id) !== null,
    userName: (user) => accounts.user(user)?.name,
    tell: outbox.telling,
    keptFolder: join(config.data, 'kept-plays'),
    onError: (error) => log.warn({ err: error }, 'a play that was kept could not be counted'),
  })
}

/** The bytes of tracks, wherever they lie, and how often a reader had to go on at another copy (B5). */
function openOriginals({ blobs, part, upkeep }: Foundation): {
  readonly originals: Originals
  readonly changeovers: Figure
} {
  let count = 0
  const originals = createOriginals({
    blobs,
    inPlace: blobs.inPlace,
    elsewhere: part?.elsewhere ?? nowhereElse,
    changed: upkeep.lookAgain,
    changedOver() {
      count += 1
    },
  })
  const changeovers: Figure = {
    name: 'hocket_changeovers_total',
    help: 'How often a reader went on at another copy in mid-stream',
    kind: 'counter',
    read: () => count,
  }
  return { originals, changeovers }
}

async function openOwnUploads(
  { config, log }: Options,
  { store, index, places, blobs, spread, tagReader, outbox }: Foundation,
  { accounts, catalog }: People,
): Promise<Uploads> {
  return await openUploads({
    dataFolder: config.data,
    store,
    index,
    catalog,
    places,
    openRecords: () => createRecords(store),
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
}
