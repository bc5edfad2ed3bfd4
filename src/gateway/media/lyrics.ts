import type { TrackSource } from '../../catalog/catalog.ts'
import type { Places } from '../../catalog/places.ts'
import type { Lyrics as FoundLyrics } from '../../catalog/tags/lyrics.ts'
import type { TagReader } from '../../catalog/tags/reader.ts'
import type { TimedWord } from '../../catalog/tags/words.ts'
import type { Lyrics } from '../../protocol/api/catalog.ts'
import { pathOf, type Tracks, textOf } from './tracks.ts'

/** The lyrics of a track: those in its file, and those of a file beside it. */
export type ReadLyrics = (source: TrackSource, signal: AbortSignal) => Promise<Lyrics>

export interface LyricsParts {
  readonly tracks: Pick<Tracks, 'openFile'>
  readonly places: Pick<Places, 'root'>
  readonly tagReader: Pick<TagReader, 'readLyrics'>
}

/** What this node reads itself: of a file beside the music only where that is on its disk. */
export function createLyrics({ tracks, places, tagReader }: LyricsParts): ReadLyrics {
  function fileBeside(source: TrackSource): string | undefined {
    for (const { library, path, lyricsFile } of source.places) {
      if (lyricsFile === undefined) continue
      const folder = path.slice(0, path.lastIndexOf('/') + 1)
      const absolute = pathOf(places, library, folder + lyricsFile)
      if (absolute !== null) return textOf(absolute)
    }
    return undefined
  }

  return async (source, signal) => {
    const beside = fileBeside(source)
    if (!source.embeddedLyrics) {
      return beside === undefined ? { items: [] } : inAnswer(await tagReader.readLyrics({ beside }, signal))
    }
    using original = await tracks.openFile(source, signal)
    return inAnswer(await tagReader.readLyrics({ path: textOf(original.path), beside }, signal))
  }
}

function inAnswer(found: readonly FoundLyrics[]): Lyrics {
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
