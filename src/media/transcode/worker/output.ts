import { writeSync } from 'node:fs'
import {
  AV_CODEC_FLAG_BITEXACT,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVFMT_FLAG_BITEXACT,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBMP3LAME,
  FF_ENCODER_LIBOPUS,
} from 'node-av/constants'
import {
  avChannelLayoutDefault,
  avGetSampleFmtName,
  Codec,
  CodecContext,
  Dictionary,
  FFmpegError,
  FormatContext,
  type Frame,
  Packet,
  Rational,
} from 'node-av/lib'
import type { FormatSettings } from '../formats.ts'
import { infoFrame } from './info-frame.ts'
import type { Shape } from './resampler.ts'

/** Encodes frames and writes the result to standard output. */
export interface Output {
  readonly shape: Shape
  write(frame: Frame): void
  /** Writes what the encoder still holds, and the end. Answers how many samples came in. */
  end(): number
}

/**
 * FFmpeg's own `pipe:1` does the writing, so that the bytes never enter JavaScript; a slow listener fills the pipe,
 * which makes this process wait. Output is bit-exact (no random serial numbers, no versions): equal sources give equal
 * bytes. `seconds`: how long the result will be, as far as is known; an MP3 says so in its first frame.
 */
export function openOutput(
  settings: FormatSettings,
  target: { sampleRate: number; channels: 1 | 2; bitrateKbps: number; seconds: number | null },
): Output {
  const codec = Codec.findEncoderByName(encoders[settings.muxer])
  const sampleFormat = codec?.sampleFormats?.[0]
  if (codec === null || sampleFormat === undefined)
    throw new Error(`FFmpeg has no encoder for ${settings.muxer}`)
  const encoder = openEncoder(codec, sampleFormat, target)
  const file = new FormatContext()
  must(file.allocOutputContext2(null, settings.muxer, 'pipe:1'), 'allocating the output')
  file.setFlags(AVFMT_FLAG_BITEXACT)
  const stream = file.newStream(codec)
  must(stream.codecpar.fromContext(encoder), 'describing the output')
  stream.timeBase = encoder.timeBase
  must(file.openOutputSync(), 'opening the output')

  const packet = new Packet()
  packet.alloc()
  let samples = 0
  let begun = false

  const begin = (): void => {
    if (settings.muxer === 'mp3' && target.seconds !== null && packet.data !== null) {
      writeSync(1, infoFrame(packet.data, Math.round(target.seconds * target.sampleRate)))
    }
    using options = Dictionary.fromObject(muxerOptions[settings.muxer])
    must(file.writeHeaderSync(options), 'writing the header')
    begun = true
  }
  const drain = (): void => {
    for (;;) {
      const code = encoder.receivePacketSync(packet)
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return
      must(code, 'encoding')
      if (!begun) begin()
      packet.streamIndex = 0
      packet.rescaleTs(encoder.timeBase, stream.timeBase)
      must(file.interleavedWriteFrameSync(packet), 'writing')
      // The first second goes out frame by frame, for an early first byte; after it, FFmpeg's buffer makes large writes.
      if (samples < target.sampleRate) file.flushSync()
      packet.unref()
    }
  }

  return {
    shape: {
      sampleFormat: avGetSampleFmtName(sampleFormat) ?? 'fltp',
      sampleRate: target.sampleRate,
      channels: target.channels,
      frameSize: encoder.frameSize,
    },
    write(frame) {
      frame.pts = BigInt(samples)
      samples += frame.nbSamples
      must(encoder.sendFrameSync(frame), 'encoding')
      drain()
    },
    end() {
      if (samples === 0) return 0
      must(encoder.sendFrameSync(null), 'encoding')
      drain()
      must(file.writeTrailerSync(), 'writing the end')
      file.closeOutputSync()
      return samples
    },
  }
}

const encoders = { ogg: FF_ENCODER_LIBOPUS, adts: FF_ENCODER_AAC, mp3: FF_ENCODER_LIBMP3LAME } as const

const muxerOptions = {
  // Short pages: a player hears the first one sooner, for 0.3 % more bytes than FFmpeg's one second.
  ogg: { page_duration: '200000' },
  adts: {},
  mp3: { write_xing: '0', id3v2_version: '0' },
} satisfies Record<FormatSettings['muxer'], Record<string, string>>

function openEncoder(
  codec: Codec,
  sampleFormat: NonNullable<Codec['sampleFormats']>[number],
  target: { sampleRate: number; channels: number; bitrateKbps: number },
): CodecContext {
  const encoder = new CodecContext()
  encoder.allocContext3(codec)
  encoder.sampleFormat = sampleFormat
  encoder.sampleRate = target.sampleRate
  encoder.channelLayout = avChannelLayoutDefault(target.channels)
  encoder.bitRate = BigInt(target.bitrateKbps * 1_000)
  encoder.timeBase = new Rational(1, target.sampleRate)
  encoder.setFlags(AV_CODEC_FLAG_BITEXACT)
  must(encoder.open2Sync(codec, null), 'opening the encoder')
  return encoder
}

/** Throws where `code` is an error of FFmpeg's: on this side it is not the source's fault. */
function must(code: number, doing: string): void {
  if (code < 0) throw new Error(`${doing}: ${FFmpegError.fromCode(code)?.message ?? code}`)
}
