import { setTimeout as pause } from 'node:timers/promises'
import type { Listening } from '../../listening/listening.ts'

/** Counts who looks at shares. */
export interface Visits extends AsyncDisposable {
  count(token: string): void
}

/** A share that many look at is written this seldom, in milliseconds, however many they are. */
const writesEveryMs = 2_000
const writeMs = 10_000

/** The first visit is written at once; those that come while one is written, or soon after, go together. */
export function createVisits(
  { countVisits }: Pick<Listening, 'countVisits'>,
  onError: (error: unknown) => void,
): Visits {
  const waiting = new Map<string, { visits: number; at: number }>()
  const ending = new AbortController()
  let writing: Promise<void> | undefined

  /** The store was slow, or away: they are counted with the next ones. */
  function putBack(token: string, visits: number, at: number): void {
    const since = waiting.get(token)
    waiting.set(token, { visits: visits + (since?.visits ?? 0), at: since?.at ?? at })
  }

  async function writeAll(): Promise<void> {
    while (waiting.size > 0) {
      for (const [token, { visits, at }] of [...waiting]) {
        waiting.delete(token)
        await countVisits(token, visits, at, AbortSignal.timeout(writeMs)).catch((error: unknown) => {
          onError(error)
          putBack(token, visits, at)
        })
      }
      // What cannot be counted before the end does no harm.
      if (ending.signal.aborted) return
      await pause(writesEveryMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined)
    }
    writing = undefined
  }

  return {
    count(token) {
      const before = waiting.get(token)?.visits ?? 0
      waiting.set(token, { visits: before + 1, at: Date.now() })
      writing ??= writeAll()
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await writing
    },
  }
}
