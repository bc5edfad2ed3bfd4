import type { BlobHash } from '../../protocol/ids.ts'
import type { Blobs, InPlace, PlacedFile, Reader } from '../blobs.ts'

/** The files of this node's music folders that hold this content, as the facts say. */
export type FilesInPlace = (hash: BlobHash) => readonly (PlacedFile & { readonly hash: BlobHash })[]

/** What this node has of a content, be it a blob or a file in a music folder: what it answers to other nodes. */
export interface HeldCopies {
  /** Null where it has none. */
  size(hash: BlobHash, signal?: AbortSignal): Promise<number | null>
  /** BLOB_MISSING, BLOB_CORRUPT, or what the file says. */
  open(hash: BlobHash, signal?: AbortSignal): Promise<Reader>
  /** See `Blobs.vouch`. A file in a music folder is vouched for by reading it whole: nobody here removes it. */
  vouch(hash: BlobHash, signal?: AbortSignal): Promise<boolean>
}

/** How fast a copy is read that another node asks about: it is in no hurry, and listeners are. */
const vouchBytesPerSecond = 64 * 1_024 * 1_024

export function createHeld(
  blobs: Pick<Blobs, 'size' | 'open' | 'vouch'> & { readonly inPlace: InPlace },
  filesInPlace: FilesInPlace,
): HeldCopies {
  /** The first of the files that can be read. */
  async function openInPlace(hash: BlobHash, signal?: AbortSignal): Promise<Reader | null> {
    for (const file of filesInPlace(hash)) {
      const reader = await blobs.inPlace.open(file, signal).catch(() => null)
      signal?.throwIfAborted()
      if (reader !== null) return reader
    }
    return null
  }

  return {
    async size(hash, signal) {
      const size = await blobs.size(hash, signal)
      if (size !== null) return size
      using reader = await openInPlace(hash, signal)
      return reader?.size ?? null
    },

    async open(hash, signal) {
      try {
        return await blobs.open(hash, signal)
      } catch (error) {
        signal?.throwIfAborted()
        const reader = await openInPlace(hash, signal)
        if (reader === null) throw error
        return reader
      }
    },

    async vouch(hash, signal) {
      const pace = { bytesPerSecond: vouchBytesPerSecond, ...(signal !== undefined && { signal }) }
      if (await blobs.vouch(hash, pace)) return true
      for (const file of filesInPlace(hash)) {
        const verdict = await blobs.inPlace.verify(file, pace).catch(() => 'absent')
        signal?.throwIfAborted()
        if (verdict === 'sound') return true
      }
      return false
    },
  }
}
