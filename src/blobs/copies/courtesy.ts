import { setTimeout as pause } from 'node:timers/promises'

/**
 * Leaves room for listeners: work in the background takes its turn here before each piece that it moves, at both ends,
 * and stands back while someone waits for audio.
 */
export interface Courtesy {
  /** Runs a read for a listener: until it ends, the background stands back. */
  listen<Result>(read: () => Promise<Result>): Promise<Result>
  /** Resolves when the background may move `bytes` more. */
  turn(bytes: number, signal?: AbortSignal): Promise<void>
  /** How many bytes have had their turn. */
  readonly moved: number
}

/** So long a piece waits for listeners at most, in milliseconds: a busy node is repaired slowly, but it is repaired. */
const longestWaitMs = 50
/** After a pause, so many milliseconds' worth of bytes may move at once. */
const burstMs = 250

/** `bytesPerSecond`: how fast the background goes at most; infinite where only listeners slow it down. */
export function createCourtesy(bytesPerSecond: number): Courtesy {
  let listening = 0
  let quiet = Promise.withResolvers<void>()
  let moved = 0
  /** When all that has been let through would have gone at the rate. */
  let paidUntil = 0

  async function yieldToListeners(signal?: AbortSignal): Promise<void> {
    if (listening === 0) return
    const late = new AbortController()
    const wait = pause(longestWaitMs, undefined, { signal: late.signal }).catch(() => undefined)
    await Promise.race([quiet.promise, wait])
    late.abort()
    signal?.throwIfAborted()
  }

  return {
    async listen(read) {
      listening += 1
      try {
        return await read()
      } finally {
        listening -= 1
        if (listening === 0) {
          quiet.resolve()
          quiet = Promise.withResolvers<void>()
        }
      }
    },

    async turn(bytes, signal) {
      signal?.throwIfAborted()
      await yieldToListeners(signal)
      moved += bytes
      if (bytesPerSecond === Number.POSITIVE_INFINITY) return
      const now = performance.now()
      paidUntil = Math.max(paidUntil, now - burstMs) + (bytes / bytesPerSecond) * 1_000
      if (paidUntil > now) await pause(paidUntil - now, undefined, { signal })
    },

    get moved() {
      return moved
    },
  }
}

/** The pieces of `source` for a listener: while they wait for one, the background stands back. */
export async function* forListener(
  source: AsyncIterable<Uint8Array>,
  courtesy: Pick<Courtesy, 'listen'>,
): AsyncGenerator<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await courtesy.listen(() => pieces.next())
      if (next.done) return
      yield next.value
    }
  } finally {
    await pieces.return?.()
  }
}
