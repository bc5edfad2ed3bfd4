import type { Audio } from '../../protocol/facts/catalog.ts'
import { defined } from './defined.ts'
import type { Value } from './messagepack.ts'

const codecs: Readonly<Record<string, readonly [codec: string, mediaType: string, suffix: string]>> = {
  mp3: ['mp3', 'audio/mpeg', 'mp3'],
  flac: ['flac', 'audio/flac', 'flac'],
  vorbis: ['vorbis', 'audio/ogg', 'ogg'],
  opus: ['opus', 'audio/ogg', 'opus'],
  speex: ['speex', 'audio/ogg', 'spx'],
  aac: ['aac', 'audio/mp4', 'm4a'],
  alac: ['alac', 'audio/mp4', 'm4a'],
  wavpack: ['wavpack', 'audio/x-wavpack', 'wv'],
  tta: ['tta', 'audio/x-tta', 'tta'],
  ape: ['ape', 'audio/x-ape', 'ape'],
  musepack: ['musepack', 'audio/x-musepack', 'mpc'],
  dsd: ['dsd', 'audio/x-dsf', 'dsf'],
  wma: ['wma', 'audio/x-ms-wma', 'wma'],
}

/** By container, where the codec alone does not say how the file is to be served. */
const containers: Readonly<Record<string, readonly [mediaType: string, suffix: string]>> = {
  wav: ['audio/wav', 'wav'],
  aiff: ['audio/aiff', 'aiff'],
  mp4: ['audio/mp4', 'm4a'],
  ogg: ['audio/ogg', 'ogg'],
  flac: ['audio/flac', 'flac'],
  matroska: ['audio/x-matroska', 'mka'],
  asf: ['audio/x-ms-wma', 'wma'],
}

/** What TagLib says of the audio; `kind` is what the file's first bytes say that it is. Null: no audio was found. */
export function describeAudio(answer: ReadonlyMap<string, Value>, kind: string): Audio | null {
  const number = (name: string, most: number) => {
    const value = answer.get(name)
    return typeof value === 'number' && value > 0 ? Math.min(Math.round(value), most) : 0
  }
  const text = (name: string) => {
    const value = answer.get(name)
    return typeof value === 'string' ? value.toLowerCase() : ''
  }
  const sampleRate = number('sampleRate', 100_000_000)
  const durationMs = number('lengthMs', 4_000_000_000)
  if (sampleRate === 0) return null
  const named = codecName(text('codec'), kind)
  const [codec, mediaType, suffix] = codecs[named] ?? [named, 'application/octet-stream', kind]
  const own = containers[text('containerFormat')]
  const useOwn = own !== undefined && codec !== 'opus' && codec !== 'speex'
  return defined({
    codec: codec.slice(0, 40),
    mediaType: useOwn ? own[0] : kind === 'aac' ? 'audio/aac' : mediaType,
    suffix: useOwn ? own[1] : kind === 'aac' ? 'aac' : suffix,
    durationMs,
    bitrate: number('bitrate', 10_000_000),
    sampleRate,
    channels: number('channels', 255),
    bitDepth: isLossless(codec) ? number('bitsPerSample', 64) || undefined : undefined,
  })
}

function codecName(codec: string, kind: string): string {
  if (codec in codecs || codec === 'pcm') return codec
  if (kind in codecs) return kind
  return (
    { mpc: 'musepack', dsf: 'dsd', wv: 'wavpack', spx: 'speex' }[kind] ??
    (codec.replace(/[^a-z0-9]/g, '') || kind)
  )
}

function isLossless(codec: string): boolean {
  return ['flac', 'alac', 'pcm', 'wavpack', 'tta', 'ape', 'dsd'].includes(codec)
}
