import type { TrackSource } from '../../catalog/catalog.ts'
import type { Places } from '../../catalog/places.ts'
import { pathBytes, pathText } from '../../catalog/scan/path.ts'
import type { Lyrics as ReadLyrics } from '../../catalog/tags/lyrics.ts'
import type { TagReader } from '../../catalog/tags/reader.ts'
import type { TimedWord } from '../../catalog/tags/words.ts'
import type { OpenOriginal, Original, OriginalFile, Originals } from '../../media/originals.ts'
import type { Lyrics } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'

/** A track's bytes and what lies in and beside its files: where the catalog's knowledge meets the media's hands. */
export interface Tracks {
  /** Opens the first copy that can be read. Dispose of it. */
  open(source: TrackSource, signal: AbortSignal): Promise<OpenOriginal>
  /** Likewise, as a file of this node, for a decoder. */
  openFile(source: TrackSource, signal: AbortSignal): Promise<OriginalFile>
  lyrics(source: TrackSource, signal: AbortSignal): Promise<Lyrics>
  /** The picture embedded in the track's file, or null. */
  embeddedCover(source: TrackSource, signal: AbortSignal): Promise<{ bytes: Uint8Array } | null>
  /** The absolute path of a file of a library; null where the library has no folder here. */
  pathOf(library: Id, path: string): string | Buffer | null
  /** Gets a picture beside music that is on another node; null where the library is on none. */
  readonly pictureElsewhere: PictureElsewhere
}

export type PictureElsewhere = (
  library: Id,
  path: string,
) => ((signal: AbortSignal) => Promise<{ readonly bytes: Uint8Array } | null>) | null

export interface TracksParts {
  readonly places: Pick<Places, 'files' | 'elsewhere' | 'root'>
  readonly originals: Originals
  readonly pictureElsewhere: PictureElsewhere
  readonly tagReader: Pick<TagReader, 'readLyrics' | 'readCover'>
}

export function createTracks({ places, originals, pictureElsewhere, tagReader }: TracksParts): Tracks {
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

  function pathOf(library: Id, path: string): string | Buffer | null {
    const root = places.root(library)
    return root === null
      ? null
      : Buffer.concat([Buffer.from(root), Buffer.from('/'), Buffer.from(pathBytes(path))])
  }

  function openFile(source: TrackSource, signal: AbortSignal) {
    return originals.openFile(originalOf(source), signal)
  }

  /** The lyrics file beside the music, where there is one. */
  function lyricsFileOf(source: TrackSource): string | undefined {
    for (const { library, path, lyricsFile } of source.places) {
      if (lyricsFile === undefined) continue
      const folder = path.slice(0, path.lastIndexOf('/') + 1)
      const absolute = pathOf(library, folder + lyricsFile)
      if (absolute !== null) return textOf(absolute)
    }
    return undefined
  }

  return {
    open: (source, signal) => originals.open(originalOf(source), signal),
    openFile,
    pathOf,
    pictureElsewhere,
    async lyrics(source, signal) {
      const beside = lyricsFileOf(source)
      if (!source.embeddedLyrics) {
        return beside === undefined ? { items: [] } : inAnswer(await tagReader.readLyrics({ beside }, signal))
      }
      using original = await openFile(source, signal)
      return inAnswer(await tagReader.readLyrics({ path: textOf(original.path), beside }, signal))
    },
    async embeddedCover(source, signal) {
      using original = await openFile(source, signal)
      return tagReader.readCover(textOf(original.path), signal)
    },
  }
}

function textOf(path: string | Buffer): string {
  return pathText(typeof path === 'string' ? Buffer.from(path) : path)
}

function inAnswer(found: readonly ReadLyrics[]): Lyrics {
  return {
    items: found.map(({ synced, language = 'und', lines }) => ({
      language,
      synced,
      lines: lines.map(({ startMs, text, words }) => ({
        text,
        ...(startMs !== undefined && { atMs: startMs }),
        ...(words !== undefined && { words: words.map(wordInAnswer) }),
      })),
    })),
  }
}

function wordInAnswer({ from, to, startMs, endMs }: TimedWord) {
  return { from, to, atMs: startMs, ...(endMs !== undefined && { untilMs: endMs }) }
}
