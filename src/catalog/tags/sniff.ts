import { readUint32, type Window } from './window.ts'

/**
 * What a file is by its bytes, whatever its name says: the suffix under which TagLib reads it, or null where they are
 * no audio that we know. `skip` bytes at the front (an ID3v2 tag) precede the audio.
 */
export interface Sniffed {
  readonly kind: string
  readonly skip: number
}

const asfHeader = '3026b2758e66cf11a6d900aa0062ce6c'

export function sniff(window: Window): Sniffed | null {
  const head = bytesAt(window, 0, 64)
  const skip = id3Length(head)
  const kind = kindOf(bytesAt(window, skip, 64))
  if (kind) return { kind, skip }
  const frame = mpegStart(window, skip)
  return frame ? { kind: frame, skip } : null
}

/** The length of the ID3v2 tag at the start, header included; 0 where there is none. */
function id3Length(head: Uint8Array): number {
  if (ascii(head, 0, 3) !== 'ID3') return 0
  const size = head.subarray(6, 10)
  if (size.some((byte) => byte > 0x7f)) return 0
  const footer = ((head[5] ?? 0) & 0x10) === 0 ? 0 : 10
  return size.reduce((sum, byte) => sum * 128 + byte, 0) + 10 + footer
}

function kindOf(head: Uint8Array): string | null {
  const four = ascii(head, 0, 4)
  const form = ascii(head, 8, 4)
  if (four === 'fLaC') return 'flac'
  if (four === 'OggS') return oggKind(head)
  if (ascii(head, 4, 4) === 'ftyp') return 'm4a'
  if (four === 'RIFF' && form === 'WAVE') return 'wav'
  if (four === 'FORM' && (form === 'AIFF' || form === 'AIFC')) return 'aiff'
  if (four === 'wvpk') return 'wv'
  if (four === 'MAC ') return 'ape'
  if (four === 'MPCK' || four.startsWith('MP+')) return 'mpc'
  if (four === 'DSD ') return 'dsf'
  if (four === 'FRM8') return 'dff'
  if (four === 'TTA1') return 'tta'
  if (readUint32(head, 0) === 0x1a45dfa3) return 'mka'
  if (Buffer.from(head.subarray(0, 16)).toString('hex') === asfHeader) return 'wma'
  return null
}

function oggKind(head: Uint8Array): string {
  const packet = 27 + (head[26] ?? 0)
  if (ascii(head, packet, 8) === 'OpusHead') return 'opus'
  if (ascii(head, packet, 5) === 'Speex') return 'spx'
  // FLAC in Ogg has a suffix of its own in TagLib, which knows `oga` for both.
  return ascii(head, packet + 1, 4) === 'FLAC' ? 'oga' : 'ogg'
}

/** How far an MPEG stream may begin behind rubbish. */
const rubbish = 65_536

/** `mp3` (any MPEG layer) or `aac` (ADTS) where two frames follow each other near `start`: one alone may be chance. */
function mpegStart(window: Window, start: number): string | null {
  return mpegWithin(window, start, 4_096) ?? mpegWithin(window, start, rubbish)
}

function mpegWithin(window: Window, start: number, length: number): string | null {
  const bytes = bytesAt(window, start, length)
  for (let at = 0; at + 7 < bytes.length; at++) {
    if (bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xe0) !== 0xe0) continue
    const frame = frameAt(bytes, at)
    if (!frame) continue
    const next = at + frame.length
    const following =
      next + 7 < bytes.length ? frameAt(bytes, next) : frameAt(bytesAt(window, start + next, 8), 0)
    const last = start + next >= window.size - 1_024
    if (following?.kind === frame.kind || (last && at === 0)) return frame.kind
  }
  return null
}

// ISO/IEC 11172-3 §2.4.2.3 and 13818-3: kbit/s by index, for MPEG 1 layers I, II, III and for MPEG 2 layers I, II and III.
const rates = {
  v1l1: [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  v1l2: [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  v1l3: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2l1: [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  v2l23: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}

function frameAt(bytes: Uint8Array, at: number): { kind: string; length: number } | null {
  const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3)
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return null
  if ((second & 0xf6) === 0xf0) return adtsFrame(bytes, at)
  const version = (second >> 3) & 3
  const layer = 4 - ((second >> 1) & 3)
  const rateIndex = third >> 4
  const frequency = [44_100, 48_000, 32_000][(third >> 2) & 3]
  if (version === 1 || layer === 4 || rateIndex === 0 || rateIndex === 15 || frequency === undefined)
    return null
  const one = version === 3
  const table = one ? [rates.v1l1, rates.v1l2, rates.v1l3][layer - 1] : layer === 1 ? rates.v2l1 : rates.v2l23
  const bits = (table?.[rateIndex - 1] ?? 0) * 1_000
  const hertz = frequency / (one ? 1 : version === 2 ? 2 : 4)
  const padding = (third >> 1) & 1
  if (layer === 1) return { kind: 'mp3', length: (Math.floor((12 * bits) / hertz) + padding) * 4 }
  const samples = layer === 3 && !one ? 72 : 144
  return { kind: 'mp3', length: Math.floor((samples * bits) / hertz) + padding }
}

function adtsFrame(bytes: Uint8Array, at: number): { kind: string; length: number } | null {
  const [fourth = 0, fifth = 0, sixth = 0] = bytes.subarray(at + 3, at + 6)
  const length = ((fourth & 3) << 11) | (fifth << 3) | (sixth >> 5)
  return length < 7 ? null : { kind: 'aac', length }
}

function bytesAt(window: Window, position: number, length: number): Uint8Array {
  const target = new Uint8Array(length)
  return target.subarray(0, window.read(target, position))
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
