import { z } from 'zod'
import type { AlbumSummary, ArtistSummary, SearchResult } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import { albumFolderOf, albumsOf } from './album.ts'
import { artistFolderOf, artistsOf } from './artist.ts'
import type { Value } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { libraryOf } from './library.ts'
import { counted, writtenList } from './pages.ts'
import { count, offset, optional, text, wholeNumber } from './parameters.ts'
import { songsOf } from './song.ts'

const wanted = z.object({
  query: optional(text),
  artistCount: count(20),
  artistOffset: offset,
  albumCount: count(20),
  albumOffset: offset,
  songCount: count(20),
  songOffset: offset,
  musicFolderId: optional(text),
})
type Wanted = z.output<typeof wanted>

/** The last find that pages of a search reach; and of the oldest search, which counts what it finds. */
const deepest = 20_000
const mostCounted = 500

interface Everything {
  artists(): Promise<readonly ArtistSummary[]>
  albums(): Promise<readonly AlbumSummary[]>
  /** The same as `AlbumID3`, written. */
  albumList(): Promise<Value>
  songList(): Promise<Value>
}

/**
 * Where no words are asked for (clients ask `""` as well) that is everything, in the order in which it came, so that
 * what a scan adds is on the last page, and no page before it changes.
 */
function everything(
  { catalog, pages, listing }: Parts,
  asking: Asking,
  { artistCount, artistOffset, albumCount, albumOffset, songCount, songOffset }: Wanted,
  library: Id | undefined,
): Everything {
  const { viewer, signal, form } = asking
  const query = { order: 'addedAscending', library } as const
  const artists = { offset: artistOffset, limit: artistCount }
  const albums = { offset: albumOffset, limit: albumCount }
  const songs = { offset: songOffset, limit: songCount }
  const list = (what: string) => ({ ...query, what })
  return {
    async artists() {
      const page = await pages.read(asking.device.id, list('artists'), artists, async (start) =>
        counted(
          await catalog.artists(viewer, { ...query, role: 'any', limit: artistCount, ...start }, signal),
        ),
      )
      return page?.items ?? []
    },
    async albums() {
      const page = await pages.read(asking.device.id, list('albums'), albums, async (start) =>
        counted(await catalog.albums(viewer, { ...query, limit: albumCount, ...start }, signal)),
      )
      return page?.items ?? []
    },
    async albumList() {
      const page = await pages.read(asking.device.id, list('albums'), albums, (start) =>
        listing.albumList(viewer, { ...query, limit: albumCount, ...start }, form, signal),
      )
      return writtenList(page)
    },
    async songList() {
      const page = await pages.read(asking.device.id, list('songs'), songs, (start) =>
        listing.songList(viewer, { ...query, limit: songCount, ...start }, form, signal),
      )
      return writtenList(page)
    },
  }
}

/** The words that are looked for; empty: everything is asked for. */
function wordsOf(query = ''): string {
  const words = query.replaceAll('"', ' ').trim()
  return words === '*' ? '' : words
}

async function matches(
  { catalog }: Parts,
  { viewer, signal }: Asking,
  { artistCount, artistOffset, albumCount, albumOffset, songCount, songOffset }: Wanted,
  q: string,
  library: Id | undefined,
): Promise<SearchResult> {
  const reach = (size: number, from: number) => Math.max(0, Math.min(size, deepest - from))
  return catalog.search(
    viewer,
    {
      q,
      artists: reach(artistCount, artistOffset),
      albums: reach(albumCount, albumOffset),
      tracks: reach(songCount, songOffset),
      skip: { artists: artistOffset, albums: albumOffset, tracks: songOffset },
      library,
    },
    signal,
  )
}

export const search2 = endpoint(wanted, async (parts, asking, query) => {
  const library = await libraryOf(parts.catalog, asking.viewer, query.musicFolderId, asking.signal)
  const words = wordsOf(query.query)
  if (words === '') {
    const all = everything(parts, asking, query, library)
    const [artists, albums] = [await all.artists(), await all.albums()]
    const found = { artist: artists.map(artistFolderOf), album: albums.map(albumFolderOf) }
    return { searchResult2: { ...found, song: await all.songList() } }
  }
  const { artists, albums, tracks } = await matches(parts, asking, query, words, library)
  const song = await songsOf(parts, asking, tracks)
  return { searchResult2: { artist: artists.map(artistFolderOf), album: albums.map(albumFolderOf), song } }
})

export const search3 = endpoint(wanted, async (parts, asking, query) => {
  const library = await libraryOf(parts.catalog, asking.viewer, query.musicFolderId, asking.signal)
  const words = wordsOf(query.query)
  if (words === '') {
    const all = everything(parts, asking, query, library)
    const artist = await artistsOf(parts, asking, await all.artists())
    return { searchResult3: { artist, album: await all.albumList(), song: await all.songList() } }
  }
  const { artists, albums, tracks } = await matches(parts, asking, query, words, library)
  return {
    searchResult3: {
      artist: await artistsOf(parts, asking, artists),
      album: await albumsOf(parts, asking, albums),
      song: await songsOf(parts, asking, tracks),
    },
  }
})

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
  const match = await songsOf(parts, asking, found.slice(offset, offset + size))
  return { searchResult: { offset, totalHits: found.length, match } }
})
