import type { DatabaseSync } from 'node:sqlite'
import type {
  AlbumDetail,
  AlbumSummary,
  ArtistDetail,
  ArtistSummary,
  TrackSummary,
} from '../../../protocol/api/catalog.ts'
import { CodedError } from '../../../protocol/errors.ts'
import type { Id } from '../../../protocol/ids.ts'
import { integer, optional, text, written } from '../../../store/row.ts'
import { guidBytes } from '../guid.ts'
import { sortText } from '../keys.ts'
import { factsOf, merge, type AlbumSummary as PartSummary } from '../summary.ts'
import { roles } from '../track-credits.ts'
import { topTracks } from './artists.ts'
import { albumsOf, artistsOf, tracksOf } from './rows.ts'
import { type Ask, seen, type View, viewOf } from './view.ts'

export function tracksByIds(db: DatabaseSync, ask: Ask, ids: readonly Id[]): (TrackSummary | null)[] {
  return byIds(db, ask, ids, 'track', tracksOf)
}
export function albumsByIds(db: DatabaseSync, ask: Ask, ids: readonly Id[]): (AlbumSummary | null)[] {
  return byIds(db, ask, ids, 'album', albumsOf)
}
export function artistsByIds(db: DatabaseSync, ask: Ask, ids: readonly Id[]): (ArtistSummary | null)[] {
  return byIds(db, ask, ids, 'artist', artistsOf)
}

/** An album with its tracks and all that they say of it. */
export function album(db: DatabaseSync, ask: Ask, id: Id): AlbumDetail {
  const view = viewOf(db, ask)
  const row = rowOf(db, 'album', id)
  const [shown] = albumsOf(db, view, row === undefined ? [] : [row])
  if (row === undefined || shown === undefined) throw new CodedError('NOT_FOUND', `album ${id}`)
  const parts = db.prepare('SELECT summary FROM album_part WHERE album = ? ORDER BY part').all(row)
  const facts = factsOf(merge(parts.map(({ summary }) => written<PartSummary>(summary))))
  const tracks = tracksOf(db, view, rowsOfAlbum(db, view, row))
  const discs = new Set(tracks.map((track) => track.disc ?? 1))
  return {
    ...shown,
    sortName: facts.sortName ?? sortText(facts.name, null),
    version: facts.version,
    date: facts.date,
    originalDate: facts.originalDate,
    releaseDate: facts.releaseDate,
    labels: [...facts.labels],
    moods: [...facts.moods],
    releaseTypes: [...facts.releaseTypes],
    musicBrainzId: facts.musicBrainzId,
    explicit: facts.explicit,
    discs: facts.discs.filter(({ disc }) => discs.has(disc)).map(({ disc, title }) => ({ disc, title })),
    tracks,
  }
}

/** The tracks of an album, in their order. */
export function rowsOfAlbum(db: DatabaseSync, view: View, album: number): number[] {
  return db
    .prepare(`SELECT id FROM track WHERE album = ? ${seen(view, 'scope')} ORDER BY disc, number, guid`)
    .all(album)
    .map((track) => integer(track.id))
}

/** Albums of an artist that are shown on their page. */
const mostAlbums = 500

/** An artist with their albums, the newest first, and what else they are credited on. */
export function artist(db: DatabaseSync, ask: Ask, id: Id): ArtistDetail {
  const view = viewOf(db, ask)
  const row = rowOf(db, 'artist', id)
  const [shown] = artistsOf(db, view, row === undefined ? [] : [row])
  if (row === undefined || shown === undefined) throw new CodedError('NOT_FOUND', `artist ${id}`)
  const { own, others } = rowsOfArtist(db, view, row)
  const musicBrainzId = db.prepare('SELECT musicbrainz FROM artist WHERE id = ?').get(row)?.musicbrainz
  return {
    ...shown,
    musicBrainzId: optional(text, musicBrainzId),
    albums: albumsOf(db, view, own),
    appearsOn: albumsOf(db, view, others),
    topTracks: topTracks(db, ask, id, 10),
  }
}

/** The albums of an artist, the newest first, and those on which they are only credited. */
export function rowsOfArtist(
  db: DatabaseSync,
  view: View,
  artist: number,
): { readonly own: number[]; readonly others: number[] } {
  const own = creditedAlbums(db, view, artist, `role = ${roles.albumArtist}`)
  const others = creditedAlbums(
    db,
    view,
    artist,
    `role <> ${roles.albumArtist} AND NOT EXISTS (
       SELECT 1 FROM album_credit AS own
       WHERE own.album = album_credit.album AND own.artist = album_credit.artist AND own.role = ${roles.albumArtist})`,
  )
  return { own, others }
}

function creditedAlbums(db: DatabaseSync, view: View, artist: number, condition: string): number[] {
  return db
    .prepare(
      `SELECT DISTINCT album.id FROM album_credit CROSS JOIN album ON album.id = album_credit.album
       WHERE album_credit.artist = ? AND ${condition} ${seen(view, 'album.scope')}
       ORDER BY album.year DESC, album.name, album.guid LIMIT ${mostAlbums}`,
    )
    .all(artist)
    .map((row) => integer(row.id))
}

function byIds<Item extends { id: Id }>(
  db: DatabaseSync,
  ask: Ask,
  ids: readonly Id[],
  table: 'track' | 'album' | 'artist',
  read: (db: DatabaseSync, view: View, rows: readonly number[]) => Item[],
): (Item | null)[] {
  const rows = rowsOfIds(db, table, [...new Set(ids)])
  const items = new Map(read(db, viewOf(db, ask), rows).map((item) => [item.id, item]))
  return ids.map((id) => items.get(id) ?? null)
}

/** The rows of these items that are there, in their order. */
export function rowsOfIds(
  db: DatabaseSync,
  table: 'track' | 'album' | 'artist',
  ids: readonly Id[],
): number[] {
  const find = db.prepare(`SELECT id FROM ${table} WHERE guid = ?`)
  return ids.flatMap((id) => optional(integer, find.get(guidBytes(id))?.id) ?? [])
}

function rowOf(db: DatabaseSync, table: 'album' | 'artist', id: Id): number | undefined {
  return optional(integer, db.prepare(`SELECT id FROM ${table} WHERE guid = ?`).get(guidBytes(id))?.id)
}
