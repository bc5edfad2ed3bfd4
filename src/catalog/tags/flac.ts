import { readUint32, type Window } from './window.ts'

/** What is read at the end: the largest frame that the header announces, or this much, and some tags behind it. */
const usualFrame = 65_536
const largestFrame = 512 * 1024
const tagsBehind = 4_096

/**
 * Whether the last frames of a FLAC file are missing: its header says how many samples there are, and each frame which
 * it begins with (RFC 9639, sections 8.2 and 9.1). `skip` bytes stand before it.
 */
export function isFlacCut(window: Window, skip: number): boolean {
  const info = bytesAt(window, skip + 8, 34)
  const blockSize = (info[0] ?? 0) * 256 + (info[1] ?? 0)
  const frame = readUint32(info, 6) & 0xff_ffff
  const total = ((info[13] ?? 0) & 0x0f) * 2 ** 32 + readUint32(info, 14)
  if (total === 0) return false
  const length = Math.min(frame === 0 ? usualFrame : frame, largestFrame) + tagsBehind
  const from = Math.max(skip, window.size - length)
  const ends = framesIn(Buffer.from(bytesAt(window, from, length)), blockSize)
  // None at the end: something long stands behind the sound, which says nothing of it. None in all of it: no sound came.
  return ends.length === 0 ? from === skip : Math.max(...ends) < total
}

/** Of each frame whose header is in `bytes`, the number of the sample after its last. */
function framesIn(bytes: Buffer, blockSize: number): number[] {
  const ends: number[] = []
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const end = frameEnd(bytes.subarray(at, at + 16), blockSize)
    if (end !== undefined) ends.push(end)
  }
  return ends
}

function frameEnd(header: Buffer, blockSize: number): number | undefined {
  const [sync = 0, second = 0, sizes = 0, form = 1] = header
  if (sync !== 0xff || (second & 0xfe) !== 0xf8 || (form & 1) !== 0) return undefined
  const number = codedNumber(header.subarray(4))
  if (number === undefined) return undefined
  const sizeAt = 4 + number.length
  const [sizeCode, rateCode] = [sizes >> 4, sizes & 15]
  const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0
  const rateBytes = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0
  const sumAt = sizeAt + sizeBytes + rateBytes
  if (sizeCode === 0 || rateCode === 15 || sumAt >= header.length) return undefined
  if (crc8(header.subarray(0, sumAt)) !== header[sumAt]) return undefined
  const samples = sizeBytes > 0 ? header.readUIntBE(sizeAt, sizeBytes) + 1 : usualSizes[sizeCode]
  const isVariable = (second & 1) === 1
  return (isVariable ? number.value : number.value * blockSize) + (samples ?? 0)
}

const usualSizes = [
  0, 192, 576, 1_152, 2_304, 4_608, 0, 0, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768,
]

/** A number in the form of UTF-8, of up to seven bytes. */
function codedNumber(bytes: Buffer): { value: number; length: number } | undefined {
  const [first = 0x80] = bytes
  if (first < 0x80) return { value: first, length: 1 }
  const length = Math.clz32(~(first << 24))
  if (length < 2 || length > 7 || bytes.length < length) return undefined
  let value = first & (0x7f >> length)
  for (const byte of bytes.subarray(1, length)) {
    if ((byte & 0xc0) !== 0x80) return undefined
    value = value * 64 + (byte & 0x3f)
  }
  return { value, length }
}

/** x⁸ + x² + x + 1, from zero. */
function crc8(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum & 0x80) === 0 ? sum << 1 : ((sum << 1) ^ 0x07) & 0xff
  }
  return sum
}

function bytesAt(window: Window, position: number, length: number): Uint8Array {
  const target = new Uint8Array(length)
  return target.subarray(0, window.read(target, position))
}
