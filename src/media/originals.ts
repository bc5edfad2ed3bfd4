import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs, Copy, InPlace, PlacedFile, Reader } from '../blobs/blobs.ts'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { BlobHash, Id } from '../protocol/ids.ts'
import type { ByteRange, Representation } from './serve/representation.ts'

/** A track's stored bytes: what is known of them, and where they may stand. */
export interface Original {
  /** For messages. */
  readonly title: string
  readonly fingerprint: string
  /** Absent until the file has been read whole. */
  readonly blob: BlobHash | undefined
  readonly mediaType: string
  /** When the newest of its files changed, here or on another node; in milliseconds. Absent: it has none. */
  readonly modifiedAt: number | undefined
  /** Its files on this node. */
  readonly places: readonly PlacedFile[]
  /** Its files on others. */
  readonly elsewhere: readonly FileElsewhere[]
}

/** A file in a music folder of another node. */
export interface FileElsewhere {
  readonly node: Id
  readonly library: Id
  /** In the text form of the facts. */
  readonly path: string
  readonly size: number
  readonly modifiedAt: number
}

export interface OpenOriginal extends Representation {
  /** Names the content: the blob's hash where it is known. */
  readonly version: string
}

export interface OriginalFile extends OpenOriginal {
  /** A file with these bytes, for a decoder in a child process. */
  readonly path: string | Buffer
}

/** A copy that is a file of this node. */
export interface CopyInFile extends Copy {
  readonly path: string | Buffer
}

/** Copies of a track's bytes on other nodes. */
export interface Elsewhere {
  /** Best first. Those of one content hash are interchangeable byte for byte. */
  copies(original: Original, signal: AbortSignal): readonly (() => Promise<Copy>)[]
  /** Has all of it brought here, and opens that. FILE_MISSING, UNREACHABLE. */
  bring(original: Original, signal: AbortSignal): Promise<CopyInFile>
}

/** For a node that stands alone. */
export const nowhereElse: Elsewhere = {
  copies: () => [],
  async bring({ title }) {
    throw new CodedError('FILE_MISSING', title)
  },
}

export interface OriginalsOptions {
  readonly blobs: Pick<Blobs, 'open'>
  readonly inPlace: Pick<InPlace, 'open'>
  readonly elsewhere: Elsewhere
  /** Told of a file that is no longer what its tags were read from, so that it is scanned again. */
  readonly changed: (file: PlacedFile) => void
  /** Told when a reader goes on at another copy, in mid-stream (B5). */
  readonly changedOver: () => void
}

export interface Originals {
  /**
   * Opens the first copy that can be read: the files in music folders in turn, else the blob, else one on another node.
   * Dispose of the result. Throws what the first copy threw (FILE_MISSING, FILE_UNREADABLE, BLOB_CORRUPT …).
   */
  open(original: Original, signal: AbortSignal): Promise<OpenOriginal>
  /** Likewise, as a file of this node: what lies only on others is brought here first. */
  openFile(original: Original, signal: AbortSignal): Promise<OriginalFile>
}

type Open<Source extends Copy> = () => Promise<Source>

export function createOriginals({
  blobs,
  inPlace,
  elsewhere,
  changed,
  changedOver,
}: OriginalsOptions): Originals {
  /**
   * The copies here, best first. Those of one content hash are interchangeable byte for byte. Files come before the blob: a
   * track that has a file seldom has a blob as well, and each range would look for it in vain.
   */
  function* local({ blob, places }: Original, signal: AbortSignal): Generator<Open<Reader>> {
    for (const place of places) yield () => inPlace.open(place, signal)
    if (blob !== undefined) yield () => blobs.open(blob, signal)
  }

  /** Those of other nodes are looked for only when none here opens: that is work, and each range would do it. */
  function* everywhere(original: Original, signal: AbortSignal): Generator<Open<Copy>> {
    yield* local(original, signal)
    yield* elsewhere.copies(original, signal)
  }

  /** Every copy of this content, for whoever has lost the one that was being read. */
  function all(original: Original, signal: AbortSignal): Iterable<Open<Copy>> {
    return original.blob === undefined ? [] : everywhere(original, signal)
  }

  function represent(original: Original, copy: Copy): OpenOriginal {
    // By the signal of who reads, not that of who opened it: that one aborts when an answer is late to begin.
    const others = (signal: AbortSignal) => all(original, signal)
    return representation(original, copy, original.blob ?? unhashedVersion(original), others, changedOver)
  }

  /** The first that opens. Where none does and a file is no longer what it was: that file, as it is now. */
  async function openFirst<Source extends Copy, Result>(
    original: Original,
    copies: Iterable<Open<Source>>,
    represented: (copy: Source) => Result,
    signal: AbortSignal,
  ): Promise<Result | OriginalFile> {
    let failure: unknown
    let hasChanged = false
    for (const open of copies) {
      try {
        return represented(await open())
      } catch (error) {
        signal.throwIfAborted()
        hasChanged ||= isCoded(error, 'FILE_CHANGED')
        failure ??= error
      }
    }
    if (hasChanged) return await openChanged(original, signal)
    throw failure ?? new CodedError('FILE_MISSING', original.title)
  }

  async function openChanged(original: Original, signal: AbortSignal): Promise<OriginalFile> {
    let failure: unknown = new CodedError('FILE_MISSING', original.title)
    for (const place of original.places) {
      try {
        const now = await asItIsNow(place)
        const reader = await inPlace.open(now, signal)
        changed(place)
        const version = `${now.size.toString(36)}-${now.modifiedAt.toString(36)}`
        const { path } = reader
        return { ...representation({ ...original, ...now }, reader, version, () => [], changedOver), path }
      } catch (error) {
        signal.throwIfAborted()
        failure = error
      }
    }
    throw failure
  }

  return {
    open(original, signal) {
      return openFirst(original, everywhere(original, signal), (copy) => represent(original, copy), signal)
    },
    openFile(original, signal) {
      const copies = [...local(original, signal), () => elsewhere.bring(original, signal)]
      const represented = (file: CopyInFile) => ({ ...represent(original, file), path: file.path })
      return openFirst(original, copies, represented, signal)
    },
  }
}

function representation(
  { mediaType, modifiedAt }: Pick<Original, 'mediaType' | 'modifiedAt'>,
  copy: Copy,
  version: string,
  others: (signal: AbortSignal) => Iterable<Open<Copy>>,
  changedOver: () => void,
): OpenOriginal {
  return {
    size: copy.size,
    etag: `"${version}"`,
    ...(modifiedAt !== undefined && { lastModified: modifiedAt }),
    mediaType,
    version,
    open: (range, signal) => readOn(copy, others, range, changedOver, signal),
    ...(copy.shortcut && { shortcut: copy.shortcut }),
    [Symbol.dispose]: () => copy[Symbol.dispose](),
  }
}

/**
 * The bytes of the range from `first`; where that fails in the middle, from another copy of the same content, at the
 * byte where the first one stopped (B5). Throws what the first one threw when none can go on.
 */
async function* readOn(
  first: Copy,
  others: (signal: AbortSignal) => Iterable<Open<Copy>>,
  range: ByteRange,
  changedOver: () => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let at = range.start
  let failure: unknown
  let left: Iterator<Open<Copy>> | undefined
  for (let reader: Copy | null = first; reader !== null; reader = await nextCopy(left, first.size)) {
    try {
      if (reader !== first) changedOver()
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
    left ??= others(signal)[Symbol.iterator]()
  }
  throw failure
}

/** The next copy that can be opened and has as many bytes; null: there is none. */
async function nextCopy(left: Iterator<Open<Copy>> | undefined, size: number): Promise<Copy | null> {
  for (let next = left?.next(); next !== undefined && !next.done; next = left?.next()) {
    const reader = await next.value().catch(() => null)
    if (reader?.size === size) return reader
    reader?.[Symbol.dispose]()
  }
  return null
}

/** Equal tags must promise equal bytes: without a hash, the content's samples and the times of its files name it. */
function unhashedVersion({ fingerprint, modifiedAt = 0 }: Original): string {
  return `${fingerprint}-${modifiedAt.toString(36)}`
}

async function asItIsNow(place: PlacedFile): Promise<PlacedFile> {
  const { size, mtimeMs } = await lstat(fullPath(place))
  return { root: place.root, path: place.path, size, modifiedAt: Math.trunc(mtimeMs) }
}

function fullPath({ root, path }: PlacedFile): string | Buffer {
  if (typeof root === 'string' && typeof path === 'string') return join(root, path)
  return Buffer.concat([Buffer.from(root), Buffer.from('/'), Buffer.from(path)])
}
