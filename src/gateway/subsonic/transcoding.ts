import { z } from 'zod'
import type { TrackSource } from '../../catalog/catalog.ts'
import type { TrackDetails } from '../../catalog/index/queries/track-details.ts'
import { outputBitrate, outputChannels, outputRate } from '../../media/transcode/formats.ts'
import { type RenditionFormat, renditionFormats } from '../../media/transcode/transcoder.ts'
import type { Content } from './content.ts'
import { answered, endpoint } from './endpoint.ts'
import { Failure } from './failure.ts'
import { itemId, optional, required, wholeNumber } from './parameters.ts'
import { requireSource } from './source.ts'
import { sendRendition, usualBitrate } from './streaming.ts'

/** The extension `transcoding`: a client says what it can play, and is told what it will get. Rates are in bit/s. */

const texts = z.array(z.string().max(100)).max(100).default([])
const figure = z.number().nonnegative().optional()
const limitation = z.object({
  name: z.enum(['audioChannels', 'audioBitrate', 'audioProfile', 'audioSamplerate', 'audioBitdepth']),
  comparison: z.enum(['Equals', 'NotEquals', 'LessThanEqual', 'GreaterThanEqual']),
  values: texts,
})
const clientInfo = z.object({
  maxAudioBitrate: figure,
  maxTranscodingAudioBitrate: figure,
  directPlayProfiles: z
    .array(z.object({ containers: texts, audioCodecs: texts, protocols: texts, maxAudioChannels: figure }))
    .max(200)
    .default([]),
  transcodingProfiles: z
    .array(
      z.object({
        container: z.string().max(100),
        audioCodec: z.string().max(100),
        protocol: z.string().max(100).default('http'),
        maxAudioChannels: figure,
      }),
    )
    .max(200)
    .default([]),
  codecProfiles: z
    .array(z.object({ name: z.string().max(100), limitations: z.array(limitation).max(50).default([]) }))
    .max(200)
    .default([]),
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

/** Why the client cannot play a stream as it is; nothing where it can. */
function obstacles(client: ClientInfo, stream: Stream): string[] {
  const accepts = (list: readonly string[], value: string) => list.length === 0 || list.includes(value)
  const played = client.directPlayProfiles.filter(({ containers, protocols }) => {
    return accepts(containers, stream.container) && accepts(protocols, 'http')
  })
  if (played.length === 0) return ['ContainerNotSupported']
  const decoded = played.filter(({ audioCodecs }) => accepts(audioCodecs, stream.codec))
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

function beyondLimits({ codecProfiles }: ClientInfo, stream: Stream): string[] {
  return codecProfiles
    .filter(({ name }) => name === stream.codec)
    .flatMap(({ limitations }) => limitations)
    .flatMap(({ name, comparison, values }) => {
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

/** How our renditions are called, by codec and container. */
const made: Readonly<Record<RenditionFormat, readonly string[]>> = {
  opus: ['ogg', 'opus'],
  aac: ['aac', 'adts'],
  mp3: ['mp3'],
}

interface Rendition {
  readonly format: RenditionFormat
  readonly bitrate: number
  readonly stream: Stream
}

/** The first of the client's wishes that can be made, within all of its limits. */
function renditionFor(client: ClientInfo, source: TrackSource): Rendition | undefined {
  const most = Math.min(
    ...[client.maxTranscodingAudioBitrate, client.maxAudioBitrate].map(
      (rate) => rate || usualBitrate * 1_000,
    ),
  )
  for (const { container, audioCodec, protocol, maxAudioChannels } of client.transcodingProfiles) {
    const format = renditionFormats.find((each) => each === audioCodec && made[each].includes(container))
    if (format === undefined || protocol !== 'http') continue
    const bitrate = outputBitrate(format, most / 1_000)
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
  offset: optional(wholeNumber(0, 1_000_000)).transform((given) => given ?? 0),
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
