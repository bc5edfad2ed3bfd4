import { isFlacCut } from './flac.ts'
import { readUint32, type Window } from './window.ts'

/**
 * Whether the file ends before it should, as far as its own headers tell: what a broken copy or a full disk leaves.
 * Such a file plays up to its end. Formats that do not say how long they are are taken as whole.
 */
export function isTruncated(window: Window, kind: string, skip: number): boolean {
  if (kind === 'wav') return chunkedEnd(window, skip, true) > window.size
  if (kind === 'aiff') return chunkedEnd(window, skip, false) > window.size
  if (kind === 'm4a') return boxesEnd(window, skip) > window.size
  if (kind === 'mp3') return mpegEnd(window, skip) > window.size
  if (kind === 'flac') return isFlacCut(window, skip)
  if (['ogg', 'oga', 'opus', 'spx'].includes(kind)) return !oggEnds(window)
  return false
}

/** RIFF and FORM say the length of what follows. Streams write 0 or all ones there, which says nothing. */
function chunkedEnd(window: Window, skip: number, little: boolean): number {
  const head = bytesAt(window, skip, 8)
  const length = little ? readUint32(head.toReversed(), 0) : readUint32(head, 4)
  return length === 0 || length >= 0xffff_fff0 ? 0 : skip + 8 + length
}

/** The end of the last MP4 box. A box of length 0 reaches to the end of the file. */
function boxesEnd(window: Window, skip: number): number {
  let at = skip
  for (let boxes = 0; boxes < 1_000 && at + 8 <= window.size; boxes++) {
    const head = bytesAt(window, at, 16)
    const short = readUint32(head, 0)
    if (short === 0) return 0
    const length = short === 1 ? readUint32(head, 8) * 2 ** 32 + readUint32(head, 12) : short
    if (length < 8) return 0
    at += length
  }
  return at
}

/** A Xing or Info header in the first frame may say how many bytes the stream has. */
function mpegEnd(window: Window, skip: number): number {
  const frame = Buffer.from(bytesAt(window, skip, 64).buffer)
  const at = Math.max(frame.indexOf('Xing'), frame.indexOf('Info'))
  if (at < 4 || at > 40) return 0
  const flags = readUint32(frame, at + 4)
  if ((flags & 2) === 0) return 0
  const length = readUint32(frame, at + 8 + ((flags & 1) === 0 ? 0 : 4))
  // Encoders differ by a frame in what they count.
  return skip + length - 4_096
}

/** Whether the last page is all there. */
function oggEnds(window: Window): boolean {
  const longest = 27 + 255 + 255 * 255
  const from = Math.max(0, window.size - longest - 4_096)
  const tail = Buffer.from(bytesAt(window, from, longest + 4_096))
  const at = tail.lastIndexOf('OggS')
  if (at < 0) return false
  const count = tail[at + 26] ?? 255
  const body = tail.subarray(at + 27, at + 27 + count).reduce((sum, lace) => sum + lace, 0)
  return at + 27 + count + body <= tail.length
}

function bytesAt(window: Window, position: number, length: number): Uint8Array {
  const target = new Uint8Array(length)
  return target.subarray(0, window.read(target, position))
}
