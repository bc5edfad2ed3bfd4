/** Samples that LAME's encoder, and then a decoder, put before the first one of the source (LAME's own figures). */
const encoderDelay = 576
const decoderDelay = 529

/**
 * The silent frame that tells players how long an MP3 is, in the place where its writer would otherwise put it after
 * the end: this stream is never rewound. `header` is the first encoded frame's. Constant bitrate, so a table of
 * contents is not needed.
 */
export function infoFrame(header: Uint8Array, samples: number): Uint8Array {
  const layout = frameLayout(header)
  const frames = Math.ceil((samples + encoderDelay + decoderDelay) / layout.samplesPerFrame)
  const padding = Math.max(0, frames * layout.samplesPerFrame - samples - encoderDelay)
  const frame = Buffer.alloc(layout.bytes)
  frame.set(header.subarray(0, 4))
  frame[2] = (frame[2] ?? 0) & 0b1111_1101
  let at = 4 + layout.sideInformation
  frame.write('Info', at, 'latin1')
  frame.writeUInt32BE(0b0011, at + 4)
  frame.writeUInt32BE(frames, at + 8)
  frame.writeUInt32BE(Math.min(0xffff_ffff, Math.round((frames + 1) * layout.exactBytes)), at + 12)
  at += 16
  frame.write('LAME', at, 'latin1')
  frame.writeUIntBE((encoderDelay << 12) | Math.min(0xfff, padding), at + 21, 3)
  return frame
}

const bitratesOfMpeg1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
const bitratesOfMpeg2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
const ratesOfMpeg1 = [44_100, 48_000, 32_000]

/** What an MPEG layer III frame header says (ISO/IEC 11172-3, 2.4.1.3). */
function frameLayout(header: Uint8Array): {
  samplesPerFrame: number
  bytes: number
  exactBytes: number
  sideInformation: number
} {
  const [, second = 0, third = 0, fourth = 0] = header
  const version = (second >> 3) & 0b11
  const mpeg1 = version === 0b11
  const divisor = mpeg1 ? 1 : version === 0b10 ? 2 : 4
  const kbps = (mpeg1 ? bitratesOfMpeg1 : bitratesOfMpeg2)[third >> 4] ?? 0
  const rate = (ratesOfMpeg1[(third >> 2) & 0b11] ?? 44_100) / divisor
  const mono = fourth >> 6 === 0b11
  const samplesPerFrame = mpeg1 ? 1_152 : 576
  const exactBytes = (samplesPerFrame / 8) * ((kbps * 1_000) / rate)
  const sideInformation = mpeg1 ? (mono ? 17 : 32) : mono ? 9 : 17
  return { samplesPerFrame, bytes: Math.floor(exactBytes), exactBytes, sideInformation }
}
