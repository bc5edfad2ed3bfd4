import { z } from 'zod'
import type { TrackSource } from '../../catalog/catalog.ts'
import { isComplete, type Production, type Representation } from '../../media/serve/representation.ts'
import { outputBitrate } from '../../media/transcode/formats.ts'
import type { RenditionFormat } from '../../media/transcode/transcoder.ts'
import { sendBytes } from '../media/answer.ts'
import { goneSignalOf } from '../signal.ts'
import { type Asking, answered, endpoint, type Parts } from './endpoint.ts'
import { flag, itemId, moment, optional, required, text, wholeNumber } from './parameters.ts'
import { proofOf } from './proof.ts'
import { requireSource } from './source.ts'

/** What the API's `format` may ask for, in the formats that are made here. Everything plays MP3. */
const formats: Readonly<Record<string, RenditionFormat>> = {
  mp3: 'mp3',
  opus: 'opus',
  ogg: 'opus',
  oga: 'opus',
  aac: 'aac',
  m4a: 'aac',
  mp4: 'aac',
}
/** kbit/s, where nobody asks for another. */
export const usualBitrate = 192

const streamed = z.object({
  id: required(itemId),
  maxBitRate: optional(wholeNumber(0, 10_000)).transform((given) => given ?? 0),
  format: optional(text),
  timeOffset: optional(moment(1_000_000)).transform((given) => given ?? 0),
  estimateContentLength: flag(false),
})
type Streamed = z.output<typeof streamed>

interface Wanted {
  readonly format: RenditionFormat
  readonly bitrateKbps: number
  readonly offsetMs: number
}

/** What to make of a song; null: it is sent as it is stored. */
function renditionOf(source: TrackSource, { maxBitRate, format, timeOffset }: Streamed): Wanted | null {
  const wanted = format?.toLowerCase()
  if (wanted === 'raw') return null
  const fits = maxBitRate === 0 || source.bitrate <= maxBitRate
  const isThat = wanted === undefined || wanted === source.suffix || wanted === source.codec
  if (fits && isThat && timeOffset === 0) return null
  const bitrateKbps = maxBitRate === 0 ? usualBitrate : maxBitRate
  return { format: formats[wanted ?? 'mp3'] ?? 'mp3', bitrateKbps, offsetMs: timeOffset * 1_000 }
}

export const stream = endpoint(streamed, async (parts, asking, wanted) => {
  const source = requireSource(parts, asking.viewer, wanted.id)
  const rendition = renditionOf(source, wanted)
  if (rendition === null) {
    await sendBytes(
      asking.request,
      asking.reply,
      await parts.tracks.open(source, asking.signal),
      {},
      parts.streams,
    )
  } else await sendRendition(parts, asking, source, rendition, wanted.estimateContentLength)
  return answered
})

/** Sends a song as something else; `estimate`: with a length, although it is still being made. */
export async function sendRendition(
  { renditions, streams }: Parts,
  { request, reply }: Asking,
  source: TrackSource,
  rendition: Wanted,
  estimate: boolean,
): Promise<void> {
  const wanted = { ...rendition, v: undefined }
  const { bytes } = await renditions.transcode(source, wanted, goneSignalOf(reply))
  await sendBytes(
    request,
    reply,
    estimate ? ofEstimatedLength(bytes, source, rendition, reply) : bytes,
    {},
    streams,
  )
}

/** Room for what the container adds, and for encoders that do not keep to their rate. */
const allowance = 1.02

/**
 * What is still being made, with a length as good as can be told. HTTP holds the answer to it, so what is missing at
 * the end is filled with zeros, which players pass over, and what is too much is left out.
 */
function ofEstimatedLength(
  made: Representation | Production,
  { durationMs }: TrackSource,
  { format, bitrateKbps, offsetMs }: Wanted,
  reply: Asking['reply'],
): Representation | Production {
  if (isComplete(made)) return made
  const seconds = Math.max(0, durationMs - offsetMs) / 1_000
  const length = Math.ceil(seconds * outputBitrate(format, bitrateKbps) * 125 * allowance) + 4_096
  reply.header('content-length', String(length))
  return { ...made, bytes: fitted(made.bytes, length), [Symbol.dispose]: () => made[Symbol.dispose]() }
}

async function* fitted(bytes: AsyncIterable<Uint8Array>, length: number): AsyncIterable<Uint8Array> {
  let left = length
  for await (const chunk of bytes) {
    const piece = chunk.subarray(0, left)
    left -= piece.length
    if (piece.length > 0) yield piece
    if (left === 0) return
  }
  const zeros = new Uint8Array(64 * 1_024)
  for (; left > 0; left -= Math.min(left, zeros.length)) yield zeros.subarray(0, left)
}

/**
 * A playlist of HTTP Live Streaming with the whole song as its one segment, which is seekable; for several bit rates a
 * playlist of such playlists.
 */
export const hls = endpoint(
  z.object({
    id: required(itemId),
    bitRate: optional(z.string().regex(/^\d{1,5}(?:@\d+x\d+)?$/, 'not a bit rate')),
  }),
  (parts, asking, { id }) => {
    const { durationMs } = requireSource(parts, asking.viewer, id)
    const rates = (asking.raw.get('bitRate') ?? [])
      .map((rate) => Number.parseInt(rate, 10))
      .filter((rate) => rate > 0)
    const address = new URLSearchParams([['id', id], ...proofOf(asking)])
    const lines = rates.length > 1 ? variants(address, rates) : segment(address, durationMs, rates[0])
    asking.reply.type('application/vnd.apple.mpegurl').send(`${lines.join('\n')}\n`)
    return answered
  },
)

function variants(address: URLSearchParams, rates: readonly number[]): string[] {
  return [
    '#EXTM3U',
    ...rates.flatMap((rate) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=${rate * 1_000}`,
      `hls.m3u8?${address}&bitRate=${rate}`,
    ]),
  ]
}

function segment(address: URLSearchParams, durationMs: number, rate: number | undefined): string[] {
  const seconds = durationMs / 1_000
  const format = `format=aac&maxBitRate=${outputBitrate('aac', rate ?? usualBitrate)}`
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXT-X-TARGETDURATION:${Math.ceil(seconds)}`,
    `#EXTINF:${seconds.toFixed(3)},`,
    `stream.aac?${address}&${format}`,
    '#EXT-X-ENDLIST',
  ]
}
