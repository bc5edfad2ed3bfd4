import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type {
  AlbumSummary,
  ArtistRef,
  ArtistSummary,
  ItemMark,
  TrackSummary,
} from '../../../protocol/api/catalog.ts'
import { bytes, integer, optional, text } from '../../../store/row.ts'
import { guidOf } from '../guid.ts'
import { sortText } from '../keys.ts'
import { markKinds } from '../marks.ts'
import { idsOf, roles } from '../tracks.ts'
import { seen, type View } from './view.ts'

type Row = Record<string, SQLOutputValue | undefined>

/** The albums of some rows, in their order; rows that the viewer does not see, or that are gone, are left out. */
export function albumsOf(db: DatabaseSync, view: View, ids: readonly number[]): AlbumSummary[] {
  const list = JSON.stringify(ids)
  const rows = db
    .prepare(
      `SELECT album.*, cover.fingerprint, cover.picture, ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN album ON album.id = wanted.value
       LEFT JOIN track AS cover ON cover.id = album.cover ${joinMark(view, 'album')}
       WHERE true ${seen(view, 'album.scope')} ORDER BY wanted.key`,
    )
    .all(list)
  const artists = albumArtists(db, list)
  const genres = genreNames(db, 'genre', rows)
  const figures = view.scopes === null ? undefined : visibleFigures(db, view, list)
  return rows.map((row) => {
    const id = integer(row.id)
    const figure = figures?.get(id)
    return {
      id: guidOf(bytes(row.guid)),
      name: text(row.name),
      artists: artists.get(id) ?? [],
      artist: text(row.artist),
      year: optional(integer, row.year),
      genres: figure?.genres ?? idsOf(text(row.genres)).flatMap((genre) => genres.get(genre) ?? []),
      trackCount: figure?.tracks ?? integer(row.tracks),
      durationMs: figure?.duration ?? integer(row.duration),
      compilation: row.compilation === 1,
      cover: coverOf(row),
      addedAt: integer(row.added),
      mark: markOf(row),
    }
  })
}

/** The tracks of some rows, likewise. */
export function tracksOf(db: DatabaseSync, view: View, ids: readonly number[]): TrackSummary[] {
  const list = JSON.stringify(ids)
  const rows = db
    .prepare(
      `SELECT track.*, album.guid AS album_guid, album.name AS album_name, format.codec, format.media_type,
         format.suffix, cover.fingerprint AS cover_fingerprint, cover.picture AS cover_picture, ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN track ON track.id = wanted.value
       CROSS JOIN album ON album.id = track.album CROSS JOIN format ON format.id = track.format
       LEFT JOIN track AS cover ON cover.id = album.cover ${joinMark(view, 'track')}
       WHERE true ${seen(view, 'track.scope')} ORDER BY wanted.key`,
    )
    .all(list)
  const artists = trackArtists(db, list)
  const albums = albumArtists(db, JSON.stringify([...new Set(rows.map((row) => integer(row.album)))]))
  const genres = genreNames(db, 'genre_name', rows)
  return rows.map((row) => {
    const by = artists.get(integer(row.id)) ?? []
    return {
      id: guidOf(bytes(row.guid)),
      title: text(row.title),
      artists: by,
      artist: optional(text, row.artist) ?? by.map(({ name }) => name).join(', '),
      album: { id: guidOf(bytes(row.album_guid)), name: text(row.album_name) },
      albumArtists: albums.get(integer(row.album)) ?? [],
      disc: optional(integer, row.disc),
      track: optional(integer, row.number),
      year: optional(integer, row.year),
      genres: idsOf(text(row.genres)).flatMap((genre) => genres.get(genre) ?? []),
      durationMs: integer(row.duration),
      codec: text(row.codec),
      mediaType: text(row.media_type),
      suffix: text(row.suffix),
      bitrate: integer(row.bitrate),
      size: integer(row.size),
      explicit: explicitOf(row.explicit),
      replayGain: replayGainOf(row),
      version: versionOf(bytes(row.fingerprint)),
      cover:
        row.picture === 0
          ? coverOf({ fingerprint: row.cover_fingerprint, picture: row.cover_picture })
          : coverOf(row),
      addedAt: integer(row.added),
      mark: markOf(row),
    }
  })
}

/** The artists of some rows, likewise, with what the viewer sees of theirs. */
export function artistsOf(db: DatabaseSync, view: View, ids: readonly number[]): ArtistSummary[] {
  const list = JSON.stringify(ids)
  const rows = db
    .prepare(
      `SELECT artist.*, ${markColumns}, (
         SELECT cover FROM album_credit JOIN album ON album.id = album_credit.album
         WHERE album_credit.artist = artist.id AND album_credit.role = ${roles.albumArtist}
           AND album.cover IS NOT NULL ${seen(view, 'album.scope')} LIMIT 1
       ) AS cover
       FROM json_each(?) AS wanted CROSS JOIN artist ON artist.id = wanted.value ${joinMark(view, 'artist')}
       WHERE true ${seen(view, 'artist.scope')} ORDER BY wanted.key`,
    )
    .all(list)
  const counts = view.scopes === null ? undefined : visibleCounts(db, view, list)
  const picture = db.prepare('SELECT fingerprint, picture FROM track WHERE id = ?')
  return rows.map((row) => {
    const id = integer(row.id)
    const count = counts === undefined ? { tracks: row.tracks, albums: row.albums } : counts.get(id)
    const cover = row.cover === null ? undefined : picture.get(integer(row.cover))
    return {
      id: guidOf(bytes(row.guid)),
      name: text(row.name),
      sortName: optional(text, row.sort) ?? sortText(text(row.name), null),
      albumCount: optional(integer, count?.albums) ?? 0,
      trackCount: optional(integer, count?.tracks) ?? 0,
      cover: cover === undefined ? noCover : coverOf(cover),
      mark: markOf(row),
    }
  })
}

/** The version of a track's bytes: the start of their fingerprint. */
export function versionOf(fingerprint: Uint8Array): string {
  return Buffer.from(fingerprint.buffer, fingerprint.byteOffset, 8).toString('hex')
}

/** The version of the picture of a track: of the file that carries it, or beside which it lies. */
export function coverOf(row: Row): string {
  const picture = optional(integer, row.picture) ?? 0
  return picture === 0 ? noCover : `${versionOf(bytes(row.fingerprint))}-${picture}`
}

const noCover = '0'

export function explicitOf(value: SQLOutputValue | undefined): 'explicit' | 'clean' | undefined {
  return value === 1 ? 'explicit' : value === 2 ? 'clean' : undefined
}

const markColumns = 'mark.starred, mark.rating, mark.plays, mark.played'

function joinMark({ listener }: View, kind: keyof typeof markKinds): string {
  return `LEFT JOIN mark ON mark.listener = ${listener} AND mark.kind = ${markKinds[kind]} AND mark.item = ${kind}.guid`
}

function markOf(row: Row): ItemMark {
  return {
    starredAt: optional(integer, row.starred),
    rating: optional(integer, row.rating),
    playCount: optional(integer, row.plays) ?? 0,
    playedAt: optional(integer, row.played),
  }
}

function replayGainOf(row: Row): TrackSummary['replayGain'] {
  const figures = {
    trackGain: optional(integer, row.track_gain),
    trackPeak: optional(integer, row.track_peak),
    albumGain: optional(integer, row.album_gain),
    albumPeak: optional(integer, row.album_peak),
  }
  return Object.values(figures).every((figure) => figure === undefined) ? undefined : figures
}

function albumArtists(db: DatabaseSync, albums: string): Map<number, ArtistRef[]> {
  return grouped(
    db
      .prepare(
        `SELECT album_credit.album AS owner, artist.guid, artist.name
         FROM json_each(?) AS wanted CROSS JOIN album_credit ON album_credit.album = wanted.value
         CROSS JOIN artist ON artist.id = album_credit.artist
         WHERE album_credit.role = ${roles.albumArtist} ORDER BY wanted.key, album_credit.position`,
      )
      .all(albums),
  )
}

function trackArtists(db: DatabaseSync, tracks: string): Map<number, ArtistRef[]> {
  return grouped(
    db
      .prepare(
        `SELECT credit.track AS owner, artist.guid, artist.name
         FROM json_each(?) AS wanted CROSS JOIN credit ON credit.track = wanted.value
         CROSS JOIN artist ON artist.id = credit.artist
         WHERE credit.role = ${roles.artist} ORDER BY wanted.key, credit.position`,
      )
      .all(tracks),
  )
}

function grouped(rows: readonly Row[]): Map<number, ArtistRef[]> {
  const groups = new Map<number, ArtistRef[]>()
  for (const row of rows) {
    const owner = integer(row.owner)
    const group = groups.get(owner) ?? []
    // The same row may have been asked for twice, and then stands here twice.
    const id = guidOf(bytes(row.guid))
    if (!group.some((each) => each.id === id)) group.push({ id, name: text(row.name) })
    groups.set(owner, group)
  }
  return groups
}

/** The names of the genres of some rows, by the numbers that their column `genres` holds. */
function genreNames(
  db: DatabaseSync,
  table: 'genre' | 'genre_name',
  rows: readonly Row[],
): Map<number, string> {
  const ids = [...new Set(rows.flatMap((row) => idsOf(text(row.genres))))]
  const id = table === 'genre' ? 'id' : 'genre'
  return new Map(
    db
      .prepare(
        `SELECT written.id, genre.name FROM json_each(?) AS wanted
         CROSS JOIN ${table} AS written ON written.id = wanted.value
         CROSS JOIN genre ON genre.id = written.${id}`,
      )
      .all(JSON.stringify(ids))
      .map((row) => [integer(row.id), text(row.name)]),
  )
}

/** What albums have, as far as the viewer sees it. */
function visibleFigures(db: DatabaseSync, view: View, albums: string) {
  const rows = db
    .prepare(
      `SELECT track.album, track.duration, track.genres
       FROM json_each(?) AS wanted CROSS JOIN track ON track.album = wanted.value
       WHERE true ${seen(view, 'track.scope')}`,
    )
    .all(albums)
  const names = genreNames(db, 'genre_name', rows)
  const figures = new Map<number, { tracks: number; duration: number; genres: string[] }>()
  for (const row of rows) {
    const album = integer(row.album)
    const sum = figures.get(album) ?? { tracks: 0, duration: 0, genres: [] }
    const own = idsOf(text(row.genres)).flatMap((genre) => names.get(genre) ?? [])
    figures.set(album, {
      tracks: sum.tracks + 1,
      duration: sum.duration + integer(row.duration),
      genres: [...new Set([...sum.genres, ...own])],
    })
  }
  return figures
}

function visibleCounts(db: DatabaseSync, view: View, artists: string) {
  return new Map(
    db
      .prepare(
        `SELECT artist, sum(tracks) AS tracks, sum(albums) AS albums
         FROM json_each(?) AS wanted CROSS JOIN artist_count ON artist = wanted.value
         WHERE true ${seen(view, 'scope')} GROUP BY artist`,
      )
      .all(artists)
      .map((row) => [integer(row.artist), { tracks: row.tracks, albums: row.albums }]),
  )
}
