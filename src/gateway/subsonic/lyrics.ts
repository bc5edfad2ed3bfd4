import { z } from 'zod'
import type { Lyrics, TrackSummary } from '../../protocol/api/catalog.ts'
import type { Content } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { requireItem } from './item.ts'
import { flag, itemId, optional, required, text } from './parameters.ts'

/** Lyrics by artist and title: plain lines of the first song that is called so and has any. */
export const getLyrics = endpoint(
  z.object({ artist: optional(text), title: optional(text) }),
  async (parts, asking, { artist = '', title = '' }) => {
    for (const track of await songsCalled(parts, asking, artist, title)) {
      const { items } = await lyricsOf(parts, asking, track.id)
      const [first] = items
      if (first === undefined) continue
      const value = first.lines.map((line) => line.text).join('\n')
      return { lyrics: { artist: track.artist, title: track.title, value } }
    }
    return { lyrics: { value: '' } }
  },
)

async function songsCalled(
  { catalog }: Parts,
  { viewer, signal }: Asking,
  artist: string,
  title: string,
): Promise<TrackSummary[]> {
  const q = `${artist} ${title}`
  const { tracks } = await catalog.search(viewer, { q, artists: 0, albums: 0, tracks: 10 }, signal)
  const same = (one: string, other: string) =>
    one.localeCompare(other, undefined, { sensitivity: 'base' }) === 0
  // Apps that know several artists of a song may name one of them.
  const isBy = (track: TrackSummary) =>
    [track.artist, ...track.artists.map(({ name }) => name)].some((name) => same(name, artist))
  return tracks.filter((track) => same(track.title, title) && (artist === '' || isBy(track)))
}

function lyricsOf({ catalog, readLyrics }: Parts, { viewer, signal }: Asking, id: string): Promise<Lyrics> {
  return readLyrics(catalog.source(viewer, id), signal)
}

/** `enhanced`: with the times of words, which version 2 of the extension added and older clients do not expect. */
export const getLyricsBySongId = endpoint(
  z.object({ id: required(itemId), enhanced: flag(false) }),
  async (parts, asking, { id, enhanced }) => {
    const song = requireItem(parts.catalog, asking.viewer, id, 'track')
    const [track] = await parts.catalog.tracksByIds(asking.viewer, [song], asking.signal)
    const { items } = await lyricsOf(parts, asking, song)
    const structuredLyrics = items.map(
      ({ language, synced, lines }): Content => ({
        displayArtist: track?.artist,
        displayTitle: track?.title,
        lang: language,
        synced,
        ...(enhanced && { kind: 'main' }),
        line: lines.map((line) => ({ start: synced ? line.atMs : undefined, value: line.text })),
        ...(enhanced && cueLinesOf(lines)),
      }),
    )
    return { lyricsList: { structuredLyrics } }
  },
)

type Line = Lyrics['items'][number]['lines'][number]
type Word = NonNullable<Line['words']>[number]

/** The lines whose words have times; nothing where there are none. */
function cueLinesOf(lines: readonly Line[]): Content {
  const cueLine = lines.flatMap(({ text, words = [] }, index): Content[] =>
    words.length === 0
      ? []
      : [
          {
            index,
            start: words[0]?.atMs,
            end: words.at(-1)?.untilMs,
            value: text,
            cue: words.map((word) => cueOf(text, word)),
          },
        ],
  )
  return cueLine.length === 0 ? {} : { cueLine }
}

/** A word with its place in the line in bytes of UTF-8; `byteEnd` is that of its last byte. */
function cueOf(line: string, { from, to, atMs, untilMs }: Word): Content {
  const value = line.slice(from, to)
  const byteStart = Buffer.byteLength(line.slice(0, from))
  return { start: atMs, end: untilMs, byteStart, byteEnd: byteStart + Buffer.byteLength(value) - 1, value }
}
