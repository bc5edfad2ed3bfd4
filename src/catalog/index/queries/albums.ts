import type { DatabaseSync } from 'node:sqlite'
import type {
  AlbumQuery,
  AlbumSummary,
  LetterSummary,
  Page,
  YearSummary,
} from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { integer } from '../../../store/row.ts'
import { nobody } from '../../nobody.ts'
import { guidBytes } from '../guid.ts'
import { textKey, yearKey } from '../keys.ts'
import { albumsOfGenre, lists } from '../lists.ts'
import { idSetOf, readMembers } from '../members.ts'
import { roles } from '../track-credits.ts'
import { genreRow } from './genres.ts'
import { lettersOf } from './letters.ts'
import { isMarkOrder, walkMarked } from './marked.ts'
import { walkRandomly } from './random.ts'
import { albumsOf } from './rows.ts'
import { type Ask, countOfCursor, cursorOf, seen, type View, viewOf } from './view.ts'
import { countOf, type Filter, type Found, nothing, type Span, type Walk, walk } from './walk.ts'

export function albums(db: DatabaseSync, ask: Ask, query: AlbumQuery): Page<AlbumSummary> {
  const view = viewOf(db, { ...ask, library: query.library })
  const { items, next, total } = findAlbums(db, view, query)
  return { items: albumsOf(db, view, items), next, total: total() }
}

export function albumYears(db: DatabaseSync, ask: Ask): YearSummary[] {
  const view = viewOf(db, ask)
  return db
    .prepare(
      `SELECT year, count(*) AS albums FROM album WHERE year IS NOT NULL ${seen(view, 'scope')}
       GROUP BY year ORDER BY year`,
    )
    .all()
    .map((row) => ({ year: integer(row.year), albumCount: integer(row.albums) }))
}

export function albumLetters(db: DatabaseSync, ask: Ask): LetterSummary[] {
  return lettersOf(db, viewOf(db, ask), lists.albumsByName)
}

/** The rows of a page. */
export function findAlbums(db: DatabaseSync, view: View, query: AlbumQuery): Found {
  const { order, artist, genre } = query
  if (artist === nobody) return walk(db, view, ofNobody, query)
  if (order === 'random') return randomly(db, view, query)
  const filter = filterOf(db, query)
  if (filter === undefined) return nothing
  if (isMarkOrder(order)) return walkMarked(db, view, 'album', order, filter, query)
  if (artist !== undefined)
    return inOrder(db, view, fromArtist, [guidBytes(artist)], filter, { ...query, order })
  const years = boundsOf(query)
  if (genre !== undefined) {
    const list = albumsOfGenre(genreRow(db, genre) ?? 0)
    if (order === 'name') return walk(db, view, { list, filter: years.given ? filter : undefined }, query)
    if (countOf(db, view, list) <= fewToSort)
      return inOrder(db, view, fromGenre, [list], filter, { ...query, order })
  }
  const steps: Walk = {
    list: listOf[order],
    descending: order === 'yearDescending' || order === 'added',
  }
  if (order === 'year' || order === 'yearDescending') {
    const { from, before } = years
    // Albums without a year are not among the newest.
    const bounds = { from, before: before ?? (order === 'year' ? undefined : yearKey(null)) }
    return walk(db, view, { ...steps, ...bounds, filter: genre === undefined ? undefined : filter }, query)
  }
  return walk(db, view, { ...steps, filter: genre !== undefined || years.given ? filter : undefined }, query)
}

/** A walk at random, through those of a genre or an artist where these are asked for. */
function randomly(db: DatabaseSync, view: View, query: AlbumQuery): Found {
  const { genre, artist, seed } = query
  const list = genre === undefined ? lists.albumsByName : albumsOfGenre(genreRow(db, genre) ?? 0)
  const all = readMembers(db, list, view.scopes)
  const members = artist === undefined ? all : idSetOf(albumsOfArtist(db, artist).filter(all.has))
  return walkRandomly(db, { members, filter: filterOfYears(query), seed }, query)
}

function albumsOfArtist(db: DatabaseSync, artist: Id): number[] {
  return db
    .prepare(`SELECT album.id FROM ${fromArtist}`)
    .all(guidBytes(artist))
    .map((row) => integer(row.id))
}

/** Albums of nobody, whatever order they are asked for in: the end of the list by artists. */
const ofNobody: Walk = { list: lists.albumsByArtist, from: textKey('') }

/** How many of these there are. */
export function countOfNobody(db: DatabaseSync, view: View): number {
  return walk(db, view, ofNobody, { limit: 0 }).total() ?? 0
}

const listOf = {
  name: lists.albumsByName,
  artist: lists.albumsByArtist,
  year: lists.albumsByYear,
  yearDescending: lists.albumsByYear,
  added: lists.albumsByTime,
  addedAscending: lists.albumsByTime,
} as const

function boundsOf({ fromYear, toYear }: AlbumQuery) {
  const [low, high] =
    fromYear !== undefined && toYear !== undefined && fromYear > toYear
      ? [toYear, fromYear]
      : [fromYear, toYear]
  return {
    given: low !== undefined || high !== undefined,
    low,
    high,
    from: low === undefined ? undefined : yearKey(low),
    before:
      high === undefined ? (low === undefined ? undefined : yearKey(null)) : yearKey(Math.max(high, 0) + 1),
  }
}

/** What the query asks of albums beside their order; undefined where no album can fit. */
function filterOf(db: DatabaseSync, query: AlbumQuery): Filter | undefined {
  const years = filterOfYears(query)
  const conditions = [years.condition]
  const parameters = [...years.parameters]
  if (query.genre !== undefined) {
    const genre = genreRow(db, query.genre)
    if (genre === undefined) return undefined
    conditions.push(`AND instr(',' || album.genres || ',', ?) > 0`)
    parameters.push(`,${genre},`)
  }
  if (query.artist !== undefined) {
    conditions.push(
      `AND EXISTS (SELECT 1 FROM album_credit JOIN artist ON artist.id = album_credit.artist
         WHERE album_credit.album = album.id AND album_credit.role = ${roles.albumArtist} AND artist.guid = ?)`,
    )
    parameters.push(guidBytes(query.artist))
  }
  return { table: 'album', condition: conditions.join(' '), parameters }
}

function filterOfYears(query: AlbumQuery): Filter {
  const { low, high } = boundsOf(query)
  const conditions: string[] = []
  const parameters: number[] = []
  if (low !== undefined) {
    conditions.push('AND album.year >= ?')
    parameters.push(low)
  }
  if (high !== undefined) {
    conditions.push('AND album.year <= ?')
    parameters.push(high)
  }
  return { table: 'album', condition: conditions.join(' '), parameters }
}

const orders = {
  name: 'album.name COLLATE NOCASE, album.guid',
  artist: 'album.artist_sort, album.year, album.name COLLATE NOCASE, album.guid',
  year: 'album.year IS NULL, album.year, album.name COLLATE NOCASE, album.guid',
  yearDescending: 'album.year DESC, album.name COLLATE NOCASE, album.guid',
  added: 'album.added DESC, album.guid',
  addedAscending: 'album.added, album.guid',
} as const

const fromArtist = `artist CROSS JOIN album_credit AS own ON own.artist = artist.id AND own.role = ${roles.albumArtist}
  AND artist.guid = ? CROSS JOIN album ON album.id = own.album`
const fromGenre = 'entry CROSS JOIN album ON album.id = entry.item AND entry.list = ?'

/** So many albums are put in order when they are asked for; of a genre with more, a walk meets enough. */
const fewToSort = 3_000

/** The albums of an artist, or of a genre that is rare. The cursor is how many have been shown. */
function inOrder(
  db: DatabaseSync,
  view: View,
  from: string,
  of: readonly (number | Uint8Array)[],
  filter: Filter,
  { order, cursor, offset = 0, limit }: Span & { readonly order: keyof typeof orders },
): Found {
  const start = cursor === undefined ? offset : countOfCursor(cursor)
  const items = db
    .prepare(
      `SELECT album.id FROM ${from} WHERE true ${seen(view, 'album.scope')} ${filter.condition}
       ORDER BY ${orders[order]}`,
    )
    .all(...of, ...filter.parameters)
    .map((row) => integer(row.id))
  const end = start + limit
  return {
    items: items.slice(start, end),
    next: end < items.length ? cursorOf(String(end)) : undefined,
    total: () => items.length,
  }
}
