import { z } from 'zod'
import { nobody } from '../../catalog/nobody.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Content } from './content.ts'
import { coverArt } from './cover-art.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { findItem, type Item, requireItem } from './item.ts'
import { isNobody } from './nobody.ts'
import { count, itemId, optional, required, text } from './parameters.ts'
import { proofOf } from './proof.ts'
import { artistsOf, songsOf } from './written.ts'

/** What is known of artists and albums beside their music, and what is like them. All of it is from the library itself. */

const artistInfo = z.object({ id: required(itemId), count: count(20) })

/** The API asks by an artist's id, or by that of an album or song of theirs. */
async function artistBehind({ catalog }: Parts, { viewer, signal }: Asking, id: string): Promise<Id> {
  if (isNobody(id)) return nobody
  const item = requireAny({ catalog }, viewer, id)
  if (item.kind === 'artist') return item.id
  const [summary] =
    item.kind === 'album'
      ? await catalog.albumsByIds(viewer, [item.id], signal)
      : await catalog.tracksByIds(viewer, [item.id], signal)
  const [artist] = summary?.artists ?? []
  return artist?.id ?? nobody
}

function requireAny({ catalog }: Pick<Parts, 'catalog'>, viewer: Asking['viewer'], id: string): Item {
  const item = findItem(catalog, viewer, id)
  if (item === null) throw notFound('artist, album or song')
  return item
}

async function aboutArtist(parts: Parts, asking: Asking, id: string, most: number) {
  const artist = await artistBehind(parts, asking, id)
  const known = await parts.details.artists(asking.viewer, [artist], asking.signal)
  const musicBrainzId = known.get(artist)?.musicBrainzId
  const similar = await parts.catalog.similarArtists(asking.viewer, artist, most, asking.signal)
  return { info: { musicBrainzId, ...imagesOf(parts, asking, artist) }, similar }
}

/** Pixels of each edge. */
const imageSizes = { smallImageUrl: 128, mediumImageUrl: 512, largeImageUrl: 1_024 } as const

/** Where the picture lies, for clients that look for it here and not by its id; they open the addresses as they are. */
function imagesOf({ config }: Parts, asking: Asking, id: string): Content {
  const { protocol, host } = asking.request
  const proof = proofOf(asking)
  const address = `${config.publicUrl ?? `${protocol}://${host}`}/rest/getCoverArt?${proof}&id=${id}`
  return Object.fromEntries(
    Object.entries(imageSizes).map(([name, size]) => [name, `${address}&size=${size}`]),
  )
}

export const getArtistInfo = endpoint(artistInfo, async (parts, asking, { id, count }) => {
  const { info, similar } = await aboutArtist(parts, asking, id, count)
  const similarArtist = await artistsOf(parts, asking, similar, { element: 'similarArtist', folders: true })
  return { artistInfo: { ...info, similarArtist } }
})

export const getArtistInfo2 = endpoint(artistInfo, async (parts, asking, { id, count }) => {
  const { info, similar } = await aboutArtist(parts, asking, id, count)
  const similarArtist = await artistsOf(parts, asking, similar, { element: 'similarArtist' })
  return { artistInfo2: { ...info, similarArtist } }
})

/** The same for both forms of browsing, whose ids are the same here. A song stands for its album. */
export const getAlbumInfo = endpoint(z.object({ id: required(itemId) }), async (parts, asking, { id }) => {
  const { viewer, signal } = asking
  const item = findItem(parts.catalog, viewer, id, ['album', 'track'])
  if (item === null) throw notFound('album')
  const album =
    item.kind === 'album'
      ? item.id
      : (await parts.catalog.tracksByIds(viewer, [item.id], signal))[0]?.album.id
  if (album === undefined) throw notFound('album')
  const known = (await parts.details.albums(viewer, [album], signal)).get(album)
  const musicBrainzId = known?.says.musicBrainzId
  const picture = coverArt(album, known?.cover ?? '')
  return { albumInfo: { musicBrainzId, ...imagesOf(parts, asking, picture) } }
})

const similar = z.object({ id: required(itemId), count: count(50) })

async function similarSongs(parts: Parts, asking: Asking, { id, count }: z.output<typeof similar>) {
  if (isNobody(id)) return []
  const item = requireAny(parts, asking.viewer, id)
  return songsOf(
    parts,
    asking,
    await parts.catalog.similarTracks(asking.viewer, item.id, count, asking.signal),
  )
}

export const getSimilarSongs = endpoint(similar, async (parts, asking, wanted) => ({
  similarSongs: { song: await similarSongs(parts, asking, wanted) },
}))

export const getSimilarSongs2 = endpoint(similar, async (parts, asking, wanted) => ({
  similarSongs2: { song: await similarSongs(parts, asking, wanted) },
}))

/** By the artist's id (extension `topSongsByArtistId`), or by a name. An artist that nobody knows has no songs. */
export const getTopSongs = endpoint(
  z.object({ artist: optional(text), id: optional(itemId), count: count(50) }),
  async (parts, asking, { artist, id, count }) => {
    const { catalog } = parts
    const { viewer, signal } = asking
    if (artist === undefined && id === undefined) {
      throw new Failure(10, "Required parameter 'artist' is missing")
    }
    if (id !== undefined && isNobody(id)) return { topSongs: { song: [] } }
    const known =
      id === undefined
        ? await artistNamed(parts, asking, artist ?? '')
        : requireItem(catalog, viewer, id, 'artist')
    const tracks = known === undefined ? [] : await catalog.topTracks(viewer, known, count, signal)
    return { topSongs: { song: await songsOf(parts, asking, tracks) } }
  },
)

async function artistNamed({ catalog }: Parts, { viewer, signal }: Asking, name: string) {
  const found = await catalog.search(viewer, { q: name, artists: 20, albums: 0, tracks: 0 }, signal)
  const same = (other: string) => other.localeCompare(name, undefined, { sensitivity: 'base' }) === 0
  return found.artists.find((artist) => same(artist.name))?.id
}
