/** Gathers text as bytes that stand in memory of their own, so that they can be handed to another thread. */
export interface Bytes {
  add(text: string): void
  /** All of it; nothing can be added any more. */
  end(): Uint8Array
}

/** The most bytes that one of a text's units becomes in UTF-8. */
const widest = 3

/**
 * `expected`: how many bytes it will be at most, or nearly; more is made room for as it comes. Memory that is not
 * written to costs nothing.
 *
 * Each text becomes bytes when it is added, while it is short: put together first, one letter that is not Latin would
 * make all of them twice as long, and what was put together would have to be gone through twice more.
 */
export function openBytes(expected: number): Bytes {
  let bytes = Buffer.allocUnsafeSlow(expected)
  let size = 0
  return {
    add(text) {
      const most = size + widest * text.length
      if (most > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(most, 2 * bytes.length))
        larger.set(bytes.subarray(0, size))
        bytes = larger
      }
      size += bytes.write(text, size)
    },
    end: () => new Uint8Array(bytes.buffer.transfer(size)),
  }
}
