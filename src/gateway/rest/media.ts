import { z } from 'zod'
import type { Catalog, TrackSource } from '../../catalog/catalog.ts'
import type { Listening } from '../../listening/listening.ts'
import type { Media } from '../../media/media.ts'
import type { OpenOriginal } from '../../media/originals.ts'
import { renditionFormats } from '../../media/transcode/transcoder.ts'
import { lyrics } from '../../protocol/api/catalog.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { sendBytes } from '../media/answer.ts'
import { picturesOf, playlistPicture } from '../media/pictures.ts'
import type { Tracks } from '../media/tracks.ts'
import type { Metrics } from '../metrics.ts'
import { bytes, ok } from '../openapi/operation.ts'
import { goneSignalOf, signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'

interface Parts {
  readonly catalog: Catalog
  readonly media: Media
  readonly listening: Pick<Listening, 'playlist'>
  readonly tracks: Tracks
  readonly streams: Metrics['streams']
}

const tag = 'Media'
const byId = z.object({ id })
const version = z
  .string()
  .max(200)
  .optional()
  .describe('The version of the summary: the answer may be kept for ever')
/** Audio, lyrics and covers. */
export function mediaRoutes(app: Api, { catalog, listening, media, tracks, streams }: Parts): void {
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
        querystring: z.object({ v: version, download: z.literal('1').optional().describe('Save as a file') }),
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const source = catalog.source(viewerOf(request), request.params.id)
      const original = await tracks.open(source, signalOf(reply))
      const options = {
        immutable: isCurrent(source, original, request.query.v),
        ...(request.query.download !== undefined && { downloadAs: `${source.title}.${source.suffix}` }),
      }
      await sendBytes(request, reply, original, options, streams)
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
        querystring: z.object({
          format: z.enum(renditionFormats).default('opus'),
          bitrate: z.coerce.number().int().min(6).max(512).default(128).describe('kbit/s'),
          offsetMs: z.coerce.number().int().min(0).default(0).describe('Where to begin'),
          v: version,
        }),
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const { format, bitrate, offsetMs, v } = request.query
      const source = catalog.source(viewerOf(request), request.params.id)
      using original = await tracks.openFile(source, signalOf(reply))
      const { path, version } = original
      const { codec, durationMs } = source
      const rendition = { format, bitrateKbps: bitrate, offsetMs }
      const audio = { path, version, codec, bitrate: source.bitrate, durationMs, original }
      const made = await media.transcode(audio, rendition, goneSignalOf(reply))
      await sendBytes(request, reply, made, { immutable: isCurrent(source, original, v) }, streams)
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
    (request, reply) => tracks.lyrics(catalog.source(viewerOf(request), request.params.id), signalOf(reply)),
  )

  app.get(
    '/api/covers/:kind/:id',
    {
      config: { takesPass: true },
      schema: {
        operationId: 'readCover',
        summary: 'A picture of something: its cover, or a drawn placeholder',
        tag,
        params: z.object({ kind: z.enum(['track', 'album', 'artist', 'playlist']), id }),
        querystring: z.object({
          size: z.coerce.number().int().min(16).max(4_096).optional().describe('The longest edge in pixels'),
          v: version,
        }),
        response: bytes(['image/*'], 'The picture'),
      },
    },
    async (request, reply) => {
      const { kind, id } = request.params
      const { size, v } = request.query
      const viewer = viewerOf(request)
      const signal = signalOf(reply)
      const { name, sources, mosaic } =
        kind === 'playlist'
          ? await playlistPicture(viewer, id, { catalog, listening }, signal)
          : {
              name: catalog.nameOf(viewer, kind, id),
              sources: catalog.pictures(viewer, kind, id),
              mosaic: false,
            }
      const pictures = await picturesOf(sources, viewer, { catalog, tracks })
      const { accept } = request.headers
      const wanted = { id, name, pictures, mosaic, accept, ...(size !== undefined && { size }) }
      const picture = await media.cover(wanted, signal)
      const immutable = v !== undefined && pictures.some((each) => each.version === v)
      await sendBytes(request, reply, picture, { immutable, vary: 'accept' })
    },
  )
}

/**
 * Whether `v` is the version that the summary names, and the file still what its tags were read from: only then may the
 * answer be kept for ever.
 */
function isCurrent(
  { blob, fingerprint }: TrackSource,
  original: Pick<OpenOriginal, 'version'>,
  v: string | undefined,
): boolean {
  const isNamed = v !== undefined && v.length >= 8 && fingerprint.startsWith(v)
  return isNamed && original.version.startsWith(blob ?? fingerprint)
}
