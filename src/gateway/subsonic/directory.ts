import { z } from 'zod'
import { goneSignalOf } from '../signal.ts'
import { type Content, type Flow, written } from './content.ts'
import { type Answer, type Asking, endpoint, type Parts } from './endpoint.ts'
import { notFound } from './failure.ts'
import { findItem, type Item } from './item.ts'
import { findLibrary, folderNumber } from './library.ts'
import { albumsOfNobody, isNobody, nobodyIn, nobodyOf } from './nobody.ts'
import { itemId, required } from './parameters.ts'
import { evenIfReplaced } from './written.ts'

/**
 * A folder as clients browse them that know no tags: a music folder holds artists, an artist holds albums, an album
 * holds songs. The ids are those of browsing by tags, so that they stay when files are moved.
 */
export const getMusicDirectory = endpoint(
  z.object({ id: required(itemId) }),
  async (parts, asking, { id }): Promise<Answer> => {
    if (isNobody(id)) return { directory: await ofNobody(parts, asking) }
    const item = findItem(parts.catalog, asking.viewer, id, ['album', 'artist'])
    if (item === null) return { directory: await ofMusicFolder(parts, asking, id) }
    const directory = item.kind === 'album' ? ofAlbum(parts, asking, item) : ofArtist(parts, asking, item)
    return { directory: await directory }
  },
)

/** What lies in a directory. */
function mannerOf({ form }: Asking) {
  return { form, element: 'child', folders: true }
}

async function ofAlbum(parts: Parts, asking: Asking, { id }: Item): Promise<Content> {
  const found = await parts.listing.wholeAlbum(asking.viewer, id, mannerOf(asking), asking.signal)
  if (found === undefined) throw notFound('directory')
  const { parent, title: name = '', starred, userRating, averageRating, playCount } = found.content
  const directory = { id, parent, name, starred, userRating, averageRating, playCount }
  return { ...directory, child: written(found.songs) }
}

async function ofArtist(parts: Parts, asking: Asking, { id }: Item): Promise<Content> {
  const found = await parts.listing.wholeArtist(asking.viewer, id, mannerOf(asking), asking.signal)
  if (found === undefined) throw notFound('directory')
  return { ...found.content, playCount: found.playCount, child: written(found.albums) }
}

async function ofNobody(parts: Parts, asking: Asking): Promise<Content> {
  const artist = await nobodyOf(parts, asking, true)
  if (artist === undefined) throw notFound('directory')
  const gone = { ...asking, signal: goneSignalOf(asking.reply) }
  return { ...artist, child: albumsOfNobody(parts, gone, 'child', true) }
}

/** Artists of a music folder that are asked for at once, and held at once. */
const atOnce = 500

async function ofMusicFolder(parts: Parts, asking: Asking, given: string): Promise<Content> {
  const { catalog, listing } = parts
  const { viewer, signal, reply } = asking
  const { id, name } = await findLibrary(catalog, viewer, given, signal).catch(() => {
    throw notFound('directory')
  })
  const number = String(folderNumber(id))
  const gone = goneSignalOf(reply)
  async function* children(): Flow {
    let cursor: string | undefined
    do {
      const query = { role: 'albumArtist', order: 'name', library: id, cursor, limit: atOnce } as const
      const { text, next } = await evenIfReplaced(() =>
        listing.artistChildren(viewer, query, number, mannerOf(asking), gone),
      )
      yield written(text)
      cursor = next
    } while (cursor !== undefined)
    const nobody = await nobodyIn(parts, { viewer: { ...viewer, libraries: [id] }, signal: gone }, number)
    if (nobody !== undefined) yield [nobody]
  }
  return { id: number, name, child: children() }
}
