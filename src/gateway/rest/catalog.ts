import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import {
  albumDetail,
  albumQuery,
  albumSummary,
  artistDetail,
  artistQuery,
  artistSummary,
  catalogCounts,
  folderContent,
  genreSummary,
  knownTrack,
  letterSummary,
  page,
  searchQuery,
  searchResult,
  trackQuery,
  trackSummary,
  yearSummary,
} from '../../protocol/api/catalog.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { isAdministrator, signedInAs } from '../authentication.ts'
import { ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'

const tag = 'Catalog'
const byId = z.object({ id })
const byLibrary = z.object({ library: id.optional() })

/** Albums, artists, tracks, genres, folders, search: all that there is to browse. */
export function catalogRoutes(app: Api, { catalog }: { readonly catalog: Catalog }): void {
  app.get(
    '/api/albums',
    {
      schema: {
        operationId: 'listAlbums',
        summary: 'A page of the albums',
        tag,
        querystring: albumQuery,
        response: ok(page(albumSummary), 'The page'),
      },
    },
    (request, reply) => catalog.albums(viewerOf(request), request.query, signalOf(reply)),
  )

  app.get(
    '/api/albums/:id',
    {
      schema: {
        operationId: 'readAlbum',
        summary: 'An album with its tracks',
        tag,
        params: byId,
        response: ok(albumDetail, 'The album'),
      },
    },
    (request, reply) => catalog.album(viewerOf(request), request.params.id, signalOf(reply)),
  )

  app.get(
    '/api/artists',
    {
      schema: {
        operationId: 'listArtists',
        summary: 'A page of the artists',
        tag,
        querystring: artistQuery,
        response: ok(page(artistSummary), 'The page'),
      },
    },
    (request, reply) => catalog.artists(viewerOf(request), request.query, signalOf(reply)),
  )

  app.get(
    '/api/artists/:id',
    {
      schema: {
        operationId: 'readArtist',
        summary: 'An artist with their albums and most played tracks',
        tag,
        params: byId,
        response: ok(artistDetail, 'The artist'),
      },
    },
    (request, reply) => catalog.artist(viewerOf(request), request.params.id, signalOf(reply)),
  )

  app.get(
    '/api/tracks',
    {
      schema: {
        operationId: 'listTracks',
        summary: 'A page of the tracks',
        tag,
        querystring: trackQuery,
        response: ok(page(trackSummary), 'The page'),
      },
    },
    (request, reply) => catalog.tracks(viewerOf(request), request.query, signalOf(reply)),
  )

  app.get(
    '/api/tracks/:id',
    {
      schema: {
        operationId: 'readTrack',
        summary: 'A track with all its tags',
        tag,
        params: byId,
        response: ok(
          knownTrack,
          'The track; without `tags`, `audio` and `withdrawable` while the store does not answer',
        ),
      },
    },
    (request, reply) => catalog.knownTrack(viewerOf(request), request.params.id, signalOf(reply)),
  )

  app.post(
    '/api/tracks/lookup',
    {
      schema: {
        operationId: 'lookUpTracks',
        summary: 'Up to 500 tracks by their ids',
        changesNothing: true,
        tag,
        body: z.object({ ids: z.array(id).max(500) }),
        response: ok(
          z.object({ items: z.array(trackSummary.nullable()) }),
          'The tracks in the order asked for; null where there is none that the account may see',
        ),
      },
    },
    async (request, reply) => ({
      items: await catalog.tracksByIds(viewerOf(request), request.body.ids, signalOf(reply)),
    }),
  )

  app.get(
    '/api/genres',
    {
      schema: {
        operationId: 'listGenres',
        summary: 'All genres',
        tag,
        querystring: byLibrary,
        response: ok(z.object({ items: z.array(genreSummary) }), 'The genres'),
      },
    },
    async (request, reply) => ({
      items: await catalog.genres(viewerOf(request), request.query.library, signalOf(reply)),
    }),
  )

  app.get(
    '/api/years',
    {
      schema: {
        operationId: 'listYears',
        summary: 'The years of the albums',
        tag,
        querystring: byLibrary,
        response: ok(z.object({ items: z.array(yearSummary) }), 'The years'),
      },
    },
    async (request, reply) => ({
      items: await catalog.years(viewerOf(request), request.query.library, signalOf(reply)),
    }),
  )

  app.get(
    '/api/letters',
    {
      schema: {
        operationId: 'listLetters',
        summary: 'Where each letter begins in a list in the order of names',
        tag,
        querystring: byLibrary.extend({ list: z.enum(['albums', 'artists', 'tracks']) }),
        response: ok(z.object({ items: z.array(letterSummary) }), 'The letters'),
      },
    },
    async (request, reply) => {
      const { list, library } = request.query
      return { items: await catalog.letters(viewerOf(request), list, library, signalOf(reply)) }
    },
  )

  app.get(
    '/api/folders',
    {
      schema: {
        operationId: 'readFolder',
        summary: 'What lies in a folder of a library',
        tag,
        querystring: z.object({ library: id, path: z.string().max(20_000).default('') }),
        response: ok(folderContent, 'Its folders and tracks'),
      },
    },
    (request, reply) => {
      const { library, path } = request.query
      return catalog.folder(viewerOf(request), library, path, signalOf(reply))
    },
  )

  app.get(
    '/api/search',
    {
      schema: {
        operationId: 'search',
        summary: 'What fits the words, as they are typed',
        tag,
        querystring: searchQuery,
        response: ok(searchResult, 'The best matches first'),
      },
    },
    (request, reply) => catalog.search(viewerOf(request), request.query, signalOf(reply)),
  )

  app.get(
    '/api/counts',
    {
      schema: {
        operationId: 'readCounts',
        summary: 'How much there is',
        tag,
        querystring: byLibrary,
        response: ok(catalogCounts, 'The counts'),
      },
    },
    (request, reply) => catalog.counts(viewerOf(request), request.query.library, signalOf(reply)),
  )
}

/** Who asks, as the catalog wants to know it. */
export function viewerOf(request: FastifyRequest): Viewer {
  return { user: signedInAs(request).user.id, administrator: isAdministrator(request) }
}

/** Who sees everything, without being anybody. */
export const everything: Viewer = { user: '00000000-0000-0000-0000-000000000000', administrator: true }

/** As `viewerOf`, for what the command line of this machine may read too, which is nobody and sees everything. */
export function readerOf(request: FastifyRequest): Viewer {
  return request.operator ? everything : viewerOf(request)
}
