import { z } from 'zod'
import type { AlbumQuery, AlbumSummary } from '../../protocol/api/catalog.ts'
import { albumFolderOf, albumsOf } from './album.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { Failure } from './failure.ts'
import { libraryOf } from './library.ts'
import { count, offset, optional, required, text, wholeNumber } from './parameters.ts'
import { songsOf } from './song.ts'

const orders = {
  random: 'random',
  newest: 'added',
  highest: 'rating',
  frequent: 'mostPlayed',
  recent: 'played',
  alphabeticalByName: 'name',
  alphabeticalByArtist: 'artist',
  starred: 'starred',
  byYear: 'year',
  byGenre: 'name',
} as const satisfies Record<string, AlbumQuery['order']>

const types = ['random', 'newest', 'highest', 'frequent', 'recent', 'alphabeticalByName'] as const
const otherTypes = ['alphabeticalByArtist', 'starred', 'byYear', 'byGenre'] as const
const year = optional(wholeNumber(-9_999, 99_999))

const albumList = z.object({
  type: required(z.enum([...types, ...otherTypes])),
  size: count(10),
  offset,
  fromYear: year,
  toYear: year,
  genre: optional(text),
  musicFolderId: optional(text),
})

async function listAlbums(
  { catalog, seeds, pages }: Parts,
  asking: Asking,
  { type, size, offset, fromYear, toYear, genre, musicFolderId }: z.output<typeof albumList>,
): Promise<AlbumSummary[]> {
  const { viewer, device, signal } = asking
  if (type === 'byYear') requireGiven({ fromYear, toYear })
  if (type === 'byGenre') requireGiven({ genre })
  const library = await libraryOf(catalog, viewer, musicFolderId, signal)
  if (size === 0) return []
  const isDown = fromYear !== undefined && toYear !== undefined && fromYear > toYear
  const query = {
    order: type === 'byYear' && isDown ? 'yearDescending' : orders[type],
    ...(type === 'byYear' && { fromYear, toYear }),
    ...(type === 'byGenre' && { genre }),
    ...(type === 'random' && { seed: seeds.of(device.id, offset) }),
    library,
    limit: size,
  } satisfies AlbumQuery
  return pages.read(asking, { ...query, limit: undefined }, { offset, limit: size }, (start) =>
    catalog.albums(viewer, { ...query, ...start }, signal),
  )
}

function requireGiven(parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) throw new Failure(10, `Required parameter '${name}' is missing`)
  }
}

export const getAlbumList = endpoint(albumList, async (parts, asking, wanted) => ({
  albumList: { album: (await listAlbums(parts, asking, wanted)).map(albumFolderOf) },
}))

export const getAlbumList2 = endpoint(albumList, async (parts, asking, wanted) => ({
  albumList2: { album: await albumsOf(parts, asking, await listAlbums(parts, asking, wanted)) },
}))

const randomSongs = z.object({
  size: count(10),
  genre: optional(text),
  fromYear: year,
  toYear: year,
  musicFolderId: optional(text),
})

export const getRandomSongs = endpoint(
  randomSongs,
  async (parts, asking, { size, musicFolderId, ...rest }) => {
    const { viewer, signal } = asking
    const library = await libraryOf(parts.catalog, viewer, musicFolderId, signal)
    const seed = Math.floor(Math.random() * 2 ** 31)
    const query = { ...rest, library, seed, order: 'random', limit: size } as const
    const { items } = size === 0 ? { items: [] } : await parts.catalog.tracks(viewer, query, signal)
    return { randomSongs: { song: await songsOf(parts, asking, items) } }
  },
)

const songsByGenre = z.object({
  genre: required(text),
  count: count(10),
  offset,
  musicFolderId: optional(text),
})

export const getSongsByGenre = endpoint(songsByGenre, async (parts, asking, wanted) => {
  const { viewer, signal } = asking
  const library = await libraryOf(parts.catalog, viewer, wanted.musicFolderId, signal)
  const { genre, offset, count: limit } = wanted
  const query = { genre, library, order: 'title' } as const
  const list = { ...query, what: 'songs' }
  const items = await parts.pages.read(asking, list, { offset, limit }, (start) =>
    parts.catalog.tracks(viewer, { ...query, limit, ...start }, signal),
  )
  return { songsByGenre: { song: await songsOf(parts, asking, items) } }
})
