import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TrackSource } from '../../catalog/catalog.ts'
import type { Metrics } from '../metrics.ts'
import { goneSignalOf, signalOf } from '../signal.ts'
import { sendBytes } from './answer.ts'
import type { Renditions, WantedRendition } from './renditions.ts'
import { isCurrent, type Tracks } from './tracks.ts'

export interface AudioParts {
  readonly tracks: Pick<Tracks, 'open'>
  readonly renditions: Pick<Renditions, 'transcode'>
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

/** Answers with a track in another format or bitrate. */
export async function sendMade(
  { renditions, streams }: AudioParts,
  request: FastifyRequest,
  reply: FastifyReply,
  source: TrackSource,
  wanted: WantedRendition,
): Promise<void> {
  const { bytes, immutable } = await renditions.transcode(source, wanted, goneSignalOf(reply))
  await sendBytes(request, reply, bytes, { immutable }, streams)
}
