import type { PlacedFile } from '../blobs/blobs.ts'
import type { Index } from '../index/index.ts'
import { remember } from '../index/remember.ts'
import { type Library, library as librarySchema } from '../protocol/facts/catalog.ts'
import type { BlobHash, Id, Timestamp } from '../protocol/ids.ts'
import { pathBytes } from './scan/path.ts'

/** Where a file stands, as facts say it. */
interface Place {
  readonly library: Id
  readonly path: string
  readonly modifiedAt: Timestamp
}

/** What of the catalog lies on the disks of this node. Microseconds, on the calling thread. */
export interface Places {
  /** Whether the library's folder is one of this node's. */
  isHere(library: Pick<Library, 'path' | 'node'>): boolean
  /**
   * The files of a track as the blobs open them, in the order of the facts. Those of a library that is gone, or that has
   * no folder on this node, are left out.
   */
  files(track: PlacedTrack): PlacedFile[]
  /** The files of a track that are on the disks of other nodes. */
  elsewhere(track: Pick<PlacedTrack, 'size' | 'places'>): PlaceElsewhere[]
  /** The node on whose disk a library is; null where it names none. */
  nodeOf(library: Id): Id | null
  /** The folder of a library, or null where it has none here. */
  root(library: Id): string | Buffer | null
}

/** A file of a music folder of another node. */
export interface PlaceElsewhere extends Place {
  readonly node: Id
  readonly size: number
}

interface PlacedTrack {
  readonly size: number
  readonly blob: BlobHash | undefined
  readonly places: readonly Place[]
}

/**
 * `node`: who we are in a cluster; null on a machine that stands alone, whose libraries name no node, so that they are
 * at home wherever they are restored.
 */
export function createPlaces(index: Pick<Index, 'statement' | 'revision'>, node: Id | null): Places {
  // Whoever goes through all files asks for the same few libraries a million times.
  const libraryOf = remember(
    index,
    (id: Id) => id,
    (id: Id): Library | null => {
      const row = index.statement('SELECT fact FROM library WHERE guid = ?').get(id)
      return typeof row?.fact === 'string' ? librarySchema.parse(JSON.parse(row.fact)) : null
    },
  )
  function root(library: Id): string | Buffer | null {
    const found = libraryOf(library)
    return found?.path === undefined || !isOn(node, found) ? null : pathBytes(found.path)
  }
  return {
    isHere: (library) => library.path !== undefined && isOn(node, library),
    root,
    nodeOf: (library) => libraryOf(library)?.node ?? null,
    elsewhere: ({ size, places }) =>
      places.flatMap(({ library, path, modifiedAt }) => {
        const found = libraryOf(library)
        return found?.node === undefined || found.node === node
          ? []
          : [{ node: found.node, library, path, size, modifiedAt }]
      }),
    files: ({ size, blob, places }) =>
      places.flatMap(({ library, path, modifiedAt }) => {
        const folder = root(library)
        return folder === null ? [] : [{ root: folder, path: pathBytes(path), size, modifiedAt, hash: blob }]
      }),
  }
}

/** Whether the library is on the disk of `node`. One that names no node is on the only one there is. */
export function isOn(node: Id | null, library: Pick<Library, 'node'>): boolean {
  return library.node === undefined || library.node === node
}
