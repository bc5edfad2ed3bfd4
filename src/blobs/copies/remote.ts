import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { problemDocument } from '../../protocol/api/problem.ts'
import { CodedError, type ErrorCode, errorCodes } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Copy, Range } from '../blobs.ts'
import type { BlobPeers, Purpose } from '../peers.ts'
import { failure, readWatched, type Watchdog, watch } from './watchdog.ts'

/** Sends a request to another node and resolves with the head of its answer. UNREACHABLE. */
export type SendToNode = (node: Id, request: NodeRequest) => Promise<NodeAnswer>

export interface NodeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
}

export interface NodeAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Must be read to its end or destroyed. */
  readonly body: Readable
}

/** Says to the other node why it is asked: see `Purpose`. */
export const purposeHeader = 'hocket-purpose'

/** How long a node may owe a byte, in milliseconds. */
const patienceMs: Readonly<Record<Purpose, number>> = { listen: 250, wait: 15_000, copy: 15_000 }
const askMs = 3_000
/** What a node does meanwhile may take long, but it sends a sign of life every second. */
const workMs = 15_000
const mostAnswerBytes = 16_384

const vouched = z.object({ sound: z.boolean() })

/** The blobs of other nodes, over HTTP: what `src/gateway/peers/blobs.ts` answers. */
export function createBlobPeers(send: SendToNode, live: () => readonly Id[]): BlobPeers {
  async function size(
    node: Id,
    hash: BlobHash,
    patience: number,
    signal?: AbortSignal,
  ): Promise<number | null> {
    using dog = watch(`a blob of node ${node}`, patience, signal)
    const request: NodeRequest = { method: 'HEAD', path: pathOf(hash), signal: dog.signal }
    const { status, headers, body } = await reach(send(node, request), dog)
    body.destroy()
    if (status === 404) return null
    const found = Number(headers['content-length'])
    if (status !== 200 || !Number.isSafeInteger(found))
      throw new CodedError(status === 503 ? 'BLOB_CORRUPT' : 'UNREACHABLE', `node ${node} answered ${status}`)
    return found
  }

  async function* chunks(
    node: Id,
    hash: BlobHash,
    purpose: Purpose,
    { start, end }: Range,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    if (start >= end) return
    using dog = watch(`a blob of node ${node}`, patienceMs[purpose], signal)
    const headers = { range: `bytes=${start}-${end - 1}`, [purposeHeader]: purpose }
    const request: NodeRequest = { method: 'GET', path: pathOf(hash), headers, signal: dog.signal }
    const { status, body } = await reach(send(node, request), dog)
    if (status !== 206) throw await problemIn(status, body, node)
    let left = end - start
    for await (const bytes of readWatched(body, dog)) {
      left -= bytes.length
      yield bytes
    }
    if (left !== 0) throw new CodedError('UNREACHABLE', `node ${node} ended a blob ${left} bytes too early`)
  }

  return {
    live,
    size: (node, hash, signal) => size(node, hash, askMs, signal),

    async open(node, hash, purpose, signal): Promise<Copy> {
      const found = await size(node, hash, patienceMs[purpose], signal)
      if (found === null) throw new CodedError('BLOB_MISSING', `node ${node} has no ${hash}`)
      return {
        size: found,
        chunks: (range = { start: 0, end: found }, readSignal = signal) =>
          chunks(node, hash, purpose, range, readSignal),
        [Symbol.dispose]() {},
      }
    },

    async vouch(node, hash, signal) {
      using dog = watch(`a copy that node ${node} reads`, workMs, signal)
      const request: NodeRequest = { method: 'POST', path: `${pathOf(hash)}/vouch`, signal: dog.signal }
      const { status, body } = await reach(send(node, request), dog)
      if (status !== 200) throw await problemIn(status, body, node)
      return vouched.parse(JSON.parse(await textOf(body, dog))).sound
    },

    async put(node, { hash, size: length }, source, signal) {
      using dog = watch(`node ${node}, which is to keep a blob`, workMs, signal)
      const request: NodeRequest = {
        method: 'PUT',
        path: pathOf(hash),
        headers: { 'content-length': String(length), 'content-type': 'application/octet-stream' },
        body: taken(source, dog),
        signal: dog.signal,
      }
      const { status, body } = await reach(send(node, request), dog)
      if (status !== 204) throw await problemIn(status, body, node)
      body.destroy()
    },
  }
}

function pathOf(hash: BlobHash): string {
  return `/blobs/${hash}`
}

/** The answer's head; what the watchdog says is truer than how the connection felt about it. */
async function reach(answer: Promise<NodeAnswer>, dog: Watchdog): Promise<NodeAnswer> {
  try {
    const head = await answer
    dog.touch()
    return head
  } catch (error) {
    throw failure(error, dog)
  }
}

/** What is sent, while the watchdog sees that the other node takes it. */
async function* taken(source: AsyncIterable<Uint8Array>, dog: Watchdog): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    dog.touch()
    yield bytes
    dog.rest()
  }
  dog.touch()
}

async function textOf(body: Readable, dog: Watchdog): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const bytes of readWatched(body, dog)) {
    length += bytes.length
    if (length > mostAnswerBytes) throw new CodedError('UNREACHABLE', 'the answer is too long')
    pieces.push(bytes)
  }
  return Buffer.concat(pieces).toString()
}

/** The coded error in a problem document; UNREACHABLE where there is none that is known here. */
async function problemIn(status: number, body: Readable, node: Id): Promise<CodedError> {
  using dog = watch(`node ${node}`, askMs)
  try {
    const problem = problemDocument.parse(JSON.parse(await textOf(body, dog)))
    if (isErrorCode(problem.code)) return new CodedError(problem.code, problem.detail)
  } catch {
    // It says no more than its status.
  }
  return new CodedError('UNREACHABLE', `node ${node} answered ${status}`)
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}
