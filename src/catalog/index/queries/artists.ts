import type { DatabaseSync } from 'node:sqlite'
import type {
  ArtistQuery,
  ArtistSummary,
  LetterSummary,
  Page,
  TrackSummary,
} from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { bytes, idsOf, integer, optional, text } from '../../../store/row.ts'
import { guidBytes } from '../guid.ts'
import { albumsOfGenre, lists } from '../lists.ts'
import { roles } from '../track-credits.ts'
import { lettersOf } from './letters.ts'
import { walkMarked } from './marked.ts'
import { artistsOf, tracksOf } from './rows.ts'
import { type Ask, seen, type View, viewOf } from './view.ts'
import { countOf, type Found, sample, walk } from './walk.ts'

export function artists(db: DatabaseSync, ask: Ask, query: ArtistQuery): Page<ArtistSummary> {
  const view = viewOf(db, { ...ask, library: query.library })
  const { items, next, total } = findArtists(db, view, query)
  return { items: artistsOf(db, view, items), next, total: total() }
}

export function artistLetters(db: DatabaseSync, ask: Ask): LetterSummary[] {
  return lettersOf(db, viewOf(db, ask), lists.albumArtistsByName)
}

/** The rows of a page. */
export function findArtists(db: DatabaseSync, view: View, query: ArtistQuery): Found {
  const main = query.role === 'albumArtist'
  if (query.order === 'starred') {
    const condition = main ? 'AND artist.albums > 0' : ''
    return walkMarked(db, view, 'artist', 'starred', { condition, parameters: [] }, query)
  }
  if (query.order === 'addedAscending') {
    const filter = main
      ? ({ table: 'artist', condition: 'AND artist.albums > 0', parameters: [] } as const)
      : undefined
    return walk(db, view, { list: lists.artistsByTime, filter }, query)
  }
  if (query.order === 'albumCount') return walk(db, view, { list: lists.albumArtistsByCount }, query)
  return walk(db, view, { list: main ? lists.albumArtistsByName : lists.artistsByName }, query)
}

/** Tracks that are looked at to find the ones of an artist that are played most. */
const mostTracks = 5_000

/** Their tracks, and those of their albums. */
const heard = `artist JOIN credit ON credit.artist = artist.id AND credit.role = ${roles.artist}`
const collected = `artist JOIN album_credit ON album_credit.artist = artist.id AND album_credit.role = ${roles.albumArtist}
  CROSS JOIN track ON track.album = album_credit.album`

/**
 * The artist's tracks that are played most on this server, then those of their newest albums; of one who is heard on
 * none, as who gathers what others sing, the tracks of their albums.
 */
export function topTracks(db: DatabaseSync, ask: Ask, artist: Id, limit: number): TrackSummary[] {
  const view = viewOf(db, ask)
  const own = mostPlayed(db, view, `SELECT credit.track FROM ${heard}`, artist, limit)
  const items =
    own.length > 0 ? own : mostPlayed(db, view, `SELECT track.id AS track FROM ${collected}`, artist, limit)
  return tracksOf(db, view, items)
}

function mostPlayed(db: DatabaseSync, view: View, tracks: string, artist: Id, limit: number): number[] {
  return db
    .prepare(
      `SELECT track.id FROM (${tracks} WHERE artist.guid = ? LIMIT ${mostTracks}) AS own CROSS JOIN track ON track.id = own.track
       WHERE true ${seen(view, 'track.scope')}
       ORDER BY (SELECT total(plays) FROM mark WHERE mark.kind = 0 AND mark.item = track.guid) DESC,
         track.year DESC, track.album, track.disc, track.number, track.guid LIMIT ?`,
    )
    .all(guidBytes(artist), limit)
    .map((row) => integer(row.id))
}

/** Artists who share genres with this one, most alike first. */
export function similarArtists(db: DatabaseSync, ask: Ask, artist: Id, limit: number): ArtistSummary[] {
  const view = viewOf(db, ask)
  const row = db.prepare('SELECT id FROM artist WHERE guid = ?').get(guidBytes(artist))
  return row === undefined ? [] : artistsOf(db, view, alike(db, view, integer(row.id)).slice(0, limit))
}

/** A mix of tracks by the artists of something, and by artists like them. */
export function similarTracks(db: DatabaseSync, ask: Ask, id: Id, limit: number): TrackSummary[] {
  const view = viewOf(db, ask)
  const own = artistsBehind(db, id)
  const others = own.slice(0, 3).flatMap((artist) => alike(db, view, artist).slice(0, 20))
  const tracksOfArtist = db.prepare(
    `SELECT track.id FROM credit CROSS JOIN track ON track.id = credit.track
     WHERE credit.artist = ? AND credit.role = ${roles.artist} ${seen(view, 'track.scope')} LIMIT 200`,
  )
  const seed = Number.parseInt(id.slice(0, 8), 16)
  const piles = [...new Set([...own.slice(0, 3), ...others])].map((artist) =>
    shuffled(
      tracksOfArtist.all(artist).map((track) => integer(track.id)),
      seed,
    ),
  )
  const mix: number[] = []
  for (let round = 0; mix.length < limit && piles.some((pile) => pile.length > round); round++) {
    for (const pile of piles) {
      const track = pile[round]
      if (track !== undefined && !mix.includes(track)) mix.push(track)
    }
  }
  return tracksOf(db, view, mix.slice(0, limit))
}

function artistsBehind(db: DatabaseSync, id: Id): number[] {
  return db
    .prepare(
      `SELECT id AS artist FROM artist WHERE guid = ?1
       UNION SELECT credit.artist FROM track JOIN credit ON credit.track = track.id
         WHERE track.guid = ?1 AND credit.role = ${roles.artist}
       UNION SELECT album_credit.artist FROM album JOIN album_credit ON album_credit.album = album.id
         WHERE album.guid = ?1 AND album_credit.role = ${roles.albumArtist}`,
    )
    .all(guidBytes(id))
    .map((row) => integer(row.artist))
}

/** Genres of an artist, and albums of each spread over all of the genre, by which others are found to be alike. */
const mostGenres = 4
const samples = { runs: 10, length: 6 }

/** Rows of artists whose albums are in the genres of this artist's, most genres in common first. */
function alike(db: DatabaseSync, view: View, artist: number): number[] {
  const guid = optional(bytes, db.prepare('SELECT guid FROM artist WHERE id = ?').get(artist)?.guid)
  const by = db.prepare(
    `SELECT album_credit.artist FROM json_each(?) AS wanted CROSS JOIN album_credit ON album_credit.album = wanted.value
     CROSS JOIN artist ON artist.id = album_credit.artist
     WHERE album_credit.role = ${roles.albumArtist} ${seen(view, 'artist.album_scope')}`,
  )
  const scores = new Map<number, number>()
  for (const genre of mainGenres(db, artist)) {
    const list = albumsOfGenre(genre)
    const albums = sample(db, view, list, { ...samples, shift: guid?.[15] ?? 0 })
    // Artists who share a rare genre are more alike than those who share a common one.
    const points = 1 / Math.log2(2 + countOf(db, view, list))
    for (const row of by.all(JSON.stringify(albums))) {
      const other = integer(row.artist)
      scores.set(other, (scores.get(other) ?? 0) + points)
    }
  }
  scores.delete(artist)
  return [...scores].sort(([a, most], [b, least]) => least - most || a - b).map(([id]) => id)
}

/** The genres of most of an artist's albums. */
function mainGenres(db: DatabaseSync, artist: number): number[] {
  const uses = new Map<number, number>()
  const albums = db
    .prepare(
      `SELECT album.genres FROM album_credit CROSS JOIN album ON album.id = album_credit.album
       WHERE album_credit.artist = ? AND album_credit.role = ${roles.albumArtist} LIMIT 200`,
    )
    .all(artist)
  for (const row of albums)
    for (const genre of idsOf(text(row.genres))) uses.set(genre, (uses.get(genre) ?? 0) + 1)
  return [...uses]
    .sort(([a, most], [b, least]) => least - most || a - b)
    .slice(0, mostGenres)
    .map(([genre]) => genre)
}

function shuffled(ids: readonly number[], seed: number): number[] {
  const place = (id: number) => Math.imul(id ^ seed, 0x9e3779b1)
  return [...ids].sort((a, b) => place(a) - place(b))
}
