import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Written } from '../blobs.ts'
import { diskError } from '../disk-errors.ts'
import { type OpenWriter, writeTemporary } from '../temporary.ts'
import type { OpenWhole } from './reading.ts'

/**
 * Brings the bytes of a blob into a new file of a folder, from the nodes, asked one after another; one that fails in the
 * middle is replaced by the next at the same byte. They are hashed and durable, and have not been compared with their
 * name. BLOB_MISSING where all of the nodes answered and none has it, else UNREACHABLE; DISK_FULL and its like.
 */
export type Fetch = (
  blob: WantedBlob,
  nodes: readonly Id[],
  folder: string,
  signal: AbortSignal,
) => Promise<Fetched>

export interface WantedBlob {
  readonly hash: BlobHash
  /** Where it is known. */
  readonly size?: number
}

export interface Fetched extends Written {
  /** Those that sent bytes. */
  readonly nodes: readonly Id[]
}

export function createFetch(open: OpenWhole, openWriter?: OpenWriter): Fetch {
  /** The bytes, from one node after another; `used` gets those that sent any. */
  async function* bytesFrom(
    { hash, size }: WantedBlob,
    nodes: readonly Id[],
    used: Set<Id>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let at = 0
    let failure: unknown
    for (const node of nodes) {
      try {
        using copy = await open(node, hash, signal)
        if (size !== undefined && copy.size !== size) throw new CodedError('BLOB_CORRUPT', hash)
        for await (const bytes of copy.chunks({ start: at, end: copy.size }, signal)) {
          used.add(node)
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

  return async (blob, nodes, folder, signal) => {
    const used = new Set<Id>()
    try {
      const written = await writeTemporary(folder, bytesFrom(blob, nodes, used, signal), signal, openWriter)
      return { ...written, nodes: [...used] }
    } catch (error) {
      throw diskError(error)
    }
  }
}
