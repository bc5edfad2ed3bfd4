import type { Production, Representation } from '../serve/representation.ts'

/** What a listener can ask audio to be turned into. The containers are made for playing while they arrive. */
export const renditionFormats = ['opus', 'aac', 'mp3'] as const
export type RenditionFormat = (typeof renditionFormats)[number]

export interface Rendition {
  readonly format: RenditionFormat
  /** kbit/s over all channels; brought into the format's limits (opus 6–256, aac 32–320, mp3 32–320). */
  readonly bitrateKbps: number
  /** Where to begin, in milliseconds from the track's start. 0: the whole track, which is what the cache keeps. */
  readonly offsetMs: number
}

/** A track's audio as it is stored. */
export interface AudioSource {
  /** The file to decode: a music file in place, or a blob's file. A Buffer where the name is not valid UTF-8. */
  readonly path: string | Buffer
  /** Names the content: the blob's hash, or the track's fingerprint. Equal versions promise equal audio. */
  readonly version: string
  /** As in the track's facts; used to see that the original already is what was asked for. */
  readonly codec: string
  readonly bitrate: number
  readonly durationMs: number
  /** The stored bytes as they are, for direct play. */
  readonly original: Representation
}

/**
 * Turns a track into a rendition. Three kinds share this face and wrap one another: `original.ts` hands out the stored
 * bytes where they already are what was asked for, `../cache/caching.ts` what was made before, `encoding.ts` encodes.
 *
 * Errors: MEDIA_UNREADABLE (no audio can be decoded from the source), TRANSCODER_BUSY (too many wait already),
 * TRANSCODER_CRASHED (the child process died or overran its limits), and the signal's reason. The promise settles when
 * the first byte is there, so those errors can still become an HTTP status; a failure after it makes the iteration
 * throw, and the connection must then be cut, so that a listener does not take the torn result for the whole.
 */
export interface Transcoder {
  transcode(
    source: AudioSource,
    rendition: Rendition,
    signal: AbortSignal,
  ): Promise<Representation | Production>
}
