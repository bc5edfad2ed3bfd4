import { AV_TIME_BASE, AVERROR_EAGAIN, AVERROR_EOF } from 'node-av/constants'
import { type CodecContext, Frame, Packet } from 'node-av/lib'
import { formatSettings, outputBitrate, outputChannels, outputRate } from '../formats.ts'
import { openDecoder, openInput, seek, Unreadable } from './input.ts'
import type { Job } from './job.ts'
import { openOutput } from './output.ts'
import { createResampler } from './resampler.ts'

/**
 * Decodes the job's file and writes the rendition to standard output. Everything is synchronous: the process does this
 * one thing, and the pipe holds it back. Packets that cannot be decoded are passed over, as a player would do.
 */
export async function encode(job: Extract<Job, { kind: 'encode' }>): Promise<void> {
  await using input = await openInput(job.path)
  using decoder = openDecoder(input)
  const { sampleRate, channels } = input.stream.codecpar
  const duration = input.file.duration > 0n ? Number(input.file.duration) / AV_TIME_BASE : null
  const output = openOutput(formatSettings[job.format], {
    sampleRate: outputRate(job.format, sampleRate),
    channels: outputChannels(channels),
    bitrateKbps: outputBitrate(job.format, job.bitrateKbps),
    seconds: duration === null ? null : Math.max(0, duration - job.offsetMs / 1_000),
  })
  if (job.offsetMs > 0) seek(input, job.offsetMs)
  const from = job.offsetMs > 0 ? job.offsetMs / 1_000 + startSeconds(input.stream) : null
  using resampler = createResampler(output.shape, input.stream.timeBase, from, output.write)
  using packet = new Packet()
  packet.alloc()
  using frame = new Frame()
  frame.alloc()
  const drain = (): void => {
    while (decoder.receiveFrameSync(frame) === 0) {
      resampler.push(frame, decoder.sampleFormat)
      frame.unref()
    }
  }
  while (input.file.readFrameSync(packet) >= 0) {
    if (packet.streamIndex === input.stream.index) send(decoder, packet, drain)
    packet.unref()
  }
  send(decoder, null, drain)
  resampler.end()
  if (output.end() === 0) throw new Unreadable('none of its audio can be decoded')
}

function send(decoder: CodecContext, packet: Packet | null, drain: () => void): void {
  const code = decoder.sendPacketSync(packet)
  drain()
  if (code === AVERROR_EAGAIN) decoder.sendPacketSync(packet)
  if (code !== AVERROR_EOF) drain()
}

function startSeconds(stream: { startTime: bigint; timeBase: { num: number; den: number } }): number {
  const start = stream.startTime < 0n ? 0 : Number(stream.startTime)
  return (start * stream.timeBase.num) / stream.timeBase.den
}
