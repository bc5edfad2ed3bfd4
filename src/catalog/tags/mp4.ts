import { readUint32, type Window } from './window.ts'

const path = ['moov', 'udta', 'meta', 'ilst', 'rtng', 'data']

/**
 * The advisory of an M4A file, which TagLib does not map: 1 and 4 are explicit, 2 is clean, 0 says nothing. Undefined
 * where there is none, or the boxes make no sense.
 */
export function mp4Advisory(window: Window): number | undefined {
  let [start, end] = [0, window.size]
  for (const name of path) {
    const found = findBox(window, name, start, end)
    if (!found) return undefined
    // `meta` is a full box: four bytes of version and flags stand before its children.
    start = found.start + (name === 'meta' ? 4 : 0)
    end = found.end
  }
  const byte = new Uint8Array(1)
  // A data box begins with its type and locale, four bytes each.
  return window.read(byte, start + 8) === 1 ? byte[0] : undefined
}

/** The content of the first box of this name between two positions. */
function findBox(
  window: Window,
  name: string,
  start: number,
  end: number,
): { start: number; end: number } | undefined {
  const head = new Uint8Array(16)
  for (let at = start, boxes = 0; at + 8 <= end && boxes < 1_000; boxes++) {
    if (window.read(head, at) < 8) return undefined
    const short = readUint32(head, 0)
    const size =
      short === 1 ? readUint32(head, 8) * 2 ** 32 + readUint32(head, 12) : short === 0 ? end - at : short
    if (size < 8 || at + size > end) return undefined
    if (String.fromCharCode(...head.subarray(4, 8)) === name)
      return { start: at + (short === 1 ? 16 : 8), end: at + size }
    at += size
  }
  return undefined
}
