import type { Transcoder } from './transcoder.ts'

/**
 * Hands out the stored bytes where they already are what was asked for: the same codec at no higher a bitrate, from the
 * start. Everything else goes to `next`.
 */
export function createOriginalTranscoder(next: Transcoder): Transcoder {
  return {
    async transcode(source, rendition, signal) {
      const suffices =
        source.codec === rendition.format &&
        source.bitrate <= rendition.bitrateKbps &&
        rendition.offsetMs === 0
      if (!suffices) return await next.transcode(source, rendition, signal)
      return source.original
    },
  }
}
