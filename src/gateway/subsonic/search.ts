import { z } from 'zod'
import type { SearchResult } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import { albumFolderOf, albumsOf } from './album.ts'
import { artistFolderOf, artistsOf } from './artist.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { libraryOf } from './library.ts'
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

/** Most finds of a search that pages reach. */
const deepest = 500

/**
 * What fits the query. Without words (clients ask `""` as well) that is everything: albums and songs in the order in
 * which they came, so that what a scan adds is on the last page, and no page before it changes.
 */
async function find(parts: Parts, asking: Asking, query: Wanted): Promise<SearchResult> {
  const library = await libraryOf(parts.catalog, asking.viewer, query.musicFolderId, asking.signal)
  const words = (query.query ?? '').replaceAll('"', ' ').trim()
  return words === '' || words === '*'
    ? everything(parts, asking, query, library)
    : matches(parts, asking, query, words, library)
}

async function everything(
  { catalog }: Parts,
  { viewer, signal }: Asking,
  { artistCount, artistOffset, albumCount, albumOffset, songCount, songOffset }: Wanted,
  library: Id | undefined,
): Promise<SearchResult> {
  const none = { items: [] }
  const order = 'addedAscending'
  const artists = { role: 'any', order: 'name', library, offset: artistOffset, limit: artistCount } as const
  const albums = { order, library, offset: albumOffset, limit: albumCount } as const
  const tracks = { order, library, offset: songOffset, limit: songCount } as const
  return {
    artists: (artistCount === 0 ? none : await catalog.artists(viewer, artists, signal)).items,
    albums: (albumCount === 0 ? none : await catalog.albums(viewer, albums, signal)).items,
    tracks: (songCount === 0 ? none : await catalog.tracks(viewer, tracks, signal)).items,
  }
}

async function matches(
  { catalog }: Parts,
  { viewer, signal }: Asking,
  { artistCount, artistOffset, albumCount, albumOffset, songCount, songOffset }: Wanted,
  q: string,
  library: Id | undefined,
): Promise<SearchResult> {
  const reach = (size: number, from: number) => (size === 0 ? 0 : Math.min(deepest, size + from))
  const found = await catalog.search(
    viewer,
    {
      q,
      artists: reach(artistCount, artistOffset),
      albums: reach(albumCount, albumOffset),
      tracks: reach(songCount, songOffset),
      library,
    },
    signal,
  )
  return {
    artists: found.artists.slice(artistOffset, artistOffset + artistCount),
    albums: found.albums.slice(albumOffset, albumOffset + albumCount),
    tracks: found.tracks.slice(songOffset, songOffset + songCount),
  }
}

export const search2 = endpoint(wanted, async (parts, asking, query) => {
  const { artists, albums, tracks } = await find(parts, asking, query)
  const song = await songsOf(parts, asking, tracks)
  return { searchResult2: { artist: artists.map(artistFolderOf), album: albums.map(albumFolderOf), song } }
})

export const search3 = endpoint(wanted, async (parts, asking, query) => {
  const { artists, albums, tracks } = await find(parts, asking, query)
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
  const limits = { artists: 0, albums: 0, tracks: deepest }
  const { tracks } = await parts.catalog.search(asking.viewer, { q, ...limits }, asking.signal)
  const found = tracks.filter(({ addedAt }) => addedAt >= newerThan)
  const match = await songsOf(parts, asking, found.slice(offset, offset + size))
  return { searchResult: { offset, totalHits: found.length, match } }
})
