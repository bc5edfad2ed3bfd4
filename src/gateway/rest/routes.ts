import type { Api } from '../api.ts'
import type { GatewayOptions } from '../gateway.ts'
import type { Again } from '../media/again.ts'
import type { Archives } from '../media/archives.ts'
import type { Metrics } from '../metrics.ts'
import { ownRoutes, userRoutes } from './accounts.ts'
import { archiveRoutes } from './archives.ts'
import { catalogRoutes } from './catalog.ts'
import { clusterRoutes } from './cluster.ts'
import { connectionRoutes, serviceRoutes } from './connections.ts'
import { libraryRoutes } from './libraries.ts'
import { listeningRoutes } from './listening.ts'
import { mediaRoutes } from './media.ts'
import { nodeRoutes } from './node.ts'
import { playlistRoutes } from './playlists.ts'
import { podcastRoutes } from './podcasts.ts'
import { sessionRoutes } from './session.ts'
import { sharedRoutes } from './shared.ts'
import { shareRoutes } from './shares.ts'
import { stationRoutes } from './stations.ts'
import { uploadRoutes } from './uploads.ts'

export interface RestParts extends GatewayOptions {
  readonly setupCode: string
  readonly metrics: Metrics
  readonly again: Again
  readonly archives: Archives
  readonly startedAt: number
}

/** Everything under `/api`. */
export function restRoutes(app: Api, parts: RestParts): void {
  const { version } = parts.config
  const { streams } = parts.metrics
  sessionRoutes(app, { ...parts, version })
  ownRoutes(app, parts)
  userRoutes(app, parts)
  catalogRoutes(app, parts)
  listeningRoutes(app, parts)
  connectionRoutes(app, parts)
  serviceRoutes(app, parts)
  playlistRoutes(app, parts)
  mediaRoutes(app, { ...parts, streams })
  archiveRoutes(app, parts)
  podcastRoutes(app, { ...parts, streams })
  stationRoutes(app, { ...parts, streams })
  shareRoutes(app, { ...parts, publicUrl: parts.config.publicUrl })
  sharedRoutes(app, { ...parts, streams })
  const { node, roles, forbiddenFolders: forbidden } = parts.config
  libraryRoutes(app, { ...parts, node, roles, forbidden })
  uploadRoutes(app, parts)
  clusterRoutes(app, parts)
  nodeRoutes(app, { ...parts, version })
}
