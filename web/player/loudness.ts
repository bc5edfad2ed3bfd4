import type { TrackSummary } from '../../src/protocol/api/catalog.ts'

/** Levelling by ReplayGain: not at all, each track alone, or whole albums so that their quiet tracks stay quiet. */
export type Levelling = 'off' | 'track' | 'album'

/**
 * The amplitude for a slider at 0…1. Ears hear ratios, not differences: with the cube, half the slider is about half
 * as loud (-18 dB), and the lowest steps are still apart.
 */
export function amplitude(slider: number): number {
  return Math.min(Math.max(slider, 0), 1) ** 3
}

/** The factor that levels a track. An element cannot play louder than 1, so a gain above 0 dB only lifts quiet sliders. */
export function levellingFactor(track: TrackSummary, levelling: Levelling): number {
  const gain = track.replayGain
  if (levelling === 'off' || gain === undefined) return 1
  const album = levelling === 'album' && gain.albumGain !== undefined
  const decibels = album ? gain.albumGain : (gain.trackGain ?? gain.albumGain)
  const peak = album ? gain.albumPeak : (gain.trackPeak ?? gain.albumPeak)
  if (decibels === undefined) return 1
  const factor = 10 ** (decibels / 20)
  return peak === undefined || peak <= 0 ? factor : Math.min(factor, 1 / peak)
}
