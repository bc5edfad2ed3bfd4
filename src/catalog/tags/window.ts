import { readSync } from 'node:fs'

/**
 * A file as the tag library sees it: bytes `start` to `end` of an open descriptor, read through one small buffer, with
 * a budget. The offset hides a monstrous tag at the front; the budget bounds what a file can make us read.
 */
export interface Window {
  /** Copies bytes from `position` into `target`; fewer than asked for at the end, or when the budget is spent. */
  read(target: Uint8Array, position: number): number
  readonly size: number
  /** Whether a read was cut short by the budget. */
  readonly exhausted: boolean
}

const chunk = 65_536

/** Opens a window; `buffer` (64 KiB) may be shared by windows that are not used at the same time. */
export function openWindow(
  descriptor: number,
  range: { start: number; end: number },
  budget: number,
  buffer = new Uint8Array(chunk),
): Window {
  const size = Math.max(0, range.end - range.start)
  let bufferStart = 0
  let bufferLength = 0
  let left = budget
  let exhausted = false

  function fill(position: number): boolean {
    if (left <= 0) {
      exhausted = true
      return false
    }
    bufferStart = position - (position % 4_096)
    bufferLength = readSync(descriptor, buffer, 0, buffer.length, range.start + bufferStart)
    left -= bufferLength
    return position < bufferStart + bufferLength
  }

  return {
    size,
    get exhausted() {
      return exhausted
    },
    read(target, position) {
      let done = 0
      while (done < target.length && position < size) {
        const inside = position >= bufferStart && position < bufferStart + bufferLength
        if (!inside && !fill(position)) break
        const offset = position - bufferStart
        const count = Math.min(target.length - done, bufferLength - offset, size - position)
        target.set(buffer.subarray(offset, offset + count), done)
        done += count
        position += count
      }
      return done
    },
  }
}

/** The big-endian number at `at`; 0 beyond the end. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return [0, 1, 2, 3].reduce((sum, index) => sum * 256 + (bytes[at + index] ?? 0), 0)
}
