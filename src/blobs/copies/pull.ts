import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Blobs } from '../blobs.ts'
import type { Fetch, WantedBlob } from './fetch.ts'

export interface PullerOptions {
  readonly blobs: Pick<Blobs, 'keep'>
  readonly fetch: Fetch
  /** Told of a node that sent bytes which are not those of the name. */
  readonly onMismatch: (node: Id, hash: WantedBlob['hash']) => void
}

/**
 * Brings a blob here from the nodes, as `Fetch` does. What is kept has been compared with its name (B1, B2): where it is
 * another content, BLOB_MISMATCH.
 */
export type Puller = (blob: WantedBlob, nodes: readonly Id[], signal: AbortSignal) => Promise<void>

export function createPuller({ blobs, fetch, onMismatch }: PullerOptions): Puller {
  /** Answers which nodes sent bytes that are not those of the name: none where it is here now. */
  async function pull(blob: WantedBlob, nodes: readonly Id[], signal: AbortSignal): Promise<readonly Id[]> {
    let used: readonly Id[] = []
    const write = async (folder: string) => {
      const fetched = await fetch(blob, nodes, folder, signal)
      used = fetched.nodes
      return fetched
    }
    const options = { expected: blob.hash, signal, ...(blob.size !== undefined && { size: blob.size }) }
    try {
      await blobs.keep(write, options)
      return []
    } catch (error) {
      if (isCoded(error, 'BLOB_MISMATCH')) return used
      throw error
    }
  }

  return async (blob, nodes, signal) => {
    const suspects = await pull(blob, nodes, signal)
    if (suspects.length === 0) return
    // Someone sent other bytes. Each is asked for the whole, the ones that sent nothing first.
    const order = [...nodes.filter((node) => !suspects.includes(node)), ...suspects]
    let failure: unknown
    for (const node of order) {
      try {
        const wrong = await pull(blob, [node], signal)
        if (wrong.length === 0) return
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

/** The trouble of this node's own disk: no other node can help. */
export function isDiskTrouble(error: unknown): error is CodedError {
  return isCoded(error, 'DISK_FULL') || isCoded(error, 'DISK_READ_ONLY') || isCoded(error, 'DISK_FAILED')
}
