import type { AudioSource, Rendition, Transcoder } from './transcoder.ts'

/** Whether the stored bytes already are what is asked for: the same codec at no higher a bitrate, from the start. */
export function sufficesAsStored(
  { codec, bitrate }: Pick<AudioSource, 'codec' | 'bitrate'>,
  { format, bitrateKbps, offsetMs }: Rendition,
): boolean {
  return codec === format && bitrate <= bitrateKbps && offsetMs === 0
}

/** Hands out the stored bytes where they suffice. Everything else goes to `next`. */
export function createOriginalTranscoder(next: Transcoder): Transcoder {
  return {
    async transcode(source, rendition, signal) {
      if (!sufficesAsStored(source, rendition)) return await next.transcode(source, rendition, signal)
      return source.original
    },
  }
}
