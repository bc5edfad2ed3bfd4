import type { RenditionFormat } from './transcoder.ts'

/** How each rendition is made. The reasons for the containers are in docs/adr/0041. */
export interface FormatSettings {
  /** FFmpeg's name of the container's writer. */
  readonly muxer: 'ogg' | 'adts' | 'mp3'
  readonly mediaType: string
  readonly suffix: string
  /** kbit/s, least and most. */
  readonly bitrate: readonly [number, number]
  /** The sample rates that are written, ascending; the source's own where it is among them (see `outputRate`). */
  readonly sampleRates: readonly number[]
}

export const formatSettings: Readonly<Record<RenditionFormat, FormatSettings>> = {
  opus: {
    muxer: 'ogg',
    mediaType: 'audio/ogg',
    suffix: 'opus',
    bitrate: [6, 256],
    sampleRates: [48_000],
  },
  aac: {
    muxer: 'adts',
    mediaType: 'audio/aac',
    suffix: 'aac',
    bitrate: [32, 320],
    sampleRates: [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
  },
  mp3: {
    muxer: 'mp3',
    mediaType: 'audio/mpeg',
    suffix: 'mp3',
    bitrate: [32, 320],
    sampleRates: [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
  },
}

/** kbit/s as the format allows them. */
export function outputBitrate(format: RenditionFormat, wanted: number): number {
  const [least, most] = formatSettings[format].bitrate
  return Math.round(Math.min(most, Math.max(least, wanted)))
}

/**
 * The sample rate to write, in Hz: the source's own where the format has it; else its whole fraction (88,200 and
 * 176,400 become 44,100), which resamples most cleanly; else the next higher one; else the highest.
 */
export function outputRate(format: RenditionFormat, sourceRate: number): number {
  const rates = formatSettings[format].sampleRates
  const highest = rates.at(-1) ?? 48_000
  if (rates.includes(sourceRate)) return sourceRate
  if (sourceRate > highest)
    return rates.findLast((rate) => rate >= 44_100 && sourceRate % rate === 0) ?? highest
  return rates.find((rate) => rate > sourceRate) ?? highest
}

/** Mono stays mono; everything above stereo is mixed down to stereo. */
export function outputChannels(sourceChannels: number): 1 | 2 {
  return sourceChannels === 1 ? 1 : 2
}
