import { besidePath } from '../../catalog/beside.ts'
import type { TrackSource } from '../../catalog/catalog.ts'
import type { Lyrics as FoundLyrics } from '../../catalog/tags/lyrics.ts'
import type { TagReader } from '../../catalog/tags/reader.ts'
import type { TimedWord } from '../../catalog/tags/words.ts'
import type { Lyrics } from '../../protocol/api/catalog.ts'
import type { Beside } from './beside.ts'
import { type Tracks, textOf } from './tracks.ts'

/** The lyrics of a track: those in its file, and those of a file beside it. */
export type ReadLyrics = (source: TrackSource, signal: AbortSignal) => Promise<Lyrics>

export interface LyricsParts {
  readonly tracks: Pick<Tracks, 'openFile'>
  readonly beside: Beside
  readonly tagReader: Pick<TagReader, 'readLyrics'>
}

/** What this node reads itself: a file beside the music where that is on its disk, else a copy of it. */
export function createLyrics({ tracks, beside: files, tagReader }: LyricsParts): ReadLyrics {
  async function findBeside({ places }: TrackSource, signal: AbortSignal) {
    for (const { library, path, lyricsFile } of places) {
      if (lyricsFile === undefined) continue
      const found = await files.find(library, besidePath(path, lyricsFile))
      if (found !== null) return textOf(found.path)
    }
    for (const { lyrics } of places) {
      const copy = lyrics && (await files.copy(lyrics, signal))
      if (copy) return copy.bytes
    }
    return undefined
  }

  return async (source, signal) => {
    const beside = await findBeside(source, signal)
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
