import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TrackSource } from '../../catalog/catalog.ts'
import type { Media } from '../../media/media.ts'
import type { OpenOriginal } from '../../media/originals.ts'
import type { RenditionFormat } from '../../media/transcode/transcoder.ts'
import type { Metrics } from '../metrics.ts'
import { goneSignalOf, signalOf } from '../signal.ts'
import { sendBytes } from './answer.ts'
import type { Tracks } from './tracks.ts'

export interface AudioParts {
  readonly media: Media
  readonly tracks: Tracks
  readonly streams: Metrics['streams']
}

/** Answers with a track's file as it is stored. `v`: the version that the asker has seen in its summary. */
export async function sendStored(
  { tracks, streams }: AudioParts,
  request: FastifyRequest,
  reply: FastifyReply,
  source: TrackSource,
  { v, downloadAs }: { readonly v: string | undefined; readonly downloadAs?: string | undefined },
): Promise<void> {
  const original = await tracks.open(source, signalOf(reply))
  const options = {
    immutable: isCurrent(source, original, v),
    ...(downloadAs !== undefined && { downloadAs }),
  }
  await sendBytes(request, reply, original, options, streams)
}

export interface WantedRendition {
  readonly format: RenditionFormat
  readonly bitrateKbps: number
  readonly offsetMs: number
}

/** Answers with a track in another format or bitrate. */
export async function sendMade(
  { media, tracks, streams }: AudioParts,
  request: FastifyRequest,
  reply: FastifyReply,
  source: TrackSource,
  rendition: WantedRendition,
  v: string | undefined,
): Promise<void> {
  using original = await tracks.openFile(source, signalOf(reply))
  const { path, version } = original
  const { codec, bitrate, durationMs } = source
  const audio = { path, version, codec, bitrate, durationMs, original }
  const made = await media.transcode(audio, rendition, goneSignalOf(reply))
  await sendBytes(request, reply, made, { immutable: isCurrent(source, original, v) }, streams)
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
