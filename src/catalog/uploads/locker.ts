import type { Locker } from '@tus/server'
import { CodedError } from '../../protocol/errors.ts'

interface Held {
  /** Asks the holder to come to an end. */
  readonly ask: () => void
  readonly waiting: (() => void)[]
}

/** A cut connection is noticed late; its request is asked to end, and gets this long for it. Milliseconds. */
const patienceMs = 10_000

/**
 * One request at a time for each upload, in the order in which they came. (The locker that comes with the tus server
 * asks again in every turn of the event loop, on the thread that serves audio.)
 */
export function createLocker(): Locker {
  const locks = new Map<string, Held>()

  function take(id: string, ask: () => void): void {
    locks.set(id, { ask, waiting: locks.get(id)?.waiting ?? [] })
  }

  async function wait(held: Held, signal: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>()
    const giveUp = () => turn.reject(new CodedError('UPLOAD_LOCKED'))
    const timer = setTimeout(giveUp, patienceMs)
    signal.addEventListener('abort', giveUp, { once: true })
    held.waiting.push(turn.resolve)
    try {
      await turn.promise
    } catch (error) {
      held.waiting.splice(held.waiting.indexOf(turn.resolve), 1)
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
  }

  return {
    newLock: (id) => ({
      async lock(signal, requestRelease) {
        const held = locks.get(id)
        if (held) {
          held.ask()
          await wait(held, signal)
        }
        take(id, () => void requestRelease())
      },
      async unlock() {
        const next = locks.get(id)?.waiting.shift()
        // The one whose turn it is takes the lock over: it is never free in between.
        if (next) next()
        else locks.delete(id)
      },
    }),
  }
}
