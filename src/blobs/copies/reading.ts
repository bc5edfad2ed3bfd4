import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Copy, Range } from '../blobs.ts'
import type { Purpose } from '../peers.ts'

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

/** How long a node may owe a byte, in milliseconds. */
const patienceMs: Readonly<Record<Purpose, number>> = { listen: 250, wait: 15_000, copy: 15_000 }

/** How the bytes of another node's copy are read. */
export interface Reading {
  chunks(
    node: Id,
    hash: BlobHash,
    purpose: Purpose,
    range: Range,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array>
  /** `BlobPeers.open` for the purpose `copy`. */
  readonly openWhole: OpenWhole
}

export type OpenWhole = (node: Id, hash: BlobHash, signal?: AbortSignal) => Promise<Copy>

/**
 * Apart from what else nodes are asked about blobs: a thread that only fetches need not load how answers are checked, which
 * is most of what there is to load.
 */
export function createReading(call: OpenCall): Reading {
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

  return { chunks, openWhole }
}

/** The pieces of an answer, which must hold that many bytes. */
async function* piecesOf(answer: BlobAnswer, node: Id, bytes: number): AsyncGenerator<Uint8Array> {
  using held = answer
  let left = bytes
  for await (const piece of held.body) {
    left -= piece.length
    yield piece
  }
  if (left !== 0)
    throw new CodedError(
      'UNREACHABLE',
      `node ${node} sent ${bytes - left} bytes of a blob instead of ${bytes}`,
    )
}

export function limitsOf(purpose: Purpose, signal: AbortSignal | undefined): CallLimits {
  const ms = patienceMs[purpose]
  // Who waits has nobody else to ask.
  return { deadlineMs: ms, stallMs: ms, signal, insist: purpose === 'wait' }
}

export function pathOf(hash: BlobHash): string {
  return `/blobs/${hash}`
}
