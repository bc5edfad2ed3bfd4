import { z } from 'zod'
import type { Catalog } from '../../catalog/catalog.ts'
import type { Listening } from '../../listening/listening.ts'
import { renditionFormats } from '../../media/transcode/transcoder.ts'
import type { Podcasts } from '../../podcasts/podcasts.ts'
import { lyrics } from '../../protocol/api/catalog.ts'
import { CodedError } from '../../protocol/errors.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import type { Again } from '../media/again.ts'
import { sendMade, sendStored } from '../media/audio.ts'
import { podcastPicture } from '../media/episodes.ts'
import type { ReadLyrics } from '../media/lyrics.ts'
import { sendCover, sendPicture } from '../media/pictures.ts'
import type { Renditions } from '../media/renditions.ts'
import type { Tracks } from '../media/tracks.ts'
import type { Metrics } from '../metrics.ts'
import { bytes, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'
import { requireStation } from './stations.ts'

interface Parts {
  readonly catalog: Catalog
  readonly listening: Pick<Listening, 'playlistTracks' | 'stations'>
  readonly podcasts: Pick<Podcasts, 'channel' | 'episode'>
  readonly tracks: Pick<Tracks, 'open'>
  readonly renditions: Renditions
  readonly readLyrics: ReadLyrics
  readonly streams: Metrics['streams']
  readonly again: Pick<Again, 'remember'>
}

const tag = 'Media'
const byId = z.object({ id })
export const version = z
  .string()
  .max(200)
  .optional()
  .describe('The version of the summary: the answer may be kept for ever')
export const coverSize = z.coerce
  .number()
  .int()
  .min(16)
  .max(4_096)
  .optional()
  .describe('The longest edge in pixels')

export const stored = z.object({ v: version, download: z.literal('1').optional().describe('Save as a file') })
export const transcoded = z.object({
  format: z.enum(renditionFormats).default('opus'),
  bitrate: z.coerce.number().int().min(6).max(512).default(128).describe('kbit/s'),
  offsetMs: z.coerce.number().int().min(0).default(0).describe('Where to begin'),
  v: version,
})

/** Audio, lyrics and covers. */
export function mediaRoutes(app: Api, parts: Parts): void {
  const { catalog, readLyrics, again } = parts

  app.get(
    '/api/tracks/:id/audio',
    {
      config: { takesPass: true },
      schema: {
        operationId: 'readAudio',
        summary: "A track's file as it is stored",
        description: 'With Range, If-Range, ETag and HEAD as in RFC 9110.',
        tag,
        params: byId,
        querystring: stored,
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const source = catalog.source(viewerOf(request), request.params.id)
      const { v, download } = request.query
      if (download === undefined) again.remember(request, reply, source, v)
      const downloadAs = download === undefined ? undefined : `${source.title}.${source.suffix}`
      await sendStored(parts, request, reply, source, { v, downloadAs })
    },
  )

  app.get(
    '/api/tracks/:id/transcode',
    {
      config: { takesPass: true },
      schema: {
        operationId: 'transcode',
        summary: 'A track in another format or bitrate',
        description: 'The stored file itself where it already is what was asked for.',
        tag,
        params: byId,
        querystring: transcoded,
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const { format, bitrate, offsetMs, v } = request.query
      const source = catalog.source(viewerOf(request), request.params.id)
      await sendMade(parts, request, reply, source, { format, bitrateKbps: bitrate, offsetMs, v })
    },
  )

  app.get(
    '/api/tracks/:id/lyrics',
    {
      schema: {
        operationId: 'readLyrics',
        summary: 'The lyrics of a track, synchronised ones first',
        tag,
        params: byId,
        response: ok(lyrics, 'The lyrics; empty where there are none'),
      },
    },
    (request, reply) => readLyrics(catalog.source(viewerOf(request), request.params.id), signalOf(reply)),
  )

  app.get(
    '/api/covers/:kind/:id',
    {
      config: { takesPass: true },
      schema: {
        operationId: 'readCover',
        summary: 'A picture of something: its cover, or a drawn placeholder',
        tag,
        params: z.object({
          kind: z.enum(['track', 'album', 'artist', 'playlist', 'podcast', 'episode', 'station']),
          id,
        }),
        querystring: z.object({
          size: coverSize,
          v: version,
        }),
        response: bytes(['image/*'], 'The picture'),
      },
    },
    async (request, reply) => {
      const { size, v } = request.query
      const { kind, id } = request.params
      if (kind === 'station') {
        const { name } = await requireStation(parts.listening, id, signalOf(reply))
        await sendPicture(parts, request, reply, { id, name, pictures: [], mosaic: false, size, v })
        return
      }
      if (kind !== 'podcast' && kind !== 'episode') {
        await sendCover(parts, request, reply, viewerOf(request), { kind, id, size, v })
        return
      }
      const found = podcastPicture(parts.podcasts, id)
      if (found === null) throw new CodedError('NOT_FOUND', `${kind} ${id}`)
      await sendPicture(parts, request, reply, { ...found, id, size, v })
    },
  )
}
