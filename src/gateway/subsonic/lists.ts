import { z } from 'zod'
import type { AlbumQuery } from '../../protocol/api/catalog.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { Failure } from './failure.ts'
import { inFolders, musicFolders } from './library.ts'
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
  musicFolderId: musicFolders,
})

/** What to ask of the catalog. */
function queryOf(
  { seeds }: Parts,
  { device }: Asking,
  { type, size, offset, fromYear, toYear, genre }: z.output<typeof albumList>,
): AlbumQuery {
  if (type === 'byYear') requireGiven({ fromYear, toYear })
  if (type === 'byGenre') requireGiven({ genre })
  const isDown = fromYear !== undefined && toYear !== undefined && fromYear > toYear
  return {
    order: type === 'byYear' && isDown ? 'yearDescending' : orders[type],
    ...(type === 'byYear' && { fromYear, toYear }),
    ...(type === 'byGenre' && { genre }),
    ...(type === 'random' && { seed: seeds.of(device.id, offset) }),
    limit: size,
  }
}

function requireGiven(parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) throw new Failure(10, `Required parameter '${name}' is missing`)
  }
}

async function albumsOf(parts: Parts, asked: Asking, wanted: z.output<typeof albumList>, folders: boolean) {
  const query = queryOf(parts, asked, wanted)
  const asking = await inFolders(parts.catalog, asked, wanted.musicFolderId)
  // The same list, whatever the size of its pages.
  const { limit, ...rest } = query
  const list = { ...rest, libraries: asking.viewer.libraries }
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
  musicFolderId: musicFolders,
})

export const getRandomSongs = endpoint(
  randomSongs,
  async (parts, asked, { size, musicFolderId, ...rest }) => {
    const asking = await inFolders(parts.catalog, asked, musicFolderId)
    const seed = Math.floor(Math.random() * 2 ** 31)
    const query = { ...rest, seed, order: 'random', limit: size } as const
    const found =
      size === 0 ? undefined : await pageOf(parts, asking, { kind: 'song', query }, { element: 'song' })
    return { randomSongs: { song: listOf(found) } }
  },
)

const songsByGenre = z.object({
  genre: required(text),
  count: count(10),
  offset,
  musicFolderId: musicFolders,
})

export const getSongsByGenre = endpoint(songsByGenre, async (parts, asked, wanted) => {
  const asking = await inFolders(parts.catalog, asked, wanted.musicFolderId)
  const { genre, offset, count: limit } = wanted
  const query = { genre, order: 'title' } as const
  const list = { ...query, libraries: asking.viewer.libraries, what: 'songs' }
  const page = await parts.pages.read(asking.device.id, list, { offset, limit }, (start) =>
    pageOf(parts, asking, { kind: 'song', query: { ...query, limit, ...start } }, { element: 'song' }),
  )
  return { songsByGenre: { song: listOf(page) } }
})
