import type { DatabaseSync } from 'node:sqlite'
import type { LetterSummary, Page, TrackQuery, TrackSummary } from '../../../protocol/api/catalog.ts'
import { CodedError } from '../../../protocol/errors.ts'
import { bytes, integer } from '../../../store/row.ts'
import { guidBytes } from '../guid.ts'
import { keyOf, yearKey } from '../keys.ts'
import { lists, tracksOfGenre } from '../lists.ts'
import { genreRow } from './genres.ts'
import { lettersOf } from './letters.ts'
import { isMarkOrder, walkMarked } from './marked.ts'
import { walkRandomly } from './random.ts'
import { tracksOf } from './rows.ts'
import { type Ask, countOfCursor, cursorOf, positionOf, seen, type View, viewOf } from './view.ts'
import { countOf, type Filter, type Found, notCounted, ranksOf, type Span, walk } from './walk.ts'

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
  const filter = filterOf(db, query)
  if (filter === undefined) return { items: [], next: undefined, total: () => 0 }
  if (isMarkOrder(order)) return walkMarked(db, view, 'track', order, filter, query)
  if (order === 'random') return randomly(db, view, query, filter)
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
  const conditions: string[] = []
  const parameters: (string | number | Uint8Array)[] = []
  const { fromYear, toYear } = query
  if (fromYear !== undefined) {
    conditions.push('AND track.year >= ?')
    parameters.push(toYear === undefined ? fromYear : Math.min(fromYear, toYear))
  }
  if (toYear !== undefined) {
    conditions.push('AND track.year <= ?')
    parameters.push(fromYear === undefined ? toYear : Math.max(fromYear, toYear))
  }
  if (query.genre !== undefined) {
    const genre = genreRow(db, query.genre)
    if (genre === undefined) return undefined
    const names = db.prepare('SELECT id FROM genre_name WHERE genre = ?').all(genre)
    conditions.push(`AND (${names.map(() => `instr(',' || track.genres || ',', ?) > 0`).join(' OR ')})`)
    parameters.push(...names.map((row) => `,${integer(row.id)},`))
  }
  if (query.artist !== undefined) {
    const artist = db.prepare('SELECT id FROM artist WHERE guid = ?').get(guidBytes(query.artist))?.id
    if (artist === undefined) return undefined
    conditions.push('AND track.id IN (SELECT track FROM credit WHERE artist = ?)')
    parameters.push(integer(artist))
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

/**
 * A walk at random. Trying rows by chance finds what fits where that is at least one of a hundred; fewer are gathered
 * and shuffled.
 */
function randomly(db: DatabaseSync, view: View, query: TrackQuery, filter: Filter): Found {
  const from = fewFrom(db, view, query)
  if (from === undefined)
    return walkRandomly(db, view, filter, { list: lists.tracksByTitle, seed: query.seed }, query)
  const { cursor, offset = 0, limit, seed = 0 } = query
  const start = startOf(cursor, offset)
  const end = start + limit
  const shuffled = db
    .prepare(
      `SELECT track.id FROM ${from} WHERE true ${seen(view, 'track.scope')} ${filter.condition} LIMIT 20000`,
    )
    .all(...filter.parameters)
    .map((row) => integer(row.id))
    .map((id) => ({ id, at: Math.imul(id ^ Math.imul(seed | 0, 0x9e3779b1), 0x85ebca6b) ^ (id << 7) }))
    .sort((a, b) => a.at - b.at || a.id - b.id)
  return {
    items: shuffled.slice(start, end).map(({ id }) => id),
    next: end < shuffled.length ? cursorOf(String(end)) : undefined,
    total: notCounted,
  }
}

/** The tables to read where few tracks can fit; undefined where many do. */
function fewFrom(db: DatabaseSync, view: View, query: TrackQuery): string | undefined {
  if (query.artist !== undefined) return 'track'
  const few = (part: number, list: number) => part * 100 < countOf(db, view, list)
  if (query.genre !== undefined) {
    const list = tracksOfGenre(genreRow(db, query.genre) ?? 0)
    return few(countOf(db, view, list), lists.tracksByTime)
      ? `entry CROSS JOIN track ON track.id = entry.item AND entry.list = ${list}`
      : undefined
  }
  if (query.fromYear === undefined && query.toYear === undefined) return undefined
  const years = [query.fromYear ?? 0, query.toYear ?? 9_999].sort((a, b) => a - b)
  const [from = 0, to = 0] = years
  const [low = 0, high = 0] = ranksOf(db, view, lists.albumsByYear, [yearKey(from), yearKey(to + 1)])
  return few(high - low, lists.albumsByYear)
    ? `album CROSS JOIN track ON track.album = album.id AND album.year BETWEEN ${from} AND ${to}`
    : undefined
}
