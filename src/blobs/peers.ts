import type { BlobHash, Id } from '../protocol/ids.ts'
import type { Copy } from './blobs.ts'

/**
 * The port to the bytes of the other media nodes. Every call ends by a deadline of its own and rejects with UNREACHABLE
 * where the node does not answer by then (N3), or with the signal's reason. `copies/remote.ts` implements it over HTTP.
 */
export interface BlobPeers {
  /** The other media nodes that are alive. From memory, and a new array with each change. */
  live(): readonly Id[]

  /** The size in bytes of that node's copy, as a blob or in a music folder; null where it has none. */
  size(node: Id, hash: BlobHash, signal?: AbortSignal): Promise<number | null>

  /**
   * Opens that node's copy. BLOB_MISSING, BLOB_CORRUPT. Every block is compared with its sum before it leaves that node,
   * but nothing here compares the whole with its name: whoever keeps the bytes does (`Blobs.put` with `expected`).
   */
  open(node: Id, hash: BlobHash, purpose: Purpose, signal?: AbortSignal): Promise<Copy>

  /**
   * Whether that node has just read its copy whole, found it sound, and is not about to drop it: what counts before
   * another copy may go (B4, see `Blobs.vouch`).
   */
  vouch(node: Id, hash: BlobHash, signal?: AbortSignal): Promise<boolean>

  /**
   * Has that node keep the bytes; they are durable there when this resolves (B2). `source` is read once. BLOB_MISMATCH,
   * DISK_FULL, DISK_READ_ONLY, DISK_FAILED.
   */
  put(node: Id, blob: BlobToSend, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>
}

export interface BlobToSend {
  readonly hash: BlobHash
  readonly size: number
}

/**
 * Why a copy is read. `listen`: someone hears it, so a node that owes a byte for 250 ms is given up (B5). `wait`: the
 * same, where no other copy is left: the node may wake its disk first. `copy`: work in the background, which yields to
 * listeners at both ends.
 */
export type Purpose = 'listen' | 'wait' | 'copy'
