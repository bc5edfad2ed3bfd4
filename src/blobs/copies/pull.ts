import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Blobs } from '../blobs.ts'
import type { BlobPeers } from '../peers.ts'
import type { Courtesy } from './courtesy.ts'

export interface PullerOptions {
  readonly blobs: Pick<Blobs, 'put'>
  readonly peers: Pick<BlobPeers, 'open'>
  readonly courtesy: Courtesy
  /** Told of a node that sent bytes which are not those of the name. */
  readonly onMismatch: (node: Id, hash: BlobHash) => void
}

/**
 * Brings a blob here from the nodes, asked one after another; one that fails in the middle is replaced by the next at the
 * same byte. What is kept has been compared with its name (B1, B2). BLOB_MISSING where all of them answered and none has
 * it, else UNREACHABLE or BLOB_MISMATCH; DISK_FULL and its like where it cannot be kept here.
 */
export type Puller = (blob: PullBlob, nodes: readonly Id[], signal: AbortSignal) => Promise<void>

export interface PullBlob {
  readonly hash: BlobHash
  /** Where it is known. */
  readonly size?: number
}

export function createPuller({ blobs, peers, courtesy, onMismatch }: PullerOptions): Puller {
  /** The bytes, from one node after another; `used` gets those that sent any. */
  async function* bytesFrom(
    { hash, size }: PullBlob,
    nodes: readonly Id[],
    used: Set<Id>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let at = 0
    let failure: unknown
    for (const node of nodes) {
      try {
        using copy = await peers.open(node, hash, 'copy', signal)
        if (size !== undefined && copy.size !== size) throw new CodedError('BLOB_CORRUPT', hash)
        for await (const bytes of gathered(copy.chunks({ start: at, end: copy.size }, signal))) {
          used.add(node)
          await courtesy.turn(bytes.length, signal)
          at += bytes.length
          yield bytes
        }
        return
      } catch (error) {
        signal.throwIfAborted()
        // That nobody has it is only said where nobody was silent.
        if (failure === undefined || isCoded(failure, 'BLOB_MISSING')) failure = error
      }
    }
    throw failure ?? new CodedError('BLOB_MISSING', `no live node has ${hash}`)
  }

  async function pull(blob: PullBlob, nodes: readonly Id[], signal: AbortSignal): Promise<ReadonlySet<Id>> {
    const used = new Set<Id>()
    const options = { expected: blob.hash, signal, ...(blob.size !== undefined && { size: blob.size }) }
    try {
      await blobs.put(bytesFrom(blob, nodes, used, signal), options)
      return new Set()
    } catch (error) {
      if (isCoded(error, 'BLOB_MISMATCH')) return used
      throw error
    }
  }

  return async (blob, nodes, signal) => {
    const suspects = await pull(blob, nodes, signal)
    if (suspects.size === 0) return
    // Someone sent other bytes. Each is asked for the whole, the ones that sent nothing first.
    const order = [...nodes.filter((node) => !suspects.has(node)), ...suspects]
    let failure: unknown
    for (const node of order) {
      try {
        const wrong = await pull(blob, [node], signal)
        if (wrong.size === 0) return
        onMismatch(node, blob.hash)
        failure = new CodedError('BLOB_MISMATCH', `node ${node} sends other bytes`)
      } catch (error) {
        signal.throwIfAborted()
        if (isDiskTrouble(error)) throw error
        failure ??= error
      }
    }
    throw failure
  }
}

/** TLS brings pieces of 16 KiB at most; larger ones cost a fraction of the calls to write and to hash them. */
const pieceBytes = 256 * 1_024

async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes)
  let filled = 0
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(bytes.length - at, pieceBytes - filled)
      piece.set(bytes.subarray(at, at + taken), filled)
      at += taken
      filled += taken
      if (filled < pieceBytes) continue
      yield piece
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}

/** The trouble of this node's own disk: no other node can help. */
export function isDiskTrouble(error: unknown): error is CodedError {
  return isCoded(error, 'DISK_FULL') || isCoded(error, 'DISK_READ_ONLY') || isCoded(error, 'DISK_FAILED')
}
