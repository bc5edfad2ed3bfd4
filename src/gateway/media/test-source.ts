import type { TrackSource } from '../../catalog/catalog.ts'

const id = '00000000-0000-4000-8000-000000000001'

/** A track as the catalog would name it, of which a test says what matters to it. */
export function trackSource(mattering: Partial<TrackSource>): TrackSource {
  return {
    id,
    album: id,
    part: '000',
    title: 'One',
    size: 1,
    fingerprint: 'fingerprint',
    blob: undefined,
    codec: 'flac',
    mediaType: 'audio/flac',
    suffix: 'flac',
    durationMs: 1,
    bitrate: 1,
    sampleRate: 1,
    channels: 1,
    embeddedCover: false,
    embeddedLyrics: false,
    places: [],
    ...mattering,
  }
}
