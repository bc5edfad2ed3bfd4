import { z } from 'zod'
import { albumsOf } from './album.ts'
import { artistsOf } from './artist.ts'
import type { Content } from './content.ts'
import { endpoint } from './endpoint.ts'
import { notFound } from './failure.ts'
import { minorOf } from './identify.ts'
import { requireItem } from './item.ts'
import { folderNumber, libraryOf } from './library.ts'
import { itemId, optional, required, text } from './parameters.ts'
import { songsOf } from './song.ts'

/** Browsing by tags: artists, their albums, their songs. */

const byId = z.object({ id: required(itemId) })

export const getMusicFolders = endpoint(z.object({}), async ({ catalog }, { viewer, signal }) => {
  const libraries = await catalog.libraries(viewer, signal)
  return { musicFolders: { musicFolder: libraries.map(({ id, name }) => ({ id: folderNumber(id), name })) } }
})

export const getGenres = endpoint(
  z.object({ musicFolderId: optional(text) }),
  async ({ catalog }, { viewer, signal }, { musicFolderId }) => {
    const library = await libraryOf(catalog, viewer, musicFolderId, signal)
    const genres = await catalog.genres(viewer, library, signal)
    const genre = genres.map(({ name, trackCount, albumCount }) => ({
      songCount: trackCount,
      albumCount,
      value: name,
    }))
    return { genres: { genre } }
  },
)

export const getArtist = endpoint(byId, async (parts, asking, { id }) => {
  const { catalog } = parts
  const { viewer, signal } = asking
  const found = await catalog.artist(viewer, requireItem(catalog, viewer, id, 'artist'), signal)
  const [artist] = await artistsOf(parts, asking, [found])
  return {
    artist: { ...artist, album: await albumsOf(parts, asking, [...found.albums, ...found.appearsOn]) },
  }
})

export const getAlbum = endpoint(byId, async (parts, asking, { id }) => {
  const { catalog } = parts
  const { viewer, signal } = asking
  const found = await catalog.album(viewer, requireItem(catalog, viewer, id, 'album'), signal)
  const [album = {}]: Content[] = await albumsOf(parts, asking, [found])
  const strict = asking.form === 'xml' && minorOf(asking.raw) < 16
  const shown = strict ? attributesOf(album) : album
  return { album: { ...shown, song: await songsOf(parts, asking, found.tracks) } }
})

/**
 * Without the elements that came after 1.15: programs of that time read songs out of an album until something is none,
 * and then give the whole library up (Clementine, which says 1.8, does).
 */
function attributesOf(content: Content): Content {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => typeof value !== 'object'))
}

export const getSong = endpoint(byId, async (parts, asking, { id }) => {
  const { catalog } = parts
  const { viewer, signal } = asking
  const found = await catalog.track(viewer, requireItem(catalog, viewer, id, 'track'), signal)
  const [song]: Content[] = await songsOf(parts, asking, [found])
  if (song === undefined) throw notFound('song')
  return { song }
})
