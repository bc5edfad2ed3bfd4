import { isComplete, type Production, type Representation } from '../serve/representation.ts'
import type { Draft } from './draft.ts'

/** One making of a rendition, followed by any number of listeners, who each read the file that it grows. */
export interface Run {
  /** Settles when the first bytes are there, or with what went wrong before. */
  readonly started: Promise<void>
  /** Settles, never rejecting, when nothing more will be written. */
  readonly finished: Promise<void>
  /** Takes part. A run that its last listener leaves is given up, unless it is complete. */
  join(): Listener
}

export interface Listener extends Disposable {
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface RunParts {
  produce(signal: AbortSignal): Promise<Representation | Production>
  draft(): Promise<Draft>
  /** Whether the cache keeps the result. */
  readonly keep: boolean
  /** Everybody has left before it was complete: nobody is to join it any more. */
  abandoned(): void
}

const pieceSize = 64 * 1_024

export function startRun(parts: RunParts): Run {
  const stop = new AbortController()
  const started = Promise.withResolvers<void>()
  let grown = Promise.withResolvers<void>()
  let state: { at: 'making' } | { at: 'made' } | { at: 'failed'; error: unknown } = { at: 'making' }
  let draft: Draft | null = null
  let listeners = 0
  started.promise.catch(() => {})

  const tell = (): void => {
    grown.resolve()
    grown = Promise.withResolvers()
  }
  const closeWhenLeft = (): void => {
    if (listeners === 0 && state.at !== 'making') void draft?.close().catch(() => {})
  }

  async function make(): Promise<void> {
    try {
      using production = await parts.produce(stop.signal)
      draft = await parts.draft()
      const bytes = isComplete(production)
        ? production.open({ start: 0, end: production.size }, stop.signal)
        : production.bytes
      for await (const chunk of bytes) {
        stop.signal.throwIfAborted()
        await draft.write(chunk)
        started.resolve()
        tell()
      }
      stop.signal.throwIfAborted()
      if (parts.keep) await draft.complete()
      state = { at: 'made' }
    } catch (error) {
      state = { at: 'failed', error }
      started.reject(error)
    }
    started.resolve()
    tell()
    closeWhenLeft()
  }

  async function* follow(left: AbortSignal): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(pieceSize)
    let position = 0
    for (;;) {
      // Asked for before reading, so that what is written meanwhile is not missed.
      const more = grown.promise
      const at = state
      const count = left.aborted || draft === null ? 0 : await draft.read(buffer, position)
      position += count
      if (left.aborted) return
      if (count > 0) yield buffer.subarray(0, count)
      else if (at.at === 'failed') throw at.error
      else if (at.at === 'made') return
      else await more
    }
  }

  const finished = make()
  return {
    started: started.promise,
    finished,
    join() {
      listeners += 1
      const left = new AbortController()
      return {
        bytes: follow(left.signal),
        [Symbol.dispose]() {
          if (left.signal.aborted) return
          left.abort()
          listeners -= 1
          if (listeners === 0 && state.at === 'making') {
            parts.abandoned()
            stop.abort(new Error('nobody listens any more'))
          }
          tell()
          closeWhenLeft()
        },
      }
    },
  }
}
