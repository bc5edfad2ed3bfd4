import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs, InPlace, PlacedFile, Reader } from '../blobs/blobs.ts'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { BlobHash } from '../protocol/ids.ts'
import type { ByteRange, Representation } from './serve/representation.ts'

/** A track's stored bytes: what is known of them, and where they may stand. */
export interface Original {
  /** For messages. */
  readonly title: string
  readonly fingerprint: string
  /** Absent until the file has been read whole. */
  readonly blob: BlobHash | undefined
  readonly mediaType: string
  readonly places: readonly PlacedFile[]
}

export interface OpenOriginal extends Representation {
  /** A file with these bytes, for a decoder in a child process. */
  readonly path: string | Buffer
  /** Names the content: the blob's hash where it is known. */
  readonly version: string
}

export interface OriginalsOptions {
  readonly blobs: Pick<Blobs, 'open'>
  readonly inPlace: Pick<InPlace, 'open'>
  /** Told of a file that is no longer what its tags were read from, so that it is scanned again. */
  readonly changed: (file: PlacedFile) => void
}

export interface Originals {
  /**
   * Opens the first copy that can be read: the files in music folders in turn, else the blob. Dispose of the result.
   * Throws what the first copy threw (FILE_MISSING, FILE_UNREADABLE, BLOB_CORRUPT …).
   */
  open(original: Original, signal: AbortSignal): Promise<OpenOriginal>
}

type OpenCopy = () => Promise<Reader>

export function createOriginals({ blobs, inPlace, changed }: OriginalsOptions): Originals {
  /**
   * The copies, best first. Those of one content hash are interchangeable byte for byte. Files come before the blob: a
   * track that has a file seldom has a blob as well, and each range would look for it in vain.
   */
  function copies({ blob, places }: Original, signal: AbortSignal): OpenCopy[] {
    const files = places.map((place) => () => inPlace.open(place, signal))
    return blob === undefined ? files : [...files, () => blobs.open(blob, signal)]
  }

  async function openChanged(original: Original, signal: AbortSignal): Promise<OpenOriginal> {
    let failure: unknown = new CodedError('FILE_MISSING', original.title)
    for (const place of original.places) {
      try {
        const now = await asItIsNow(place)
        const reader = await inPlace.open(now, signal)
        changed(place)
        const version = `${now.size.toString(36)}-${now.modifiedAt.toString(36)}`
        return represent(original, reader, version, now.modifiedAt, () => [])
      } catch (error) {
        signal.throwIfAborted()
        failure = error
      }
    }
    throw failure
  }

  return {
    async open(original, signal) {
      let failure: unknown
      let hasChanged = false
      for (const copy of copies(original, signal)) {
        try {
          const reader = await copy()
          const version = original.blob ?? unhashedVersion(original)
          const others = original.blob === undefined ? () => [] : () => copies(original, signal)
          return represent(original, reader, version, original.places[0]?.modifiedAt, others)
        } catch (error) {
          signal.throwIfAborted()
          hasChanged ||= isCoded(error, 'FILE_CHANGED')
          failure ??= error
        }
      }
      if (hasChanged) return await openChanged(original, signal)
      throw failure ?? new CodedError('FILE_MISSING', original.title)
    },
  }
}

function represent(
  original: Original,
  reader: Reader,
  version: string,
  modifiedAt: number | undefined,
  others: () => readonly OpenCopy[],
): OpenOriginal {
  return {
    size: reader.size,
    etag: `"${version}"`,
    ...(modifiedAt !== undefined && { lastModified: modifiedAt }),
    mediaType: original.mediaType,
    path: reader.path,
    version,
    open: (range, signal) => readOn(reader, others, range, signal),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  }
}

/**
 * The bytes of the range from `first`; where that fails in the middle, from another copy of the same content, at the
 * byte where the first one stopped (B5). Throws what the first one threw when none can go on.
 */
async function* readOn(
  first: Reader,
  others: () => readonly OpenCopy[],
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let at = range.start
  let failure: unknown
  let left: Iterator<OpenCopy> | undefined
  for (let reader: Reader | null = first; reader !== null; reader = await nextCopy(left, first.size)) {
    try {
      for await (const chunk of reader.chunks({ start: at, end: range.end }, signal)) {
        at += chunk.byteLength
        yield chunk
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      failure ??= error
    } finally {
      if (reader !== first) reader[Symbol.dispose]()
    }
    left ??= others().values()
  }
  throw failure
}

/** The next copy that can be opened and has as many bytes; null: there is none. */
async function nextCopy(left: Iterator<OpenCopy> | undefined, size: number): Promise<Reader | null> {
  for (let next = left?.next(); next !== undefined && !next.done; next = left?.next()) {
    const reader = await next.value().catch(() => null)
    if (reader?.size === size) return reader
    reader?.[Symbol.dispose]()
  }
  return null
}

/** Equal tags must promise equal bytes: without a hash, the content's samples and the times of its files name it. */
function unhashedVersion({ fingerprint, places }: Original): string {
  const newest = places.reduce((latest, { modifiedAt }) => Math.max(latest, modifiedAt), 0)
  return `${fingerprint}-${newest.toString(36)}`
}

async function asItIsNow(place: PlacedFile): Promise<PlacedFile> {
  const { size, mtimeMs } = await lstat(fullPath(place))
  return { root: place.root, path: place.path, size, modifiedAt: Math.trunc(mtimeMs) }
}

function fullPath({ root, path }: PlacedFile): string | Buffer {
  if (typeof root === 'string' && typeof path === 'string') return join(root, path)
  return Buffer.concat([Buffer.from(root), Buffer.from('/'), Buffer.from(path)])
}
