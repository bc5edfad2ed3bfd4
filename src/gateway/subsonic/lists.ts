import { z } from 'zod'
import type { AlbumQuery } from '../../protocol/api/catalog.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { Failure } from './failure.ts'
import { libraryOf } from './library.ts'
import { count, offset, optional, required, text, wholeNumber } from './parameters.ts'
import { listOf, pageOf } from './written.ts'

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

/** What to ask of the catalog. */
async function queryOf(
  { catalog, seeds }: Parts,
  { viewer, device, signal }: Asking,
  { type, size, offset, fromYear, toYear, genre, musicFolderId }: z.output<typeof albumList>,
): Promise<AlbumQuery> {
  if (type === 'byYear') requireGiven({ fromYear, toYear })
  if (type === 'byGenre') requireGiven({ genre })
  const library = await libraryOf(catalog, viewer, musicFolderId, signal)
  const isDown = fromYear !== undefined && toYear !== undefined && fromYear > toYear
  return {
    order: type === 'byYear' && isDown ? 'yearDescending' : orders[type],
    ...(type === 'byYear' && { fromYear, toYear }),
    ...(type === 'byGenre' && { genre }),
    ...(type === 'random' && { seed: seeds.of(device.id, offset) }),
    library,
    limit: size,
  }
}

function requireGiven(parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) throw new Failure(10, `Required parameter '${name}' is missing`)
  }
}

async function albumsOf(parts: Parts, asking: Asking, wanted: z.output<typeof albumList>, folders: boolean) {
  const query = await queryOf(parts, asking, wanted)
  // The same list, whatever the size of its pages.
  const { limit, ...list } = query
  const manner = { element: 'album', folders }
  const span = { offset: wanted.offset, limit }
  const page = await parts.pages.read(asking.device.id, list, span, (start) =>
    pageOf(parts, asking, { kind: 'album', query: { ...query, ...start } }, manner),
  )
  return listOf(page)
}

export const getAlbumList = endpoint(albumList, async (parts, asking, wanted) => ({
  albumList: { album: await albumsOf(parts, asking, wanted, true) },
}))

export const getAlbumList2 = endpoint(albumList, async (parts, asking, wanted) => ({
  albumList2: { album: await albumsOf(parts, asking, wanted, false) },
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
    const library = await libraryOf(parts.catalog, asking.viewer, musicFolderId, asking.signal)
    const seed = Math.floor(Math.random() * 2 ** 31)
    const query = { ...rest, library, seed, order: 'random', limit: size } as const
    const found =
      size === 0 ? undefined : await pageOf(parts, asking, { kind: 'song', query }, { element: 'song' })
    return { randomSongs: { song: listOf(found) } }
  },
)

const songsByGenre = z.object({
  genre: required(text),
  count: count(10),
  offset,
  musicFolderId: optional(text),
})

export const getSongsByGenre = endpoint(songsByGenre, async (parts, asking, wanted) => {
  const library = await libraryOf(parts.catalog, asking.viewer, wanted.musicFolderId, asking.signal)
  const { genre, offset, count: limit } = wanted
  const query = { genre, library, order: 'title' } as const
  const list = { ...query, what: 'songs' }
  const page = await parts.pages.read(asking.device.id, list, { offset, limit }, (start) =>
    pageOf(parts, asking, { kind: 'song', query: { ...query, limit, ...start } }, { element: 'song' }),
  )
  return { songsByGenre: { song: listOf(page) } }
})
