import type { Readable } from 'node:stream'
import { CodedError } from '../../protocol/errors.ts'

/** Ends what waits for another node once that owes something for too long (N3). */
export interface Watchdog extends Disposable {
  /** Aborted with UNREACHABLE, or with the reason of the signal that was given. */
  readonly signal: AbortSignal
  /** Something came, and more is due. */
  touch(): void
  /** Nothing is due: it is our turn. */
  rest(): void
}

/** `patienceMs`: how long the other side may owe something, from now on. */
export function watch(what: string, patienceMs: number, given?: AbortSignal): Watchdog {
  const ended = new AbortController()
  const forward = () => ended.abort(given?.reason)
  if (given?.aborted) forward()
  given?.addEventListener('abort', forward, { once: true })
  let isDue = true
  let touches = 0
  let timer = setTimeout(bark, patienceMs)

  /** What came while this process was busy itself is read before anyone is given up. */
  function bark(): void {
    const before = touches
    setImmediate(() => {
      if (isDue && touches === before)
        ended.abort(new CodedError('UNREACHABLE', `nothing came of ${what} for ${patienceMs} ms`))
    })
  }

  return {
    signal: ended.signal,
    touch() {
      touches += 1
      isDue = true
      clearTimeout(timer)
      timer = setTimeout(bark, patienceMs)
    },
    rest() {
      touches += 1
      isDue = false
      clearTimeout(timer)
    },
    [Symbol.dispose]() {
      isDue = false
      clearTimeout(timer)
      given?.removeEventListener('abort', forward)
    },
  }
}

/** The bytes of a stream as they come; the other side is given up when it owes a piece for too long. */
export async function* readWatched(stream: Readable, dog: Watchdog): AsyncGenerator<Uint8Array> {
  const giveUp = () => stream.destroy(new Error('given up'))
  dog.signal.addEventListener('abort', giveUp, { once: true })
  try {
    dog.signal.throwIfAborted()
    for await (const bytes of stream) {
      dog.rest()
      if (bytes instanceof Uint8Array) yield bytes
      dog.touch()
    }
  } catch (error) {
    // What the watchdog says is truer than how the connection felt about it.
    if (dog.signal.aborted) throw dog.signal.reason
    throw new CodedError('UNREACHABLE', undefined, { cause: error })
  } finally {
    dog.signal.removeEventListener('abort', giveUp)
    stream.destroy()
  }
}
