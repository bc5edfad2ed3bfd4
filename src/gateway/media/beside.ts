import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Places } from '../../catalog/places.ts'
import type { Originals } from '../../media/originals.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { Beside as BesideBlob } from '../../protocol/facts/catalog.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import { pathOf } from './tracks.ts'

/** Pictures and lyrics beside the music, as they can be had at this node. */
export interface Beside {
  /** The file as it is now; null where its library is not on this node, or nothing is there. */
  find(library: Id, path: string): Promise<FoundFile | null>
  /** What was in the file when it was read whole, from a copy here or on another node; null where none can be had. */
  copy(is: BesideBlob, signal: AbortSignal): Promise<{ readonly bytes: Uint8Array } | null>
}

export interface FoundFile {
  readonly path: string | Buffer
  readonly stats: Stats
}

export interface BesideParts {
  readonly places: Pick<Places, 'root'>
  readonly originals: Pick<Originals, 'open'>
}

export function createBeside({ places, originals }: BesideParts): Beside {
  return {
    async find(library, path) {
      const absolute = pathOf(places, library, path)
      const stats = absolute === null ? null : await stat(absolute).catch(() => null)
      return absolute === null || stats?.isFile() !== true ? null : { path: absolute, stats }
    },

    async copy({ blob, size }, signal) {
      try {
        using original = await originals.open(originalOf(blob), signal)
        const bytes = Buffer.alloc(size)
        let at = 0
        for await (const piece of original.open({ start: 0, end: size }, signal)) {
          bytes.set(piece, at)
          at += piece.length
        }
        return { bytes }
      } catch (error) {
        signal.throwIfAborted()
        if (!isCoded(error)) throw error
        return null
      }
    },
  }
}

/** The blob as an original of which no file is known: it is read from any copy, and on from the next one (B5). */
function originalOf(blob: BlobHash) {
  const known = { title: blob, fingerprint: blob, blob, modifiedAt: undefined }
  return { ...known, mediaType: 'application/octet-stream', places: [], elsewhere: [] }
}
