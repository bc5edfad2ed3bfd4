import { z } from 'zod'
import type { TrackSource } from '../../catalog/catalog.ts'
import type { TrackDetails } from '../../catalog/index/queries/track-details.ts'
import { outputBitrate, outputChannels, outputRate } from '../../media/transcode/formats.ts'
import { type RenditionFormat, renditionFormats } from '../../media/transcode/transcoder.ts'
import type { Content } from './content.ts'
import { answered, endpoint } from './endpoint.ts'
import { Failure } from './failure.ts'
import { itemId, moment, optional, required } from './parameters.ts'
import { requireSource } from './source.ts'
import { sendRendition, usualBitrate } from './streaming.ts'

/** The extension `transcoding`: a client says what it can play, and is told what it will get. Rates are in bit/s. */

/** What is left out comes as null from some clients. */
function listOf<Schema extends z.ZodType>(schema: Schema, most: number) {
  return z
    .array(schema)
    .max(most)
    .nullish()
    .transform((given) => given ?? [])
}
const name = z.string().max(100).toLowerCase()
const texts = listOf(name, 100)
const figure = z.number().nonnegative().nullish()
const limitation = z.object({
  name: z.enum(['audioChannels', 'audioBitrate', 'audioProfile', 'audioSamplerate', 'audioBitdepth']),
  comparison: z.enum(['Equals', 'NotEquals', 'LessThanEqual', 'GreaterThanEqual']),
  values: texts,
})
const clientInfo = z.object({
  maxAudioBitrate: figure,
  maxTranscodingAudioBitrate: figure,
  directPlayProfiles: listOf(
    z.object({ containers: texts, audioCodecs: texts, protocols: texts, maxAudioChannels: figure }),
    200,
  ),
  transcodingProfiles: listOf(
    z.object({
      container: name,
      audioCodec: name,
      protocol: name.nullish().transform((given) => given ?? 'http'),
      maxAudioChannels: figure,
    }),
    200,
  ),
  codecProfiles: listOf(z.object({ name, limitations: listOf(limitation, 50) }), 200),
})
type ClientInfo = z.output<typeof clientInfo>

/** A stream as limitations compare it. */
interface Stream {
  readonly container: string
  readonly codec: string
  readonly audioChannels: number
  readonly audioBitrate: number
  readonly audioSamplerate: number
  readonly audioBitdepth: number | undefined
}

const containers: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/flac': 'flac',
  'audio/ogg': 'ogg',
  'audio/mp4': 'mp4',
}

function streamOf(source: TrackSource, details: TrackDetails | undefined): Stream {
  return {
    container: containers[source.mediaType] ?? source.suffix,
    codec: source.codec,
    audioChannels: source.channels,
    audioBitrate: source.bitrate * 1_000,
    audioSamplerate: source.sampleRate,
    audioBitdepth: details?.bitDepth,
  }
}

/** Other names that clients give the same containers. */
const otherNames: Readonly<Record<string, string>> = {
  m4a: 'mp4',
  m4b: 'mp4',
  oga: 'ogg',
  opus: 'ogg',
  adts: 'aac',
  mpeg: 'mp3',
  wave: 'wav',
  aif: 'aiff',
}
const containerOf = (name: string) => otherNames[name] ?? name
/** Samples as they are have many names: by their size and order. */
const codecOf = (name: string) => (name.startsWith('pcm_') ? 'pcm' : name)

/** Why the client cannot play a stream as it is; nothing where it can. */
function obstacles(client: ClientInfo, stream: Stream): string[] {
  const accepts = (list: readonly string[], value: string) => list.length === 0 || list.includes(value)
  const container = containerOf(stream.container)
  const played = client.directPlayProfiles.filter(({ containers, protocols }) => {
    return accepts(containers.map(containerOf), container) && accepts(protocols, 'http')
  })
  if (played.length === 0) return ['ContainerNotSupported']
  const codec = codecOf(stream.codec)
  const decoded = played.filter(({ audioCodecs }) => accepts(audioCodecs.map(codecOf), codec))
  if (decoded.length === 0) return ['AudioCodecNotSupported']
  const reasons: string[] = []
  const fits = decoded.some(
    ({ maxAudioChannels }) => !maxAudioChannels || stream.audioChannels <= maxAudioChannels,
  )
  if (!fits) reasons.push('AudioChannelsNotSupported')
  if (client.maxAudioBitrate && stream.audioBitrate > client.maxAudioBitrate) {
    reasons.push('AudioBitrateNotSupported')
  }
  return [...new Set([...reasons, ...beyondLimits(client, stream)])]
}

const reasonOf = {
  audioChannels: 'AudioChannelsNotSupported',
  audioBitrate: 'AudioBitrateNotSupported',
  audioSamplerate: 'AudioSampleRateNotSupported',
  audioBitdepth: 'AudioBitDepthNotSupported',
} as const

/** What the client says of a codec. */
function limitsOf({ codecProfiles }: ClientInfo, codec: string) {
  return codecProfiles
    .filter(({ name }) => codecOf(name) === codecOf(codec))
    .flatMap(({ limitations }) => limitations)
}

function beyondLimits(client: ClientInfo, stream: Stream): string[] {
  return limitsOf(client, stream.codec).flatMap(({ name, comparison, values }) => {
    // The profile of a codec is in no tag, so nothing can be said against it.
    if (name === 'audioProfile') return []
    const value = stream[name]
    return value === undefined || holds(value, comparison, values) ? [] : [reasonOf[name]]
  })
}

function holds(
  value: number,
  comparison: z.output<typeof limitation>['comparison'],
  values: readonly string[],
): boolean {
  const numbers = values.map(Number)
  const [first = Number.NaN] = numbers
  if (comparison === 'Equals') return numbers.includes(value)
  if (comparison === 'NotEquals') return !numbers.includes(value)
  if (Number.isNaN(first)) return true
  return comparison === 'LessThanEqual' ? value <= first : value >= first
}

/** The containers of our renditions. */
const made: Readonly<Record<RenditionFormat, string>> = { opus: 'ogg', aac: 'aac', mp3: 'mp3' }

interface Rendition {
  readonly format: RenditionFormat
  readonly bitrate: number
  readonly stream: Stream
}

/** The first of the client's wishes that can be made, within all of its limits. */
function renditionFor(client: ClientInfo, source: TrackSource): Rendition | undefined {
  for (const { container, audioCodec, protocol, maxAudioChannels } of client.transcodingProfiles) {
    const format = renditionFormats.find(
      (each) => each === audioCodec && made[each] === containerOf(container),
    )
    if (format === undefined || protocol !== 'http') continue
    const bitrate = outputBitrate(format, mostBitrate(client, format) / 1_000)
    const stream: Stream = {
      container,
      codec: format,
      audioChannels: outputChannels(source.channels),
      audioBitrate: bitrate * 1_000,
      audioSamplerate: outputRate(format, source.sampleRate),
      audioBitdepth: undefined,
    }
    const isNarrow = maxAudioChannels && stream.audioChannels > maxAudioChannels
    if (!isNarrow && beyondLimits(client, stream).length === 0) return { format, bitrate, stream }
  }
  return undefined
}

/** What a rendition may have at most, in bit/s. */
function mostBitrate(client: ClientInfo, format: RenditionFormat): number {
  const ofCodec = limitsOf(client, format)
    .filter(({ name, comparison }) => name === 'audioBitrate' && comparison === 'LessThanEqual')
    .map(({ values: [most] }) => Number(most))
  const given = [client.maxTranscodingAudioBitrate, client.maxAudioBitrate, ...ofCodec]
  const known = given.flatMap((rate) => (rate ? [rate] : []))
  return known.length === 0 ? usualBitrate * 1_000 : Math.min(...known)
}

const media = { mediaId: required(itemId), mediaType: required(z.enum(['song', 'podcast'])) }

export const getTranscodeDecision = endpoint(z.object(media), async (parts, asking, { mediaId }) => {
  const { details } = parts
  const { viewer, signal, request } = asking
  const source = requireSource(parts, viewer, mediaId)
  const { id } = source
  const client = clientInfo.safeParse(request.body)
  if (!client.success) {
    const [issue] = client.error.issues
    throw new Failure(10, `The body is not valid: ${issue?.path.join('.')}: ${issue?.message}`)
  }
  const stream = streamOf(source, (await details.tracks(viewer, [id], signal)).get(id))
  const reasons = obstacles(client.data, stream)
  const rendition = renditionFor(client.data, source)
  const transcodeDecision: Content = {
    canDirectPlay: reasons.length === 0,
    canTranscode: rendition !== undefined,
    transcodeReason: reasons,
    sourceStream: { protocol: 'http', ...stream },
    ...(rendition !== undefined && {
      transcodeParams: `${rendition.format}-${rendition.bitrate}`,
      transcodeStream: { protocol: 'http', ...rendition.stream },
    }),
  }
  return { transcodeDecision }
})

const streamed = z.object({
  ...media,
  offset: optional(moment(1_000_000)).transform((given) => given ?? 0),
  transcodeParams: required(
    z.string().regex(/^(?:opus|aac|mp3)-\d{1,3}$/, 'not what getTranscodeDecision said'),
  ),
})

export const getTranscodeStream = endpoint(streamed, async (parts, asking, wanted) => {
  const { mediaId, offset, transcodeParams } = wanted
  const source = requireSource(parts, asking.viewer, mediaId)
  const [name, rate] = transcodeParams.split('-')
  const format = renditionFormats.find((each) => each === name) ?? 'mp3'
  const rendition = { format, bitrateKbps: outputBitrate(format, Number(rate)), offsetMs: offset * 1_000 }
  await sendRendition(parts, asking, source, rendition, false)
  return answered
})
