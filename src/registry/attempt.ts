import type { IncomingHttpHeaders } from 'node:http'
import { afterSilence } from './patience.ts'

/** A request to another node. */
export interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | AsyncIterable<Uint8Array> | undefined
  readonly repeatable: boolean
  /** See `CallRequest`. */
  readonly bulk: boolean
}

/** An answer that has begun. */
export interface Incoming {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The body as it comes, to be read once. */
  pieces(): AsyncGenerator<Uint8Array, undefined>
  /** Whether all of it has come. */
  isComplete(): boolean
  /** Gives it up, and its connection, unless it is over. Whoever reads it hears of the error. */
  destroy(error?: Error): void
  /** Nobody reads on: what has come whole leaves its connection to the next request. */
  leave(): void
  /** Calls `listener` when it is over, however it ends. */
  onClose(listener: () => void): void
}

/** A request that is being sent to one address. */
export interface Attempt {
  /** Rejects with whatever kept the answer from beginning. */
  readonly answered: Promise<Incoming>
  wasConnected(): boolean
  /** Whether it went out on a connection that was kept: the other side may have closed that a moment before. */
  wasKept(): boolean
  destroy(error: Error): void
}

export interface AttemptLimits {
  /** Until the answer begins, in milliseconds. */
  readonly deadlineMs: number
  /** Until there is a connection, in milliseconds. */
  readonly connectMs: number
  readonly signal: AbortSignal | undefined
}

/** The attempt's answer; the attempt is destroyed where it does not begin in time. */
export async function inTime(attempt: Attempt, limits: AttemptLimits): Promise<Incoming> {
  const { deadlineMs, connectMs, signal } = limits
  const aborted = () => attempt.destroy(new Error('aborted'))
  const heard = afterSilence(deadlineMs, () =>
    attempt.destroy(new Error(`no answer in ${Math.round(deadlineMs)} ms`)),
  )
  const unconnected = setTimeout(() => {
    if (!attempt.wasConnected()) attempt.destroy(new Error('no connection'))
  }, connectMs)
  signal?.addEventListener('abort', aborted)
  try {
    return await attempt.answered
  } finally {
    heard()
    clearTimeout(unconnected)
    signal?.removeEventListener('abort', aborted)
  }
}
