import { z } from 'zod'
import { type Content, type Flow, type Value, written } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { inFolders, musicFolders } from './library.ts'
import type { Listed, ListQuery } from './listing.ts'
import { nobodyOf } from './nobody.ts'
import type { Start } from './pages.ts'
import { count, offset, optional, text, wholeNumber } from './parameters.ts'
import { listOf, pageOf, songsOf } from './written.ts'

const wanted = z.object({
  query: optional(text),
  artistCount: count(20),
  artistOffset: offset,
  albumCount: count(20),
  albumOffset: offset,
  songCount: count(20),
  songOffset: offset,
  musicFolderId: musicFolders,
})
type Wanted = z.output<typeof wanted>

/** The last find that pages of a search reach; and of the oldest search, which counts what it finds. */
const deepest = 20_000
const mostCounted = 500

/**
 * Where no words are asked for (clients ask `""` as well) that is everything, in the order in which it came, so that
 * what a scan adds is on the last page, and no page before it changes.
 */
async function everything(parts: Parts, asking: Asking, wanted: Wanted, folders: boolean): Promise<Found> {
  const query = { order: 'addedAscending' } as const
  const { libraries } = asking.viewer
  const list = (
    kind: ListQuery['kind'],
    offset: number,
    limit: number,
    asked: (page: Start & { readonly limit: number }) => ListQuery,
  ) =>
    parts.pages.read(asking.device.id, { ...query, libraries, what: kind }, { offset, limit }, (start) =>
      pageOf(parts, asking, asked({ ...start, limit }), { element: kind, folders }),
    )
  const nobody = wanted.artistCount === 0 ? undefined : await nobodyOf(parts, asking, folders)
  const span = behind(nobody, wanted.artistOffset, wanted.artistCount)
  const artists = await list('artist', span.offset, span.limit, (page) => ({
    kind: 'artist',
    query: { ...query, role: 'any', ...page },
  }))
  const albums = await list('album', wanted.albumOffset, wanted.albumCount, (page) => ({
    kind: 'album',
    query: { ...query, ...page },
  }))
  const songs = await list('song', wanted.songOffset, wanted.songCount, (page) => ({
    kind: 'song',
    query: { ...query, ...page },
  }))
  const isFirst = nobody !== undefined && wanted.artistOffset === 0
  return {
    artist: isFirst ? inFrontOf(artists, nobody) : listOf(artists),
    album: listOf(albums),
    song: listOf(songs),
  }
}

/** Who stands for nobody comes first of all artists, so that no scan moves them: where the others of a page are. */
function behind(
  nobody: Content | undefined,
  offset: number,
  limit: number,
): { offset: number; limit: number } {
  if (nobody === undefined) return { offset, limit }
  return offset === 0 ? { offset, limit: limit - 1 } : { offset: offset - 1, limit }
}

async function* inFrontOf(artists: Listed | undefined, nobody: Content): Flow {
  yield [nobody]
  if (artists !== undefined) yield written(artists.text)
}

interface Found {
  readonly artist: Value
  readonly album: Value
  readonly song: Value
  readonly [name: string]: Value
}

/** The words that are looked for; empty: everything is asked for. */
function wordsOf(query = ''): string {
  const words = query.replaceAll('"', ' ').trim()
  return words === '*' ? '' : words
}

async function matches(
  { listing }: Parts,
  { viewer, signal, form }: Asking,
  { artistCount, artistOffset, albumCount, albumOffset, songCount, songOffset }: Wanted,
  q: string,
  folders: boolean,
): Promise<Found> {
  const reach = (size: number, from: number) => Math.max(0, Math.min(size, deepest - from))
  const { artists, albums, songs } = await listing.matches(
    viewer,
    {
      q,
      artists: reach(artistCount, artistOffset),
      albums: reach(albumCount, albumOffset),
      tracks: reach(songCount, songOffset),
      skip: { artists: artistOffset, albums: albumOffset, tracks: songOffset },
    },
    { form, folders },
    signal,
  )
  return { artist: written(artists), album: written(albums), song: written(songs) }
}

async function find(parts: Parts, asked: Asking, query: Wanted, folders: boolean): Promise<Found> {
  const asking = await inFolders(parts.catalog, asked, query.musicFolderId)
  const words = wordsOf(query.query)
  return words === ''
    ? everything(parts, asking, query, folders)
    : matches(parts, asking, query, words, folders)
}

export const search2 = endpoint(wanted, async (parts, asking, query) => ({
  searchResult2: await find(parts, asking, query, true),
}))

export const search3 = endpoint(wanted, async (parts, asking, query) => ({
  searchResult3: await find(parts, asking, query, false),
}))

const oldest = z.object({
  artist: optional(text),
  album: optional(text),
  title: optional(text),
  any: optional(text),
  count: count(20),
  offset,
  newerThan: optional(wholeNumber(0)),
})

/** The first search of the API, of songs only. */
export const search = endpoint(oldest, async (parts, asking, query) => {
  const { artist, album, title, any, newerThan = 0, offset, count: size } = query
  const q = [any, artist, album, title].filter((words) => words !== undefined).join(' ')
  const limits = { artists: 0, albums: 0, tracks: mostCounted }
  const { tracks } = await parts.catalog.search(asking.viewer, { q, ...limits }, asking.signal)
  const found = tracks.filter(({ addedAt }) => addedAt >= newerThan)
  const match = await songsOf(parts, asking, found.slice(offset, offset + size), 'match')
  return { searchResult: { offset, totalHits: found.length, match } }
})
