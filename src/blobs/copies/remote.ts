import { z } from 'zod'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Copy, Range } from '../blobs.ts'
import type { BlobPeers, Purpose } from '../peers.ts'
import { type Watchdog, watch } from './watchdog.ts'

/**
 * A call to another node: `open` of the registry's calls, which this folder does not know. UNREACHABLE where the node does
 * not begin its answer by the deadline, or its body stalls; what the node refuses comes as the error that it names.
 */
export type OpenCall = (node: Id, request: BlobCall, limits: CallLimits) => Promise<BlobAnswer>

export interface BlobCall {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: AsyncIterable<Uint8Array>
  readonly repeatable?: boolean
  /** A large body is wanted, in large pieces, each of which is overwritten once the next one has been asked for. */
  readonly bulk?: boolean
}

export interface CallLimits {
  readonly deadlineMs: number
  readonly stallMs: number
  readonly signal?: AbortSignal | undefined
  /** Asks also a node that did not answer a moment ago. */
  readonly insist?: boolean
}

export interface BlobAnswer extends Disposable {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: AsyncIterable<Uint8Array>
}

/** Says to the other node why it is asked: see `Purpose`. */
export const purposeHeader = 'hocket-purpose'

export const blobSize = z.object({ size: z.int().nonnegative().nullable() })
export const blobVouch = z.object({ sound: z.boolean() })

/** How long a node may owe a byte, in milliseconds. */
const patienceMs: Readonly<Record<Purpose, number>> = { listen: 250, wait: 15_000, copy: 15_000 }
const askMs = 3_000
/** What a node does meanwhile may take long, but it sends a sign of life every second. */
const workMs = 15_000
/** The slowest line that an upload is finished over, in bytes a second. */
const slowestLine = 64 * 1_024
const mostAnswerBytes = 16_384

/** The blobs of other nodes, over HTTP: what `src/gateway/peers/blobs.ts` answers. */
export function createBlobPeers(call: OpenCall, live: () => readonly Id[]): BlobPeers {
  async function ask<Schema extends z.ZodType>(
    node: Id,
    request: BlobCall,
    schema: Schema,
    limits: CallLimits,
  ): Promise<z.output<Schema>> {
    using answer = await call(node, request, limits)
    const parsed = schema.safeParse(parseJson(await textOf(answer.body)))
    if (parsed.success) return parsed.data
    throw new CodedError('UNREACHABLE', `node ${node} did not answer as expected`)
  }

  async function size(node: Id, hash: BlobHash, limits: CallLimits): Promise<number | null> {
    const request: BlobCall = { method: 'GET', path: `${pathOf(hash)}/size` }
    return (await ask(node, request, blobSize, limits)).size
  }

  async function* chunks(
    node: Id,
    hash: BlobHash,
    purpose: Purpose,
    { start, end }: Range,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    if (start >= end) return
    const headers = { range: `bytes=${start}-${end - 1}`, [purposeHeader]: purpose }
    const request: BlobCall = { method: 'GET', path: pathOf(hash), headers, bulk: purpose === 'copy' }
    yield* piecesOf(await call(node, request, limitsOf(purpose, signal)), node, end - start)
  }

  /**
   * A copy in the background is nearly always read from its first byte to its last. So all of it is asked for at once, and
   * the answer tells how much that is: asking for the size first would take another turn to that node and back.
   */
  async function openWhole(node: Id, hash: BlobHash, signal?: AbortSignal): Promise<Copy> {
    const headers = { [purposeHeader]: 'copy' }
    const request: BlobCall = { method: 'GET', path: pathOf(hash), headers, bulk: true }
    const answer = await call(node, request, limitsOf('copy', signal)).catch((error: unknown) => {
      // What is damaged is no copy.
      throw isCoded(error, 'BLOB_CORRUPT') ? new CodedError('BLOB_MISSING', hash) : error
    })
    const size = Number(answer.headers['content-length'])
    let isUnread = true
    return {
      size,
      chunks(range = { start: 0, end: size }, readSignal = signal) {
        const isWhole = isUnread && readSignal === signal && range.start === 0 && range.end === size
        if (!isWhole) return chunks(node, hash, 'copy', range, readSignal)
        isUnread = false
        return piecesOf(answer, node, size)
      },
      [Symbol.dispose]: () => answer[Symbol.dispose](),
    }
  }

  return {
    live,
    size: (node, hash, signal) => size(node, hash, { deadlineMs: askMs, stallMs: askMs, signal }),

    async open(node, hash, purpose, signal): Promise<Copy> {
      if (purpose === 'copy') return await openWhole(node, hash, signal)
      const found = await size(node, hash, limitsOf(purpose, signal))
      if (found === null) throw new CodedError('BLOB_MISSING', `node ${node} has no ${hash}`)
      return {
        size: found,
        chunks: (range = { start: 0, end: found }, readSignal = signal) =>
          chunks(node, hash, purpose, range, readSignal),
        [Symbol.dispose]() {},
      }
    },

    async vouch(node, hash, signal) {
      const request: BlobCall = { method: 'POST', path: `${pathOf(hash)}/vouch`, repeatable: true }
      const limits = { deadlineMs: askMs, stallMs: workMs, signal }
      return (await ask(node, request, blobVouch, limits)).sound
    },

    async put(node, { hash, size: length }, source, signal) {
      using dog = watch(`node ${node}, which is to keep a blob`, workMs, signal)
      const request: BlobCall = {
        method: 'PUT',
        path: pathOf(hash),
        headers: { 'content-length': String(length), 'content-type': 'application/octet-stream' },
        body: taken(source, dog),
      }
      const deadlineMs = workMs + (length / slowestLine) * 1_000
      try {
        using _answer = await call(node, request, { deadlineMs, stallMs: workMs, signal: dog.signal })
      } catch (error) {
        if (dog.signal.aborted) throw dog.signal.reason
        throw isCoded(error) ? error : new CodedError('UNREACHABLE', undefined, { cause: error })
      }
    },
  }
}

/** The pieces of an answer, which must hold that many bytes. */
async function* piecesOf(answer: BlobAnswer, node: Id, bytes: number): AsyncGenerator<Uint8Array> {
  using held = answer
  let left = bytes
  for await (const piece of held.body) {
    left -= piece.length
    yield piece
  }
  if (left !== 0) throw new CodedError('UNREACHABLE', `node ${node} sent ${-left} bytes too many of a blob`)
}

function limitsOf(purpose: Purpose, signal: AbortSignal | undefined): CallLimits {
  const ms = patienceMs[purpose]
  // Who waits has nobody else to ask.
  return { deadlineMs: ms, stallMs: ms, signal, insist: purpose === 'wait' }
}

function pathOf(hash: BlobHash): string {
  return `/blobs/${hash}`
}

/** What is sent, while the watchdog sees that the other node takes it, and answers when it has all of it. */
async function* taken(source: AsyncIterable<Uint8Array>, dog: Watchdog): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    dog.touch()
    yield bytes
    dog.rest()
  }
  dog.touch()
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const bytes of body) {
    length += bytes.length
    if (length > mostAnswerBytes) throw new CodedError('UNREACHABLE', 'the answer is too long')
    pieces.push(bytes)
  }
  return Buffer.concat(pieces).toString()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
