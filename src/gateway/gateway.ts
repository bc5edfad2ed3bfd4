import type { FastifyBaseLogger } from 'fastify'
import type { Accounts } from '../accounts/accounts.ts'
import type { Blobs } from '../blobs/blobs.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Scanner } from '../catalog/scan/scan.ts'
import type { Uploads } from '../catalog/uploads/uploads.ts'
import type { Withdraw } from '../catalog/uploads/withdraw.ts'
import type { Index } from '../index/index.ts'
import type { Listening } from '../listening/listening.ts'
import type { Media } from '../media/media.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Fetch } from '../outward/fetch.ts'
import type { Podcasts } from '../podcasts/podcasts.ts'
import type { ScanStatus } from '../protocol/api/catalog.ts'
import type { Role } from '../protocol/facts/cluster.ts'
import type { Id } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import type { ReadLyrics } from './media/lyrics.ts'
import type { Renditions } from './media/renditions.ts'
import type { Tracks } from './media/tracks.ts'
import type { Figure, StoreTimes } from './metrics.ts'
import type { OpenApiDocument } from './openapi/document.ts'
import type { Cluster } from './rest/cluster.ts'
import type { OtherGateways } from './roaming.ts'

/** The edge of a node: everything that speaks HTTP to people and programs. `createGateway` makes it. */
export interface Gateway extends AsyncDisposable {
  /** Begins to answer. PORT_IN_USE, ADDRESS_UNUSABLE. */
  listen(): Promise<{ readonly port: number; readonly url: string }>
  /**
   * What the first-run page asks for where it is not opened on this machine itself; null once an account exists.
   * It is new with every start.
   */
  readonly setupCode: string | null
  /** The description of the interface, as `/openapi.json` serves it. */
  readonly document: OpenApiDocument
  /** Every route that is registered, documented or not: a test asks each of them as nobody (law S3). */
  readonly routes: readonly {
    readonly method: string
    readonly url: string
    readonly administrator: boolean
  }[]
}

export interface GatewayConfig {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Addresses or networks of proxies whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[]
  /** Where people reach the server, without a slash at the end; undefined: wherever they ask for it. */
  readonly publicUrl: string | undefined
  /** The folder of the built web player. */
  readonly webFolder: string
  readonly version: string
  /** Who this node is in its cluster; null: it stands alone. */
  readonly node: Id | null
  /** What this node does: without `gateway` it answers the command line of its machine only. */
  readonly roles: readonly Role[]
  /** Folders that no library may touch: the data folder. */
  readonly forbiddenFolders: readonly string[]
}

/** What the gateway stands on. It only translates: whatever needs thought is done by these. */
export interface Roles {
  readonly accounts: Accounts
  readonly catalog: Catalog
  readonly scanner: Scanning
  readonly listening: Listening
  readonly outbox: Outbox
  readonly podcasts: Podcasts
  /** How internet radio is fetched. */
  readonly fetch: Fetch
  readonly media: Pick<Media, 'status'>
  readonly uploads: Pick<Uploads, 'handle' | 'list'>
  readonly withdraw: Withdraw
  readonly tracks: Pick<Tracks, 'open'>
  readonly renditions: Renditions
  readonly readLyrics: ReadLyrics
  readonly blobs: Pick<Blobs, 'space'>
  readonly store: Store
  readonly index: Pick<Index, 'waitFor' | 'revision' | 'progress' | 'subscribe' | 'statement' | 'reader'>
  /** The bytes of a tar archive of all that cannot be made again. */
  readonly backup: (signal: AbortSignal) => AsyncIterable<Uint8Array>
}

export type Scanning = Pick<Scanner, 'status' | 'subscribe' | 'scan' | 'giveWayTo'>

export interface GatewayOptions extends Roles {
  readonly config: GatewayConfig
  readonly log: FastifyBaseLogger
  /** How far this node's own scan is, for its metrics; `scanner` tells of all nodes. */
  readonly scanHere: () => ScanStatus
  /** The cluster that this node belongs to; null: it stands alone. */
  readonly cluster: Cluster | null
  /** The other gateways of the cluster. */
  readonly gateways: OtherGateways
  /** How long the store takes to answer. */
  readonly storeTimes: StoreTimes
  /** What other parts of the node count, for the metrics. */
  readonly figures: readonly Figure[]
  /** Whether a Bearer token is that of the command line on this machine, which counts as an administrator. */
  readonly isOperator: (token: string) => boolean
}
