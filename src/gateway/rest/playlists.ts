import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Listening } from '../../listening/listening.ts'
import { attachment } from '../../media/serve/disposition.ts'
import { trackSummary } from '../../protocol/api/catalog.ts'
import {
  importResult,
  playlistChange,
  playlistDetail,
  playlistInput,
  playlistSummary,
} from '../../protocol/api/listening.ts'
import { rules } from '../../protocol/facts/listening.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { written } from '../freshness.ts'
import { done, made, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'

const tag = 'Playlists'
const byId = z.object({ id })
const m3uTypes = ['audio/x-mpegurl', 'audio/mpegurl', 'application/vnd.apple.mpegurl', 'text/plain'] as const

/** Most bytes of an imported file: more than 20,000 lines need. */
const importLimit = 8 * 1024 * 1024

/** Plain and smart playlists, and the M3U files that carry them elsewhere. */
export function playlistRoutes(app: Api, { listening }: { readonly listening: Listening }): void {
  app.get(
    '/api/playlists',
    {
      schema: {
        operationId: 'listPlaylists',
        summary: 'The playlists that this account may read',
        tag,
        response: ok(z.object({ items: z.array(playlistSummary) }), 'The playlists'),
      },
    },
    async (request, reply) => ({ items: await listening.playlists(viewerOf(request), signalOf(reply)) }),
  )

  app.post(
    '/api/playlists',
    {
      schema: {
        operationId: 'createPlaylist',
        summary: 'Make a playlist; with rules, a smart one',
        tag,
        body: playlistInput,
        response: made(playlistDetail, 'The playlist'),
      },
    },
    async (request, reply) =>
      written(
        reply.code(201),
        await listening.createPlaylist(viewerOf(request), request.body, signalOf(reply)),
      ),
  )

  app.post(
    '/api/playlists/preview',
    {
      schema: {
        operationId: 'previewRules',
        summary: 'What a smart playlist with these rules would hold',
        changesNothing: true,
        tag,
        body: rules,
        response: ok(z.object({ items: z.array(trackSummary), total: z.int() }), 'Its first tracks'),
      },
    },
    (request, reply) => listening.preview(viewerOf(request), request.body, signalOf(reply)),
  )

  app.get(
    '/api/playlists/:id',
    {
      schema: {
        operationId: 'readPlaylist',
        summary: 'A playlist with its tracks',
        tag,
        params: byId,
        response: ok(playlistDetail, 'The playlist'),
      },
    },
    (request, reply) => listening.playlist(viewerOf(request), request.params.id, signalOf(reply)),
  )

  app.patch(
    '/api/playlists/:id',
    {
      schema: {
        operationId: 'changePlaylist',
        summary: 'Change a playlist: its name, who may read it, its tracks or rules',
        tag,
        params: byId,
        body: playlistChange,
        response: ok(playlistDetail, 'The playlist as it is now'),
      },
    },
    async (request, reply) =>
      written(
        reply,
        await listening.changePlaylist(viewerOf(request), request.params.id, request.body, signalOf(reply)),
      ),
  )

  app.delete(
    '/api/playlists/:id',
    {
      schema: {
        operationId: 'deletePlaylist',
        summary: 'Delete a playlist',
        tag,
        params: byId,
        response: done('Deleted'),
      },
    },
    async (request, reply) =>
      written(
        reply.code(204),
        await listening.removePlaylist(viewerOf(request), request.params.id, signalOf(reply)),
      ),
  )

  app.get(
    '/api/playlists/:id/m3u',
    {
      schema: {
        operationId: 'exportPlaylist',
        summary: 'A playlist as an M3U file',
        tag,
        params: byId,
        response: {
          200: { description: 'The file', content: { 'audio/x-mpegurl': { schema: z.string() } } },
        },
      },
    },
    async (request, reply) => {
      const { name, text } = await listening.exportPlaylist(
        viewerOf(request),
        request.params.id,
        signalOf(reply),
      )
      return reply
        .type('audio/x-mpegurl; charset=utf-8')
        .header('content-disposition', attachment(`${name}.m3u8`))
        .send(text)
    },
  )

  app.register(async (scope) => {
    scope.addContentTypeParser([...m3uTypes], { parseAs: 'string' }, (_request, body, parsed) =>
      parsed(null, body),
    )
    scope.withTypeProvider<ZodTypeProvider>().post(
      '/api/playlists/import',
      {
        bodyLimit: importLimit,
        schema: {
          operationId: 'importPlaylist',
          summary: 'Make a playlist from an M3U file',
          tag,
          querystring: z.object({ name: z.string().min(1).max(300).default('Imported') }),
          consumes: m3uTypes,
          body: z.string(),
          response: made(importResult, 'The playlist, and the lines that named no track'),
        },
      },
      async (request, reply) =>
        written(
          reply.code(201),
          await listening.importPlaylist(
            viewerOf(request),
            request.query.name,
            request.body,
            signalOf(reply),
          ),
        ),
    )
  })
}
