import { z } from 'zod'
import type { ArtistSummary } from '../../protocol/api/catalog.ts'
import { goneSignalOf } from '../signal.ts'
import { albumFolderOf } from './album.ts'
import { artistFolderOf } from './artist.ts'
import { type Content, dateWhere } from './content.ts'
import { type Answer, type Asking, endpoint, type Parts } from './endpoint.ts'
import { notFound } from './failure.ts'
import { findItem, type Item } from './item.ts'
import { findLibrary, folderNumber } from './library.ts'
import { itemId, required } from './parameters.ts'
import { songsOf } from './song.ts'

/**
 * A folder as clients browse them that know no tags: a music folder holds artists, an artist holds albums, an album
 * holds songs. The ids are those of browsing by tags, so that they stay when files are moved.
 */
export const getMusicDirectory = endpoint(
  z.object({ id: required(itemId) }),
  async (parts, asking, { id }): Promise<Answer> => {
    const item = findItem(parts.catalog, asking.viewer, id, ['album', 'artist'])
    if (item === null) return { directory: await ofMusicFolder(parts, asking, id) }
    const directory = item.kind === 'album' ? ofAlbum(parts, asking, item) : ofArtist(parts, asking, item)
    return { directory: await directory }
  },
)

async function ofAlbum(parts: Parts, asking: Asking, { id }: Item): Promise<Content> {
  const album = await parts.catalog.album(asking.viewer, id, asking.signal)
  return {
    id,
    parent: album.artists[0]?.id,
    name: album.name,
    starred: dateWhere(album.mark.starredAt),
    userRating: album.mark.rating,
    playCount: album.mark.playCount,
    child: await songsOf(parts, asking, album.tracks),
  }
}

async function ofArtist(parts: Parts, asking: Asking, { id }: Item): Promise<Content> {
  const artist = await parts.catalog.artist(asking.viewer, id, asking.signal)
  return {
    ...artistFolderOf(artist),
    playCount: artist.mark.playCount,
    child: artist.albums.map(albumFolderOf),
  }
}

/** Artists of a music folder that are asked for at once, and held at once. */
const atOnce = 500

async function ofMusicFolder(
  { catalog }: Parts,
  { viewer, signal, reply }: Asking,
  given: string,
): Promise<Content> {
  const { id, name } = await findLibrary(catalog, viewer, given, signal).catch(() => {
    throw notFound('directory')
  })
  const number = String(folderNumber(id))
  const gone = goneSignalOf(reply)
  async function* children(): AsyncGenerator<readonly Content[]> {
    let cursor: string | undefined
    do {
      const query = { role: 'albumArtist', order: 'name', library: id, cursor, limit: atOnce } as const
      const page = await catalog.artists(viewer, query, gone)
      yield page.items.map((artist) => childOf(artist, number))
      cursor = page.next
    } while (cursor !== undefined)
  }
  return { id: number, name, child: children() }
}

function childOf(artist: ArtistSummary, parent: string): Content {
  return {
    id: artist.id,
    parent,
    isDir: true,
    title: artist.name,
    artist: artist.name,
    artistId: artist.id,
    coverArt: artist.id,
    mediaType: 'artist',
    starred: dateWhere(artist.mark.starredAt),
  }
}
