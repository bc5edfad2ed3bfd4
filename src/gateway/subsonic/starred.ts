import { z } from 'zod'
import type { AlbumSummary, ArtistSummary, Page, TrackSummary } from '../../protocol/api/catalog.ts'
import { albumFolderOf, albumsOf } from './album.ts'
import { artistFolderOf, artistsOf } from './artist.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { libraryOf } from './library.ts'
import { optional, text } from './parameters.ts'
import { songsOf } from './song.ts'

/** The API gives all that is starred in one answer; this many of each kind, the latest, fit in one. */
const most = 10_000
const atOnce = 500

interface Starred {
  readonly artists: readonly ArtistSummary[]
  readonly albums: readonly AlbumSummary[]
  readonly tracks: readonly TrackSummary[]
}

async function starred(
  { catalog }: Parts,
  { viewer, signal }: Asking,
  musicFolderId: string | undefined,
): Promise<Starred> {
  const library = await libraryOf(catalog, viewer, musicFolderId, signal)
  const common = { order: 'starred', library, limit: atOnce } as const
  return {
    artists: await all((cursor) => catalog.artists(viewer, { ...common, role: 'any', cursor }, signal)),
    albums: await all((cursor) => catalog.albums(viewer, { ...common, cursor }, signal)),
    tracks: await all((cursor) => catalog.tracks(viewer, { ...common, cursor }, signal)),
  }
}

async function all<Item>(read: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined && items.length < most)
  return items
}

const parameters = z.object({ musicFolderId: optional(text) })

export const getStarred = endpoint(parameters, async (parts, asking, { musicFolderId }) => {
  const { artists, albums, tracks } = await starred(parts, asking, musicFolderId)
  const song = await songsOf(parts, asking, tracks)
  return { starred: { artist: artists.map(artistFolderOf), album: albums.map(albumFolderOf), song } }
})

export const getStarred2 = endpoint(parameters, async (parts, asking, { musicFolderId }) => {
  const { artists, albums, tracks } = await starred(parts, asking, musicFolderId)
  return {
    starred2: {
      artist: await artistsOf(parts, asking, artists),
      album: await albumsOf(parts, asking, albums),
      song: await songsOf(parts, asking, tracks),
    },
  }
})
