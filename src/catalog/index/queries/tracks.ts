import type { DatabaseSync } from 'node:sqlite'
import type { LetterSummary, Page, TrackQuery, TrackSummary } from '../../../protocol/api/catalog.ts'
import { CodedError } from '../../../protocol/errors.ts'
import type { Id } from '../../../protocol/ids.ts'
import { bytes, integer } from '../../../store/row.ts'
import { guidBytes } from '../guid.ts'
import { keyOf, yearKey } from '../keys.ts'
import { lists, tracksOfGenre } from '../lists.ts'
import { idSetOf, readMembers } from '../members.ts'
import { roles } from '../track-credits.ts'
import { genreRow } from './genres.ts'
import { lettersOf } from './letters.ts'
import { isMarkOrder, walkMarked } from './marked.ts'
import { walkRandomly } from './random.ts'
import { tracksOf } from './rows.ts'
import { type Ask, countOfCursor, cursorOf, positionOf, seen, type View, viewOf } from './view.ts'
import { countOf, type Filter, type Found, notCounted, nothing, ranksOf, type Span, walk } from './walk.ts'

export function tracks(db: DatabaseSync, ask: Ask, query: TrackQuery): Page<TrackSummary> {
  const view = viewOf(db, { ...ask, library: query.library })
  const { items, next, total } = findTracks(db, view, query)
  return { items: tracksOf(db, view, items), next, total: total() }
}

export function trackLetters(db: DatabaseSync, ask: Ask): LetterSummary[] {
  return lettersOf(db, viewOf(db, ask), lists.tracksByTitle)
}

/** The rows of a page. */
export function findTracks(db: DatabaseSync, view: View, query: TrackQuery): Found {
  const { order, artist, genre, fromYear, toYear } = query
  if (order === 'random') return randomly(db, view, query)
  const filter = filterOf(db, query)
  if (filter === undefined) return nothing
  if (isMarkOrder(order)) return walkMarked(db, view, 'track', order, filter, query)
  if (artist !== undefined) return inOrder(db, view, filter, { ...query, order })
  const years = fromYear !== undefined || toYear !== undefined
  if (genre !== undefined) {
    const list = tracksOfGenre(genreRow(db, genre) ?? 0)
    if (order === 'title') return walk(db, view, { list, filter: years ? filter : undefined }, query)
    if (countOf(db, view, list) <= fewToSort) return inOrder(db, view, filter, { ...query, order })
  }
  const given = years || genre !== undefined ? filter : undefined
  if (order === 'title') return walk(db, view, { list: lists.tracksByTitle, filter: given }, query)
  if (order === 'added' || order === 'addedAscending') {
    const descending = order === 'added'
    return walk(db, view, { list: lists.tracksByTime, descending, filter: given }, query)
  }
  const list = order === 'album' ? lists.albumsByName : lists.albumsByArtist
  const all = genre === undefined ? lists.tracksByTitle : tracksOfGenre(genreRow(db, genre) ?? 0)
  const total = years ? notCounted : () => countOf(db, view, all)
  return { ...albumByAlbum(db, view, list, filter, query), total }
}

/** So many tracks of a genre are put in order when they are asked for; more are met often enough in a walk. */
const fewToSort = 5_000

/** What the query asks of tracks beside their order; undefined where no track can fit. */
function filterOf(db: DatabaseSync, query: TrackQuery): Filter | undefined {
  const years = filterOfYears(query)
  const conditions = [years.condition]
  const parameters = [...years.parameters]
  if (query.genre !== undefined) {
    const genre = genreRow(db, query.genre)
    if (genre === undefined) return undefined
    const names = db.prepare('SELECT id FROM genre_name WHERE genre = ?').all(genre)
    conditions.push(`AND (${names.map(() => `instr(',' || track.genres || ',', ?) > 0`).join(' OR ')})`)
    parameters.push(...names.map((row) => `,${integer(row.id)},`))
  }
  if (query.artist !== undefined) {
    const artist = artistRow(db, query.artist)
    if (artist === undefined) return undefined
    conditions.push(`AND track.id IN (${ofArtist})`)
    parameters.push(artist, artist)
  }
  return { table: 'track', condition: conditions.join(' '), parameters }
}

function filterOfYears({ fromYear, toYear }: TrackQuery): Filter {
  const conditions: string[] = []
  const parameters: number[] = []
  if (fromYear !== undefined) {
    conditions.push('AND track.year >= ?')
    parameters.push(toYear === undefined ? fromYear : Math.min(fromYear, toYear))
  }
  if (toYear !== undefined) {
    conditions.push('AND track.year <= ?')
    parameters.push(fromYear === undefined ? toYear : Math.max(fromYear, toYear))
  }
  return { table: 'track', condition: conditions.join(' '), parameters }
}

const orders = {
  title: 'track.title COLLATE NOCASE, track.guid',
  artist: 'album.artist_sort, album.year, album.name, album.guid, track.disc, track.number, track.guid',
  album: 'album.name COLLATE NOCASE, album.guid, track.disc, track.number, track.guid',
  added: 'track.added DESC, track.guid',
  addedAscending: 'track.added, track.guid',
} as const

/** Tracks of an artist or genre, put in order when they are asked for. The cursor is how many have been shown. */
function inOrder(
  db: DatabaseSync,
  view: View,
  filter: Filter,
  { order, cursor, offset = 0, limit, genre, artist }: TrackQuery & { readonly order: keyof typeof orders },
): Found {
  const start = startOf(cursor, offset)
  const from =
    artist === undefined && genre !== undefined
      ? `entry CROSS JOIN track ON track.id = entry.item AND entry.list = ${tracksOfGenre(genreRow(db, genre) ?? 0)}`
      : 'track'
  const fits = `WHERE true ${seen(view, 'track.scope')} ${filter.condition}`
  const rows = db
    .prepare(
      `SELECT track.id FROM ${from} CROSS JOIN album ON album.id = track.album ${fits}
       ORDER BY ${orders[order]} LIMIT ? OFFSET ?`,
    )
    .all(...filter.parameters, limit + 1, start)
  return {
    items: rows.slice(0, limit).map((row) => integer(row.id)),
    next: rows.length > limit ? cursorOf(String(start + limit)) : undefined,
    total: () =>
      integer(db.prepare(`SELECT count(*) AS total FROM ${from} ${fits}`).get(...filter.parameters)?.total),
  }
}

function startOf(cursor: string | undefined, offset: number): number {
  return cursor === undefined ? offset : countOfCursor(cursor)
}

/**
 * Tracks in the order of a list of albums. The cursor is the key of an album and the number of its tracks that have
 * been shown; a numeric offset adds up the albums before it.
 */
function albumByAlbum(
  db: DatabaseSync,
  view: View,
  list: number,
  filter: Filter,
  { cursor, offset = 0, limit }: Span,
): Omit<Found, 'total'> {
  const [albumKey, done] = cursor === undefined ? ['', offset] : splitCursor(cursor)
  const albums = db.prepare(
    `SELECT entry.key, entry.item, album.tracks FROM entry JOIN album ON album.id = entry.item
     WHERE entry.list = ? AND entry.key >= ? ${seen(view, 'entry.scope')} ORDER BY entry.key`,
  )
  const tracks = db.prepare(
    `SELECT id FROM track WHERE album = ? ${seen(view, 'scope')} ${filter.condition} ORDER BY disc, number, guid`,
  )
  const whole = view.scopes === null && filter.condition === ''
  const items: number[] = []
  let skip = done
  for (const row of albums.iterate(list, Buffer.from(albumKey, 'latin1'))) {
    if (whole && skip >= integer(row.tracks)) {
      skip -= integer(row.tracks)
      continue
    }
    const own = tracks.all(integer(row.item), ...filter.parameters).map(({ id }) => integer(id))
    for (const [at, id] of own.entries()) {
      if (at < skip) continue
      if (items.length === limit) {
        return { items, next: cursorOf(`${at} ${keyOf(bytes(row.key))}`) }
      }
      items.push(id)
    }
    skip = Math.max(0, skip - own.length)
  }
  return { items, next: undefined }
}

function splitCursor(cursor: string): [string, number] {
  const [, shown, key] = /^(\d{1,15}) (.*)$/s.exec(positionOf(cursor)) ?? []
  if (shown === undefined || key === undefined) throw new CodedError('CURSOR_UNKNOWN')
  return [key, Number(shown)]
}

/** A walk at random, through those of a genre, an artist or rare years where these are asked for. */
function randomly(db: DatabaseSync, view: View, query: TrackQuery): Found {
  const { genre, artist, seed } = query
  const list = genre === undefined ? lists.tracksByTitle : tracksOfGenre(genreRow(db, genre) ?? 0)
  const few = artist === undefined ? fewOfYears(db, view, query) : tracksOfArtist(db, artist)
  const all = readMembers(db, list, view.scopes)
  const members = few === undefined ? all : idSetOf(few.filter(all.has))
  return walkRandomly(db, { members, filter: filterOfYears(query), seed }, query)
}

/** Tracks that credit an artist, and all of the artist's albums, whoever is heard on them. Its row is given twice. */
const ofArtist = `SELECT track FROM credit WHERE artist = ?
  UNION SELECT track.id FROM album_credit CROSS JOIN track ON track.album = album_credit.album
  WHERE album_credit.artist = ? AND album_credit.role = ${roles.albumArtist}`

function tracksOfArtist(db: DatabaseSync, artist: Id): number[] {
  const row = artistRow(db, artist)
  if (row === undefined) return []
  return db
    .prepare(ofArtist)
    .all(row, row)
    .map(({ track }) => integer(track))
}

function artistRow(db: DatabaseSync, artist: Id): number | undefined {
  const found = db.prepare('SELECT id FROM artist WHERE guid = ?').get(guidBytes(artist))
  return found && integer(found.id)
}

/**
 * All tracks that can be of these years, where few can: at least one of a hundred is found soon enough by chance. Undefined
 * where more can.
 */
function fewOfYears(db: DatabaseSync, view: View, { fromYear, toYear }: TrackQuery): number[] | undefined {
  if (fromYear === undefined && toYear === undefined) return undefined
  const [from = 0, to = 0] = [fromYear ?? 0, toYear ?? 9_999].sort((a, b) => a - b)
  const [low = 0, high = 0] = ranksOf(db, view, lists.albumsByYear, [yearKey(from), yearKey(to + 1)])
  if ((high - low) * 100 >= countOf(db, view, lists.albumsByYear)) return undefined
  return db
    .prepare(
      'SELECT track.id FROM album CROSS JOIN track ON track.album = album.id WHERE album.year BETWEEN ? AND ?',
    )
    .all(from, to)
    .map((row) => integer(row.id))
}
