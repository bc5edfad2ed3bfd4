import { z } from 'zod'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Copy } from '../blobs.ts'
import type { BlobPeers } from '../peers.ts'
import { type BlobCall, type CallLimits, createReading, limitsOf, type OpenCall, pathOf } from './reading.ts'
import { type Watchdog, watch } from './watchdog.ts'

export const blobSize = z.object({ size: z.int().nonnegative().nullable() })
export const blobVouch = z.object({ sound: z.boolean() })

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

  const reading = createReading(call)

  return {
    live,
    size: (node, hash, signal) => size(node, hash, { deadlineMs: askMs, stallMs: askMs, signal }),

    async open(node, hash, purpose, signal): Promise<Copy> {
      if (purpose === 'copy') return await reading.openWhole(node, hash, signal)
      const found = await size(node, hash, limitsOf(purpose, signal))
      if (found === null) throw new CodedError('BLOB_MISSING', `node ${node} has no ${hash}`)
      return {
        size: found,
        chunks: (range = { start: 0, end: found }, readSignal = signal) =>
          reading.chunks(node, hash, purpose, range, readSignal),
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
