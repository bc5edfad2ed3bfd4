import { createHash, type Hash } from 'node:crypto'
import type { Production, Representation } from '../../media/serve/representation.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { CallAnswer } from '../../registry/calls.ts'

/** Asks for the bytes again, of whichever node answers first. */
export type Opened = (
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
) => Promise<CallAnswer>

/** How often one stream may lose its node. */
const mostChanges = 5

/** What is asked for first: little, so that a listener who wants another part costs little. */
export const beginning = { range: 'bytes=0-65535' } as const

/**
 * What another node made, or makes, as this one hands it out; `answer` is that to `beginning`. One of a part says that it
 * is complete, and can be had in ranges; otherwise it is still being made, and is read once.
 */
export function openMade(
  answer: CallAnswer,
  again: Opened,
  durationMs: number | undefined,
  signal: AbortSignal,
): Representation | Production {
  const { headers, status } = answer
  const mediaType = headers['content-type'] ?? 'application/octet-stream'
  const size = Number(/\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1])
  if (status === 206 && headers.etag !== undefined && Number.isSafeInteger(size)) {
    return { ...complete(answer, again, headers.etag, size), mediaType }
  }
  return {
    mediaType,
    ...(durationMs !== undefined && { durationMs }),
    bytes: readOn(answer, again, 0, signal),
    [Symbol.dispose]: () => answer[Symbol.dispose](),
  }
}

/** Ranges of one answer after another: a listener asks for them in a row, and then one answer serves them all. */
function complete(first: CallAnswer, again: Opened, etag: string, size: number) {
  let reading = startAt(first, 0, undefined)

  function startAt(answer: CallAnswer, at: number, signal: AbortSignal | undefined) {
    return { answer, at, chunks: readOn(answer, again, at, signal), rest: new Uint8Array() }
  }

  async function openAt(start: number, signal: AbortSignal): Promise<typeof reading> {
    close()
    const answer = await again({ range: `bytes=${start}-`, 'if-range': etag }, signal)
    if (answer.status === 206) return startAt(answer, start, signal)
    answer[Symbol.dispose]()
    throw new CodedError('UNREACHABLE', 'the node that had made it is gone')
  }

  function close(): void {
    reading.answer[Symbol.dispose]()
    void reading.chunks.return(undefined)
  }

  return {
    size,
    etag,
    async *open({ start, end }: { start: number; end: number }, signal: AbortSignal) {
      if (reading.at !== start) reading = await openAt(start, signal)
      while (reading.at < end) {
        if (reading.rest.length === 0) {
          const next = await reading.chunks.next()
          if (next.done === true) {
            reading = await openAt(reading.at, signal)
            continue
          }
          reading.rest = Uint8Array.from(next.value)
        }
        const piece = reading.rest.subarray(0, end - reading.at)
        reading.rest = reading.rest.subarray(piece.length)
        reading.at += piece.length
        yield piece
      }
    },
    [Symbol.dispose]: close,
  }
}

/**
 * The bytes of an answer that begins at `start`. Where its node dies, another is asked for the same, and goes on where
 * this one stopped (B5): by its tag, which promises the same bytes, or after what was read already has been read again
 * and compared.
 */
export async function* readOn(
  first: CallAnswer,
  again: Opened,
  start: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const heard = createHash('sha256')
  const { etag } = first.headers
  let at = start
  let answer = first
  let body: AsyncIterable<Uint8Array> = first.body
  for (let changes = 0; ; changes += 1) {
    try {
      for await (const chunk of body) {
        heard.update(chunk)
        at += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (changes === mostChanges || !isCoded(error, 'UNREACHABLE')) throw error
    } finally {
      answer[Symbol.dispose]()
    }
    const headers = etag === undefined ? {} : { range: `bytes=${at}-`, 'if-range': etag }
    answer = await again(headers, signal)
    body = answer.status === 206 ? answer.body : beyond(answer, { start, at, heard: heard.copy() })
  }
}

/** What comes after the bytes that were heard, if the same come before it. */
async function* beyond(
  answer: CallAnswer,
  { start, at, heard }: { readonly start: number; readonly at: number; readonly heard: Hash },
): AsyncGenerator<Uint8Array> {
  if (start !== 0) throw new CodedError('INTERNAL', 'no other node has made the same')
  const same = createHash('sha256')
  let left = at
  for await (const chunk of answer.body) {
    const before = chunk.subarray(0, left)
    left -= before.length
    if (before.length > 0) same.update(before)
    if (left > 0) continue
    if (before.length > 0 && !same.copy().digest().equals(heard.copy().digest())) {
      throw new CodedError('INTERNAL', 'another node makes other bytes of it')
    }
    if (before.length < chunk.length) yield chunk.subarray(before.length)
  }
  if (left > 0) throw new CodedError('INTERNAL', 'another node makes less of it')
}
