import { setTimeout as pause } from 'node:timers/promises'
import { createLateness, type Lateness } from './lateness.ts'

/**
 * Leaves room for listeners: a copy for another node takes its turn here before each piece that is sent, and stands back
 * while someone waits for audio; what is received has a thread of its own, which the system keeps back. How much is sent
 * follows from how late this thread is with what is due, and not from a rate: an idle machine is used whole, and a small
 * one that is busy is left to those who listen.
 */
export interface Courtesy {
  /** Runs a read for a listener: until it ends, the background stands back. */
  listen<Result>(read: () => Promise<Result>): Promise<Result>
  /** Resolves when the background may move `bytes` more. */
  turn(bytes: number, signal?: AbortSignal): Promise<void>
  /** How many bytes have had their turn. */
  readonly moved: number
}

/** So long a piece waits at most, in milliseconds: a busy node is repaired slowly, but it is repaired. */
const longestWaitMs = 50
/** On a machine whose processors are all at work a thread is as late as that, whatever it rests. */
const toleratedMs = 10
/** So long after the last read for a listener, in milliseconds, the next one is expected: players fetch ahead. */
const listeningMs = 30_000

export function createCourtesy(lateness: Lateness = createLateness()): Courtesy {
  let listening = 0
  let listenedAt = Number.NEGATIVE_INFINITY
  let quiet = Promise.withResolvers<void>()
  let moved = 0

  /** Whether somebody listens, or did so a moment ago and is likely to go on. */
  const isHeard = () => listening > 0 || performance.now() - listenedAt < listeningMs

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
        listenedAt = performance.now()
        listening -= 1
        if (listening === 0) {
          quiet.resolve()
          quiet = Promise.withResolvers<void>()
        }
      }
    },

    async turn(bytes, signal) {
      signal?.throwIfAborted()
      const late = lateness() - toleratedMs
      await yieldToListeners(signal)
      moved += bytes
      if (late <= 0 || !isHeard()) return
      // The more it weighs on the thread, the longer it rests: the two settle where listeners hardly notice.
      await pause(Math.min(late, longestWaitMs), undefined, { signal })
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
