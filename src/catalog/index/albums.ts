import type { SQLOutputValue } from 'node:sqlite'
import { bytes, idsOf, integer, optional, text, written } from '../../store/row.ts'
import { openAlbumCredits } from './album-credits.ts'
import { coverVersionOf } from './cover-version.ts'
import { artistAlbumKey, nameKey, sortText, timeKey, yearNameKey } from './keys.ts'
import { albumsOfGenre, type ListWriter, lists } from './lists.ts'
import { weightOf } from './search/documents.ts'
import { type AlbumSummary, factsOf, merge, writeAlbumSays } from './summary.ts'
import { type NamedCredit, type NamedTrack, openTrackWords } from './track-words.ts'
import type { TrackParts } from './tracks.ts'

/** An album's row, as far as other tables follow from it. */
interface AlbumState {
  readonly name: string
  readonly sort: string | null
  readonly artist: string
  readonly artistSort: string
  readonly year: number | null
  /** Rows of genres. */
  readonly genres: readonly number[]
  readonly added: number
  readonly scope: number
}

/** What an album follows from: what its tracks say, in the order of their rows. */
export interface AlbumTracks {
  readonly summaries: readonly AlbumSummary[]
  readonly tracks: readonly AlbumTrack[]
  /** The album's name with which the words of all tracks have been written; undefined: it is to be looked. */
  readonly named?: string | undefined
}

interface AlbumTrack extends NamedTrack {
  readonly credits: readonly AlbumTrackCredit[]
  readonly disc: number | null
  readonly number: number | null
  /** 0: it has none. */
  readonly picture: number
  /** Of its file, which carries the picture where `picture` says so. */
  readonly fingerprint: Uint8Array
}

interface AlbumTrackCredit extends NamedCredit {
  readonly artist: number
}

/**
 * Answers the function that makes an album's row, credits, list entries and words, and the words of its tracks, say
 * what its tracks say now: as they are given, where all of them have just been made, or as they stand in the tables. An
 * album without tracks is deleted.
 */
export function openAlbums(parts: TrackParts): (id: number, given?: AlbumTracks) => void {
  const { db, lists: writer, scopes, documents, genres, marks } = parts
  const read = db.prepare('SELECT * FROM album WHERE id = ?')
  const write = db.prepare(
    `UPDATE album SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
  )
  const drop = db.prepare('DELETE FROM album WHERE id = ?')
  const credits = openAlbumCredits(parts)
  const readTracks = openAlbumTracks(parts)
  const writeWords = openWords(parts)

  function count(id: number, guid: Uint8Array, album: AlbumState, delta: 1 | -1): void {
    const { scope, year } = album
    const edit: ListWriter['add'] = delta === 1 ? writer.add : writer.remove
    const sorted = sortText(album.name, album.sort)
    const byName = [lists.albumsByName, ...album.genres.map(albumsOfGenre)]
    edit(byName, nameKey(sorted, guid), id, scope)
    edit([lists.albumsByArtist], artistAlbumKey(album.artistSort, year, sorted, guid), id, scope)
    edit([lists.albumsByYear], yearNameKey(year, sorted, guid), id, scope)
    edit([lists.albumsByTime], timeKey(album.added, guid), id, scope)
    for (const genre of album.genres) genres.count(genre, scope, { albums: delta })
    scopes.count(scope, { albums: delta })
    documents.countTerms([album.name, album.sort], delta)
  }

  return function settle(id, given) {
    const row = read.get(id)
    if (row === undefined) return
    const guid = bytes(row.guid)
    const old = {
      document: optional(integer, row.document) ?? null,
      words: optional(integer, row.words) ?? null,
    }
    const before = old.document === null ? undefined : stateOf(row)
    const stands = { scope: integer(row.scope), added: integer(row.added) }
    const { summaries, tracks, named } = given ?? readTracks(id)
    if (tracks.length === 0) {
      if (before !== undefined) count(id, guid, before, -1)
      credits.replace(id, { before: stands, after: { scope: 0, added: 0 } }, [], [])
      documents.remove('album', old)
      drop.run(id)
      return
    }
    const summary = merge(summaries)
    const facts = factsOf(summary)
    const cover = coverOf(tracks)
    const scope = scopes.union(tracks.map((track) => track.scope))
    const [main] = facts.artists
    const album: AlbumState = {
      name: facts.name,
      sort: facts.sortName ?? null,
      artist: facts.artist,
      artistSort: sortText(facts.artist, main?.sortName),
      year: facts.year,
      genres: [...new Set(facts.genres.map((name) => genres.resolve(name).genre))],
      added: summary.addedAt,
      scope,
    }
    if (before === undefined || !sameState(before, album)) {
      if (before !== undefined) count(id, guid, before, -1)
      count(id, guid, album, 1)
    }
    const after = { scope, added: album.added }
    const by = credits.replace(id, { before: stands, after }, facts.artists, tracks)
    const { document, words } = documents.put(
      'album',
      { id, weight: weightOf(marks.popularity('album', guid)), scope },
      [[album.name, album.sort], [album.artist, ...facts.artists.map(({ name }) => name)], facts.genres],
      old,
    )
    const values = [
      album.name,
      album.sort,
      album.artist,
      album.artistSort,
      by.join(','),
      album.year,
      album.genres.join(','),
      summary.tracks,
      summary.durationMs,
      summary.size,
      summary.compilation ? 1 : 0,
      cover?.id ?? null,
      cover === undefined ? '' : coverVersionOf(cover.picture, cover.fingerprint),
      album.added,
      summary.updatedAt,
      writeAlbumSays(facts),
      scope,
      document,
      words,
    ]
    if (!columns.every((column, each) => row[column] === values[each])) write.run(...values, id)
    if (named !== album.name) writeWords(album.name, tracks)
  }
}

const columns = [
  'name',
  'sort',
  'artist',
  'artist_sort',
  'artists',
  'year',
  'genres',
  'tracks',
  'duration',
  'size',
  'compilation',
  'cover',
  'cover_version',
  'added',
  'updated',
  'says',
  'scope',
  'document',
  'words',
] as const

/** Whether an album is listed and counted in the same places. */
function sameState(one: AlbumState, other: AlbumState): boolean {
  return (
    one.name === other.name &&
    one.sort === other.sort &&
    one.artist === other.artist &&
    one.artistSort === other.artistSort &&
    one.year === other.year &&
    one.added === other.added &&
    one.scope === other.scope &&
    one.genres.join() === other.genres.join()
  )
}

function stateOf(row: Record<string, SQLOutputValue>): AlbumState {
  return {
    name: text(row.name),
    sort: optional(text, row.sort) ?? null,
    artist: text(row.artist),
    artistSort: text(row.artist_sort),
    year: optional(integer, row.year) ?? null,
    genres: idsOf(text(row.genres)),
    added: integer(row.added),
    scope: integer(row.scope),
  }
}

/** The first track with a picture. */
function coverOf(tracks: readonly AlbumTrack[]): AlbumTrack | undefined {
  let first: AlbumTrack | undefined
  for (const track of tracks) {
    if (track.picture > 0 && (first === undefined || isBefore(track, first))) first = track
  }
  return first
}

/** In the order of discs and numbers; a track without them comes first. */
function isBefore(one: AlbumTrack, other: AlbumTrack): boolean {
  const by = (one.disc ?? -1) - (other.disc ?? -1) || (one.number ?? -1) - (other.number ?? -1)
  return (by || Buffer.compare(one.guid, other.guid)) < 0
}

/** Reads what an album follows from. */
function openAlbumTracks({ db }: TrackParts): (album: number) => AlbumTracks {
  const summaries = db.prepare('SELECT summary FROM album_part WHERE album = ? ORDER BY part')
  const tracks = db.prepare(
    `SELECT id, guid, title, sort, genres, scope, document, words, disc, number, picture,
       fingerprint
     FROM track WHERE album = ? ORDER BY id`,
  )
  const genreName = db.prepare('SELECT name FROM genre_name WHERE id = ?')
  const credits = db.prepare(
    `SELECT credit.track, credit.role, credit.artist, spelling.name, spelling.sort
     FROM track JOIN credit ON credit.track = track.id JOIN spelling ON spelling.id = credit.spelling
     WHERE track.album = ? ORDER BY credit.track, credit.role, credit.position`,
  )

  return (album) => {
    const known = new Map<string, readonly string[]>()
    const genresOf = (ids: string) => {
      const genres = known.get(ids) ?? idsOf(ids).map((each) => text(genreName.get(each)?.name))
      known.set(ids, genres)
      return genres
    }
    const credited = Map.groupBy(credits.all(album), ({ track }) => integer(track))
    return {
      summaries: summaries.all(album).map((each) => written<AlbumSummary>(each.summary)),
      tracks: tracks.all(album).map((row) => ({
        id: integer(row.id),
        guid: bytes(row.guid),
        title: text(row.title),
        sort: optional(text, row.sort) ?? null,
        genres: genresOf(text(row.genres)),
        scope: integer(row.scope),
        credits: (credited.get(integer(row.id)) ?? []).map((credit) => ({
          role: integer(credit.role),
          artist: integer(credit.artist),
          name: text(credit.name),
          sort: text(credit.sort),
        })),
        old: { document: integer(row.document) || null, words: integer(row.words) },
        disc: optional(integer, row.disc) ?? null,
        number: optional(integer, row.number) ?? null,
        picture: integer(row.picture),
        fingerprint: bytes(row.fingerprint),
      })),
    }
  }
}

/** Answers the function that makes the words of tracks say what is given. */
function openWords(parts: TrackParts) {
  const write = parts.db.prepare('UPDATE track SET document = ?, words = ? WHERE id = ?')
  const writeWords = openTrackWords(parts)

  return function words(albumName: string, tracks: readonly AlbumTrack[]): void {
    for (const track of tracks) {
      const next = writeWords(track, albumName)
      if (next !== track.old) write.run(next.document, next.words, track.id)
    }
  }
}
