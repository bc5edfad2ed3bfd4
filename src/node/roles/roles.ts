import type { FastifyBaseLogger } from 'fastify'
import type { Passwords } from '../../accounts/password.ts'
import type { Uploads } from '../../catalog/uploads/uploads.ts'
import type { Scanning } from '../../gateway/gateway.ts'
import type { ReadLyrics } from '../../gateway/media/lyrics.ts'
import type { Renditions } from '../../gateway/media/renditions.ts'
import type { Tracks } from '../../gateway/media/tracks.ts'
import { peerPasswordRoutes } from '../../gateway/peers/passwords.ts'
import { peerLyricsRoute, peerRenditionRoutes } from '../../gateway/peers/renditions.ts'
import { peerScanRoutes } from '../../gateway/peers/scan.ts'
import type { PeerRoutes } from '../../gateway/peers/server.ts'
import { peerUploadRoutes } from '../../gateway/peers/uploads.ts'
import type { Role } from '../../protocol/facts/cluster.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Calls } from '../../registry/calls.ts'
import { createLyricsAnywhere } from './lyrics.ts'
import { createPasswordsElsewhere } from './passwords.ts'
import { createRenditionsElsewhere } from './renditions.ts'
import { createScanningEverywhere } from './scanning.ts'
import { createTurns } from './turns.ts'
import { createUploadsEverywhere } from './uploads.ts'

/** What of the roles is done on this node itself. */
export interface RolesHere {
  readonly passwords: Passwords
  readonly scanner: Scanning
  /** Null without the role `catalog`. */
  readonly uploads: Uploads | null
  readonly renditions: Renditions
  readonly readLyrics: ReadLyrics
}

/** What the gateway is given: the work of the roles, wherever it is done. */
export interface RolesAnywhere {
  readonly scanner: Scanning
  readonly uploads: Pick<Uploads, 'handle' | 'list'>
  readonly renditions: Renditions
  readonly readLyrics: ReadLyrics
}

export interface ApartOptions {
  readonly self: Id
  readonly roles: readonly Role[]
  readonly calls: Calls
  readonly holders: (hash: BlobHash) => readonly Id[]
  readonly nodeOf: (library: Id) => Id | null
}

/** The roles of a cluster as one of its nodes reaches them: each at this node where it has the role. */
export function createRolesApart(options: ApartOptions) {
  const { self, roles, calls, holders, nodeOf } = options
  const has = (role: Role) => roles.includes(role)
  const turns = createTurns(calls, self)

  return {
    passwords: (here: Passwords) => (has('accounts') ? here : createPasswordsElsewhere(calls, turns)),

    /** `stack` ends what follows other nodes. */
    anywhere(here: RolesHere, tracks: Tracks, stack: AsyncDisposableStack): RolesAnywhere {
      const scanner = has('catalog') ? here.scanner : null
      return {
        scanner: stack.use(createScanningEverywhere({ self, calls, here: scanner })),
        uploads: createUploadsEverywhere({ self, calls, here: here.uploads }),
        renditions: has('media')
          ? here.renditions
          : createRenditionsElsewhere({ calls, turns, tracks, holders, nodeOf }),
        readLyrics: createLyricsAnywhere({
          self,
          calls,
          turns,
          here: has('media') ? here.readLyrics : null,
          nodeOf,
        }),
      }
    },

    /** What this node answers to those that lack its roles. */
    routes(
      { passwords, scanner, uploads, renditions, readLyrics }: RolesHere,
      log: FastifyBaseLogger,
    ): PeerRoutes[] {
      return [
        ...(has('accounts') ? [peerPasswordRoutes(passwords)] : []),
        ...(has('catalog') ? [peerScanRoutes(scanner, log)] : []),
        ...(uploads === null ? [] : [peerUploadRoutes(uploads)]),
        ...(has('media') ? [peerRenditionRoutes(renditions)] : []),
        ...(has('media') || has('catalog') ? [peerLyricsRoute(readLyrics)] : []),
      ]
    },
  }
}
