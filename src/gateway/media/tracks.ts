import type { TrackSource } from '../../catalog/catalog.ts'
import type { Places } from '../../catalog/places.ts'
import { pathBytes, pathText } from '../../catalog/scan/path.ts'
import type { OpenOriginal, Original, OriginalFile, Originals } from '../../media/originals.ts'
import type { Id } from '../../protocol/ids.ts'

/** A track's bytes as they are stored: where the catalog's knowledge meets the media's hands. */
export interface Tracks {
  /** Opens the first copy that can be read, here or on another node. Dispose of it. */
  open(source: TrackSource, signal: AbortSignal): Promise<OpenOriginal>
  /** Likewise, as a file of this node, for a decoder. */
  openFile(source: TrackSource, signal: AbortSignal): Promise<OriginalFile>
}

export interface TracksParts {
  readonly places: Pick<Places, 'files' | 'elsewhere'>
  readonly originals: Originals
}

export function createTracks({ places, originals }: TracksParts): Tracks {
  /** The catalog answers the same object until the index changes; what follows from it is kept as long. */
  const known = new WeakMap<TrackSource, Original>()

  function originalOf(source: TrackSource): Original {
    const original = known.get(source) ?? {
      ...source,
      modifiedAt:
        source.places.length > 0 ? Math.max(...source.places.map((place) => place.modifiedAt)) : undefined,
      places: places.files(source),
      elsewhere: places.elsewhere(source),
    }
    known.set(source, original)
    return original
  }

  return {
    open: (source, signal) => originals.open(originalOf(source), signal),
    openFile: (source, signal) => originals.openFile(originalOf(source), signal),
  }
}

/**
 * Whether `v` is the version that the summary names, and the file still what its tags were read from: only then may the
 * answer be kept for ever.
 */
export function isCurrent(
  { blob, fingerprint }: TrackSource,
  original: Pick<OpenOriginal, 'version'>,
  v: string | undefined,
): boolean {
  const isNamed = v !== undefined && v.length >= 8 && fingerprint.startsWith(v)
  return isNamed && original.version.startsWith(blob ?? fingerprint)
}

/** The absolute path of a file of a library; null where the library has no folder here. */
export function pathOf(places: Pick<Places, 'root'>, library: Id, path: string): string | Buffer | null {
  const root = places.root(library)
  return root === null
    ? null
    : Buffer.concat([Buffer.from(root), Buffer.from('/'), Buffer.from(pathBytes(path))])
}

/** A path as the reader of tags takes it. */
export function textOf(path: string | Buffer): string {
  return pathText(typeof path === 'string' ? Buffer.from(path) : path)
}
