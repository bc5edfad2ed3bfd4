import { AV_TIME_BASE } from 'node-av/constants'
import { avGetCodecName } from 'node-av/lib'
import type { Probe } from '../../media.ts'
import { openInput } from './input.ts'

/** What FFmpeg says of the file. */
export async function probe(path: string): Promise<Probe> {
  await using input = await openInput(path)
  const { file, stream } = input
  const parameters = stream.codecpar
  const bitDepth = parameters.bitsPerRawSample || parameters.bitsPerCodedSample
  return {
    codec: avGetCodecName(parameters.codecId) ?? 'unknown',
    container: file.iformat?.name ?? 'unknown',
    durationMs: Math.max(0, Math.round((Number(file.duration) * 1_000) / AV_TIME_BASE)),
    bitrate: Math.max(0, Math.round(Number(parameters.bitRate || file.bitRate) / 1_000)),
    sampleRate: parameters.sampleRate,
    channels: parameters.channels,
    ...(bitDepth > 0 ? { bitDepth } : {}),
  }
}
