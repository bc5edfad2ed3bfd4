import type { PlacedFile } from '../blobs/blobs.ts'
import type { Index } from '../index/index.ts'
import { library as librarySchema } from '../protocol/facts/catalog.ts'
import type { BlobHash, Id, Timestamp } from '../protocol/ids.ts'
import { pathBytes } from './scan/path.ts'

/** Where a file stands, as facts say it. */
interface Place {
  readonly library: Id
  readonly path: string
  readonly modifiedAt: Timestamp
}

/**
 * The files of a track as the blobs open them, in the order of the facts. Those of a library that is gone, or that has
 * no folder on this machine, are left out. Microseconds, on this thread.
 */
export function placedFiles(
  index: Pick<Index, 'statement'>,
  track: { readonly size: number; readonly blob: BlobHash | undefined; readonly places: readonly Place[] },
): PlacedFile[] {
  return track.places.flatMap(({ library, path, modifiedAt }) => {
    const root = libraryRoot(index, library)
    return root === null
      ? []
      : [{ root, path: pathBytes(path), size: track.size, modifiedAt, hash: track.blob }]
  })
}

/** The folder of a library, or null where it has none here. */
export function libraryRoot(index: Pick<Index, 'statement'>, library: Id): string | Buffer | null {
  const row = index.statement('SELECT fact FROM library WHERE guid = ?').get(library)
  if (typeof row?.fact !== 'string') return null
  const found = librarySchema.parse(JSON.parse(row.fact))
  return found.path === undefined ? null : pathBytes(found.path)
}
