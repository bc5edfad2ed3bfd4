import { CodedError } from '../../protocol/errors.ts'

/** A bounded number of places, given out in the order of asking. */
export interface Slots {
  /**
   * Waits for a place. Rejects with TRANSCODER_BUSY where too many wait already, or none came free in time, and with
   * the signal's reason. Dispose of the place when the work is done.
   */
  take(signal: AbortSignal): Promise<Disposable>
  status(): { running: number; waiting: number }
}

/** `places` at once; at most `queue` more wait, each for at most `patienceMs`. */
export function createSlots(limits: { places: number; queue: number; patienceMs: number }): Slots {
  let running = 0
  const waiting = new Set<(place: Disposable) => void>()

  const occupy = (): Disposable => {
    running += 1
    let held = true
    return {
      [Symbol.dispose]() {
        if (!held) return
        held = false
        running -= 1
        const next = waiting.values().next().value
        if (next === undefined) return
        waiting.delete(next)
        next(occupy())
      },
    }
  }

  return {
    take(signal) {
      signal.throwIfAborted()
      if (running < limits.places) return Promise.resolve(occupy())
      if (waiting.size >= limits.queue) {
        return Promise.reject(new CodedError('TRANSCODER_BUSY', `${waiting.size} are waiting`))
      }
      const { promise, resolve, reject } = Promise.withResolvers<Disposable>()
      const leave = (reason: unknown): void => {
        waiting.delete(resolve)
        reject(reason)
      }
      const abort = (): void => leave(signal.reason)
      const timer = setTimeout(() => leave(new CodedError('TRANSCODER_BUSY')), limits.patienceMs)
      signal.addEventListener('abort', abort, { once: true })
      waiting.add(resolve)
      return promise.finally(() => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
      })
    },
    status: () => ({ running, waiting: waiting.size }),
  }
}
