import { z } from 'zod'
import { goneSignalOf } from '../signal.ts'
import { type Content, written } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { notFound } from './failure.ts'
import { minorOf } from './identify.ts'
import { requireItem } from './item.ts'
import { folderNumber, inFolders, musicFolders } from './library.ts'
import { albumsOfNobody, isNobody, nobodyOf } from './nobody.ts'
import { itemId, required } from './parameters.ts'

/** Browsing by tags: artists, their albums, their songs. */

const byId = z.object({ id: required(itemId) })

export const getMusicFolders = endpoint(z.object({}), async ({ catalog }, { viewer, signal }) => {
  const libraries = await catalog.libraries(viewer, signal)
  return { musicFolders: { musicFolder: libraries.map(({ id, name }) => ({ id: folderNumber(id), name })) } }
})

export const getGenres = endpoint(
  z.object({ musicFolderId: musicFolders }),
  async ({ catalog }, asking, { musicFolderId }) => {
    const { viewer, signal } = await inFolders(catalog, asking, musicFolderId)
    const genres = await catalog.genres(viewer, undefined, signal)
    const genre = genres.map(({ name, trackCount, albumCount }) => ({
      songCount: trackCount,
      albumCount,
      value: name,
    }))
    return { genres: { genre } }
  },
)

export const getArtist = endpoint(byId, async (parts, asking, { id }) => {
  if (isNobody(id)) return { artist: await artistOfNobody(parts, asking) }
  const { viewer, form, signal } = asking
  const known = requireItem(parts.catalog, viewer, id, 'artist')
  const found = await parts.listing.wholeArtist(viewer, known, { form, element: 'album' }, signal)
  if (found === undefined) throw notFound('artist')
  return { artist: { ...found.content, album: written(found.albums) } }
})

async function artistOfNobody(parts: Parts, asking: Asking): Promise<Content> {
  const artist = await nobodyOf(parts, asking, false)
  if (artist === undefined) throw notFound('artist')
  const gone = { ...asking, signal: goneSignalOf(asking.reply) }
  return { ...artist, album: albumsOfNobody(parts, gone, 'album', false) }
}

export const getAlbum = endpoint(byId, async (parts, asking, { id }) => {
  const { viewer, form, signal } = asking
  const known = requireItem(parts.catalog, viewer, id, 'album')
  const found = await parts.listing.wholeAlbum(viewer, known, { form, element: 'song' }, signal)
  if (found === undefined) throw notFound('album')
  const strict = form === 'xml' && minorOf(asking.raw) < 16
  const album = strict ? attributesOf(found.content) : found.content
  return { album: { ...album, song: written(found.songs) } }
})

/**
 * Without the elements that came after 1.15: programs of that time read songs out of an album until something is none,
 * and then give the whole library up (Clementine, which says 1.8, does).
 */
function attributesOf(content: Content): Content {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => typeof value !== 'object'))
}

export const getSong = endpoint(byId, async (parts, asking, { id }) => {
  const { viewer, signal } = asking
  const known = requireItem(parts.catalog, viewer, id, 'track')
  const [song] = await parts.listing.songContents(viewer, [known], signal)
  if (!song) throw notFound('song')
  return { song }
})
