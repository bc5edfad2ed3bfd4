import { z } from 'zod'
import type { Catalog } from '../../catalog/catalog.ts'
import type { Listening } from '../../listening/listening.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import type { Archives } from '../media/archives.ts'
import { type CollectionKind, readCollection } from '../media/collections.ts'
import { viewerOf } from './catalog.ts'

interface Parts {
  readonly catalog: Catalog
  readonly listening: Pick<Listening, 'playlist'>
  readonly archives: Archives
}

const routes: readonly {
  readonly kind: CollectionKind
  readonly url: string
  readonly operationId: string
  readonly summary: string
}[] = [
  {
    kind: 'album',
    url: '/api/albums/:id/download',
    operationId: 'downloadAlbum',
    summary: 'The songs of an album as a zip',
  },
  {
    kind: 'artist',
    url: '/api/artists/:id/download',
    operationId: 'downloadArtist',
    summary: 'The albums of an artist, and the songs elsewhere that credit them, as a zip',
  },
  {
    kind: 'playlist',
    url: '/api/playlists/:id/download',
    operationId: 'downloadPlaylist',
    summary: 'The songs of a playlist as a zip, by their numbers',
  },
]

/** More than one song at a time, to be saved. */
export function archiveRoutes(app: Api, { archives, ...parts }: Parts): void {
  for (const { kind, url, operationId, summary } of routes) {
    app.get(
      url,
      {
        config: { takesPass: true },
        schema: {
          operationId,
          summary,
          description:
            'The files as they are stored, with a Content-Length and without ranges. A song that cannot be read when ' +
            'the answer begins is left out and named in `Not included.txt`; where reading fails later, the connection ' +
            'is cut. DOWNLOADS_BUSY while the account has three under way.',
          tag: 'Media',
          params: z.object({ id }),
          response: {
            200: { description: 'The zip', content: { 'application/zip': { schema: z.unknown() } } },
          },
        },
      },
      async (request, reply) => {
        const viewer = viewerOf(request)
        await archives.send(request, reply, viewer, (signal) =>
          readCollection(parts, viewer, kind, request.params.id, signal),
        )
      },
    )
  }
}
