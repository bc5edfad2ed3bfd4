import { AVFMT_FLAG_BITEXACT, AVMEDIA_TYPE_AUDIO, AVSEEK_FLAG_BACKWARD } from 'node-av/constants'
import { type Codec, CodecContext, Dictionary, FFmpegError, FormatContext, type Stream } from 'node-av/lib'

/** The file holds no audio that can be decoded. The message is for people. */
export class Unreadable extends Error {}

/** Throws Unreadable with FFmpeg's own words where `code` is an error of FFmpeg's. */
export function check(code: number, doing: string): number {
  if (code < 0) throw new Unreadable(`${doing}: ${FFmpegError.fromCode(code)?.message ?? code}`)
  return code
}

/**
 * The containers that may be opened. FFmpeg would also follow playlists and lists of files to other files and over the
 * network: none of those is here, and no protocol but `file` may be used.
 */
const containers = [
  'mp3,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2,aac,wav,w64,rf64,aiff,caf,au,matroska,webm,asf,ape,wv,tta,mpc,mpc8,tak,shn,dsf,iff',
  'ac3,eac3,dts,dtshd,truehd,mlp,amr,amrnb,amrwb,oma,voc,rm,avi,flv,mpegts,mpeg,loas,adx,xwma,qcp,sox,nut,bonk,osq,rka',
].join(',')

export interface Input extends AsyncDisposable {
  readonly file: FormatContext
  readonly stream: Stream
  readonly codec: Codec
}

/** Opens the file and finds its best audio stream. */
export async function openInput(path: string): Promise<Input> {
  const file = new FormatContext()
  file.allocContext()
  using options = Dictionary.fromObject({ protocol_whitelist: 'file', format_whitelist: containers })
  check(file.openInputSync(`file:${path}`, null, options), 'opening it')
  file.setFlags(AVFMT_FLAG_BITEXACT)
  check(file.findStreamInfoSync(null), 'looking for its streams')
  const { streamIndex, decoder: codec } = file.findBestStream(AVMEDIA_TYPE_AUDIO, -1, -1, true)
  const stream = file.streams[streamIndex]
  if (streamIndex < 0 || stream === undefined || codec === null)
    throw new Unreadable('it holds no audio stream')
  return { file, stream, codec, [Symbol.asyncDispose]: () => file.closeInput() }
}

/** The decoder of the input's audio stream, ready for packets. */
export function openDecoder(input: Input): CodecContext {
  const decoder = new CodecContext()
  decoder.allocContext3(input.codec)
  check(decoder.parametersToContext(input.stream.codecpar), 'preparing its decoder')
  decoder.pktTimebase = input.stream.timeBase
  check(decoder.open2Sync(input.codec, null), 'opening its decoder')
  return decoder
}

/** Goes to the last point at or before `offsetMs` where decoding can begin. */
export function seek(input: Input, offsetMs: number): void {
  const { num, den } = input.stream.timeBase
  const start = input.stream.startTime < 0n ? 0n : input.stream.startTime
  const timestamp = start + BigInt(Math.floor((offsetMs * den) / (1_000 * num)))
  check(input.file.seekFrameSync(input.stream.index, timestamp, AVSEEK_FLAG_BACKWARD), 'seeking in it')
}
