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

  async function writeAll(): Promise<void> {
    while (waiting.size > 0) {
      for (const [token, { visits, at }] of [...waiting]) {
        waiting.delete(token)
        // A visit that cannot be counted does no harm.
        await countVisits(token, visits, at, AbortSignal.timeout(writeMs)).catch(onError)
      }
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
