import { setTimeout as pause } from 'node:timers/promises'
import type { Fetch, Fetched, FetchRequest } from '../outward/fetch.ts'
import { isCoded } from '../protocol/errors.ts'

/** What breaks off so often in a row, with not one byte more, is left for another time. */
const mostBreaks = 5
/** Milliseconds before the rest is asked for; twice as long each further time. */
const shortestPauseMs = 500

/**
 * The bytes of what was found, to their end. Where the connection breaks off, the rest is asked for, of a server that
 * says by a mark that it is of the very same file (`If-Range`): of any other the error is passed on, as it is where
 * that does not help.
 */
export async function* continued(
  fetch: Fetch,
  request: FetchRequest,
  found: Fetched,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const until = performance.now() + request.deadlineMs
  const mark = markOf(found)
  let at = 0
  let breaks = 0

  /** Answers the error with which it broke off. */
  async function* read({ bytes }: Fetched): AsyncGenerator<Uint8Array, unknown> {
    try {
      for await (const piece of bytes) {
        at += piece.length
        breaks = 0
        yield piece
      }
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      return error
    }
  }

  for (let error = yield* read(found); error !== undefined; ) {
    const deadlineMs = until - performance.now()
    const mayGoOn = isCoded(error, 'SERVICE_UNAVAILABLE') && breaks < mostBreaks && deadlineMs > 0
    if (mark === undefined || !mayGoOn) throw error
    await pause(shortestPauseMs * 2 ** breaks, undefined, { signal })
    breaks += 1
    const headers = { ...request.headers, range: `bytes=${at}-`, 'if-range': mark }
    const mostBytes = request.mostBytes - at
    try {
      using rest = await fetch({ ...request, headers, mostBytes, deadlineMs }, signal)
      if (!isRest(rest, at, found)) throw error
      error = yield* read(rest)
    } catch (another) {
      signal.throwIfAborted()
      if (another === error) throw error
      error = another
    }
  }
}

/** What names this very file: an entity tag that promises every byte, or else when it was last changed. */
function markOf({ header }: Fetched): string | undefined {
  const tag = header('etag')
  return tag?.startsWith('"') === true ? tag : header('last-modified')
}

/** Whether the answer is what follows the first `at` bytes of what was found. */
function isRest({ status, header }: Fetched, at: number, { size }: Fetched): boolean {
  const [, from, whole] =
    /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(header('content-range') ?? '') ?? []
  const isWhole = size === undefined || whole === '*' || Number(whole) === size
  return status === 206 && Number(from) === at && isWhole
}
