import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type {
  AlbumSummary,
  ArtistRef,
  ArtistSummary,
  ItemMark,
  TrackSummary,
} from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { bytes, idsOf, integer, listed, optional, text } from '../../../store/row.ts'
import { guidOf, guidOfHex } from '../guid.ts'
import { sortText } from '../keys.ts'
import { markKinds } from '../mark-kinds.ts'
import { roles, trackCreditsOf } from '../track-credits.ts'
import { seen, type View } from './view.ts'

type Row = Record<string, SQLOutputValue | undefined>

/** What was found of these rows, in the order in which they are asked for and as often. SQLite would take a sorter for it. */
export function inOrderOf<Found>(
  ids: readonly number[],
  found: Iterable<readonly [row: number, Found]>,
): Found[] {
  const known = new Map(found)
  const ordered: Found[] = []
  for (const id of ids) {
    const one = known.get(id)
    if (one !== undefined) ordered.push(one)
  }
  return ordered
}

/** The albums of some rows, in their order; rows that the viewer does not see, or that are gone, are left out. */
export function albumsOf(db: DatabaseSync, view: View, ids: readonly number[]): AlbumSummary[] {
  const list = JSON.stringify(ids)
  const rows = listed(
    db.prepare(
      `SELECT album.id, album.guid, album.name, album.artist, album.artists, album.year, album.genres, album.tracks,
         album.duration, album.compilation, album.added, cover.fingerprint, cover.picture, ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN album ON album.id = wanted.value
       LEFT JOIN track AS cover ON cover.id = album.cover ${joinMark(view, 'album')}
       WHERE true ${seen(view, 'album.scope')} ORDER BY wanted.key`,
    ),
  )(list)
  const refsOf = openArtistRefs(db)(rows.flatMap((row) => idsOf(text(row[4]))))
  const nameGenres = genresOf(db, 'genre')
  const figures = view.scopes === null ? undefined : visibleFigures(db, view, list)
  return rows.map((row) => {
    const [rowId, guid, name, artist, artists, year, genres, tracks, duration, ...rest] = row
    const [compilation, added, fingerprint, picture, ...mark] = rest
    const id = integer(rowId)
    const figure = figures?.get(id)
    return {
      id: guidOf(bytes(guid)),
      name: text(name),
      artists: refsOf(idsOf(text(artists))),
      artist: text(artist),
      year: optional(integer, year),
      genres: figure?.genres ?? nameGenres(text(genres)),
      trackCount: figure?.tracks ?? integer(tracks),
      durationMs: figure?.duration ?? integer(duration),
      compilation: compilation === 1,
      cover: coverOf({ fingerprint, picture }),
      addedAt: integer(added),
      mark: markOf(mark),
    }
  })
}

/** The tracks of some rows, likewise. */
export function tracksOf(db: DatabaseSync, view: View, ids: readonly number[]): TrackSummary[] {
  const list = JSON.stringify(ids)
  const rows = listed(
    db.prepare(
      `SELECT track.id, track.guid, track.title, track.artist, track.credits, track.album, track.disc, track.number,
         track.year, track.genres, track.duration, track.bitrate, track.size, track.explicit, track.added, track.format,
         track.fingerprint, track.picture, cover.fingerprint, cover.picture,
         track.track_gain, track.track_peak, track.album_gain, track.album_peak, ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN track ON track.id = wanted.value
       CROSS JOIN album ON album.id = track.album LEFT JOIN track AS cover ON cover.id = album.cover
       ${joinMark(view, 'track')}
       WHERE true ${seen(view, 'track.scope')} ORDER BY wanted.key`,
    ),
  )(list)
  const find = openArtistRefs(db)
  const refsOf = find(rows.flatMap((row) => artistRows(text(row[4]))))
  const albums = openAlbumRefs(db, find)(rows.map((row) => integer(row[5])))
  const nameGenres = genresOf(db, 'genre_name')
  const formatOf = formats(db)
  return rows.map((row) => {
    const [, guid, title, artist, credits, albumId, disc, number, year, genres, ...rest] = row
    const [duration, bitrate, size, explicit, added, format, fingerprint, picture, ...others] = rest
    const [coverFingerprint, coverPicture, trackGain, trackPeak, albumGain, albumPeak, ...mark] = others
    const by = refsOf(artistRows(text(credits)))
    const album = albums.get(integer(albumId))
    return {
      id: guidOf(bytes(guid)),
      title: text(title),
      artists: by,
      artist: optional(text, artist) ?? by.map(({ name }) => name).join(', '),
      album: { id: album?.id ?? '', name: album?.name ?? '' },
      albumArtists: album?.artists ?? [],
      disc: optional(integer, disc),
      track: optional(integer, number),
      year: optional(integer, year),
      genres: nameGenres(text(genres)),
      durationMs: integer(duration),
      ...formatOf(integer(format)),
      bitrate: integer(bitrate),
      size: integer(size),
      explicit: explicitOf(explicit),
      replayGain: replayGainOf(trackGain, trackPeak, albumGain, albumPeak),
      version: versionOf(bytes(fingerprint)),
      cover:
        picture === 0
          ? coverOf({ fingerprint: coverFingerprint, picture: coverPicture })
          : coverOf({ fingerprint, picture }),
      addedAt: integer(added),
      mark: markOf(mark),
    }
  })
}

/** The artists of some rows, likewise, with what the viewer sees of theirs. */
export function artistsOf(db: DatabaseSync, view: View, ids: readonly number[]): ArtistSummary[] {
  const list = JSON.stringify(ids)
  const rows = listed(
    db.prepare(
      `SELECT artist.id, artist.guid, artist.name, artist.sort, artist.tracks, artist.albums,
         cover.fingerprint, cover.picture, ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN artist ON artist.id = wanted.value ${joinMark(view, 'artist')}
       LEFT JOIN track AS cover ON cover.id = (
         SELECT cover FROM album_credit JOIN album ON album.id = album_credit.album
         WHERE album_credit.artist = artist.id AND album_credit.role = ${roles.albumArtist}
           AND album.cover IS NOT NULL ${seen(view, 'album.scope')} LIMIT 1
       )
       WHERE true ${seen(view, 'artist.scope')} ORDER BY wanted.key`,
    ),
  )(list)
  const counts = view.scopes === null ? undefined : visibleCounts(db, view, list)
  return rows.map((row) => {
    const [id, guid, name, sort, tracks, albums, fingerprint, picture, ...mark] = row
    const count = counts === undefined ? { tracks, albums } : counts.get(integer(id))
    return {
      id: guidOf(bytes(guid)),
      name: text(name),
      sortName: optional(text, sort) ?? sortText(text(name), null),
      albumCount: optional(integer, count?.albums) ?? 0,
      trackCount: optional(integer, count?.tracks) ?? 0,
      cover: coverOf({ fingerprint, picture }),
      mark: markOf(mark),
    }
  })
}

/** The version of a track's bytes: the start of their fingerprint. */
function versionOf(fingerprint: Uint8Array): string {
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

export const markColumns = 'mark.starred, mark.rating, mark.plays, mark.played'

export function joinMark({ listener }: View, kind: keyof typeof markKinds): string {
  return `LEFT JOIN mark ON mark.listener = ${listener} AND mark.kind = ${markKinds[kind]} AND mark.item = ${kind}.guid`
}

/** The values of `markColumns`. */
export function markOf([starred, rating, plays, played]: readonly (SQLOutputValue | undefined)[]): ItemMark {
  return {
    starredAt: optional(integer, starred),
    rating: optional(integer, rating),
    playCount: optional(integer, plays) ?? 0,
    playedAt: optional(integer, played),
  }
}

export function replayGainOf(
  trackGain: SQLOutputValue | undefined,
  trackPeak: SQLOutputValue | undefined,
  albumGain: SQLOutputValue | undefined,
  albumPeak: SQLOutputValue | undefined,
): TrackSummary['replayGain'] {
  if ((trackGain ?? trackPeak ?? albumGain ?? albumPeak ?? null) === null) return undefined
  return {
    trackGain: optional(integer, trackGain),
    trackPeak: optional(integer, trackPeak),
    albumGain: optional(integer, albumGain),
    albumPeak: optional(integer, albumPeak),
  }
}

export interface AlbumRef {
  readonly id: Id
  readonly name: string
  readonly artists: ArtistRef[]
  /** The version of its picture; empty: it has none. */
  readonly cover: string
}

/** Answers the function that finds albums by their rows; one that it has found before is not read again. */
export function openAlbumRefs(
  db: DatabaseSync,
  artists: ArtistRefs,
): (albums: readonly number[]) => ReadonlyMap<number, AlbumRef> {
  const read = listed(
    db.prepare(
      `SELECT album.id, lower(hex(album.guid)), album.name, album.artists, album.cover_version
       FROM json_each(?) AS wanted CROSS JOIN album ON album.id = wanted.value`,
    ),
  )
  return once((list) => {
    const rows = read(list)
    const refsOf = artists(rows.flatMap((row) => idsOf(text(row[3]))))
    return rows.map(([row, guid, name, by, cover]) => [
      integer(row),
      { id: guidOfHex(text(guid)), name: text(name), artists: refsOf(idsOf(text(by))), cover: text(cover) },
    ])
  })
}

/** Of each of these, what `read` finds of those that it has not been asked for before. */
function once<Found>(
  read: (list: string) => readonly (readonly [number, Found])[],
): (ids: readonly number[]) => ReadonlyMap<number, Found> {
  const known = new Map<number, Found>()
  return (ids) => {
    const wanted = new Set(ids.filter((id) => !known.has(id)))
    if (wanted.size > 0) for (const [id, found] of read(JSON.stringify([...wanted]))) known.set(id, found)
    return known
  }
}

/** What a file is, by the number of its format; there are few, and a page has fewer. */
export function formats(db: DatabaseSync) {
  const find = db.prepare('SELECT codec, media_type, suffix FROM format WHERE id = ?')
  const known = new Map<number, Pick<TrackSummary, 'codec' | 'mediaType' | 'suffix'>>()
  return (id: number) => {
    const format = known.get(id) ?? read(find.get(id))
    known.set(id, format)
    return format
  }
  function read(row: Row = {}) {
    return { codec: text(row.codec), mediaType: text(row.media_type), suffix: text(row.suffix) }
  }
}

/** The rows of a track's artists, of its column `credits`. */
function artistRows(credits: string): number[] {
  return trackCreditsOf(credits).flatMap(([role, artist]) => (role === roles.artist ? [artist] : []))
}

/** Looks artists up by their rows; answers the function that gives some of them, one who is named twice once. */
export type ArtistRefs = (ids: readonly number[]) => (some: readonly number[]) => ArtistRef[]

/** Whom it has found before is not read again. */
export function openArtistRefs(db: DatabaseSync): ArtistRefs {
  const read = listed(
    db.prepare(
      `SELECT artist.id, lower(hex(artist.guid)), artist.name
       FROM json_each(?) AS wanted CROSS JOIN artist ON artist.id = wanted.value`,
    ),
  )
  const find = once((list) =>
    read(list).map(([id, guid, name]): [number, ArtistRef] => [
      integer(id),
      { id: guidOfHex(text(guid)), name: text(name) },
    ]),
  )
  return (ids) => {
    const known = find(ids)
    return (some) => {
      const refs: ArtistRef[] = []
      for (const id of some) {
        const ref = known.get(id)
        if (ref !== undefined && !refs.includes(ref)) refs.push(ref)
      }
      return refs
    }
  }
}

/** Answers the function that gives the names of a column `genres`; the same few columns come again and again. */
export function genresOf(db: DatabaseSync, table: 'genre' | 'genre_name'): (column: string) => string[] {
  const id = table === 'genre' ? 'id' : 'genre'
  const find = listed(
    db.prepare(
      `SELECT genre.name FROM ${table} AS written CROSS JOIN genre ON genre.id = written.${id} WHERE written.id = ?`,
    ),
  )
  const columns = new Map<string, string[]>()
  const names = new Map<number, string[]>()
  const nameOf = (id: number) => {
    const found = names.get(id) ?? find(id).map(([name]) => text(name))
    names.set(id, found)
    return found
  }
  return (column) => {
    const found = columns.get(column) ?? idsOf(column).flatMap(nameOf)
    columns.set(column, found)
    return found
  }
}

/** What albums have, as far as the viewer sees it. */
export function visibleFigures(db: DatabaseSync, view: View, albums: string) {
  const rows = db
    .prepare(
      `SELECT track.album, track.duration, track.genres
       FROM json_each(?) AS wanted CROSS JOIN track ON track.album = wanted.value
       WHERE true ${seen(view, 'track.scope')}`,
    )
    .all(albums)
  const nameGenres = genresOf(db, 'genre_name')
  const figures = new Map<number, { tracks: number; duration: number; genres: string[] }>()
  for (const row of rows) {
    const album = integer(row.album)
    const sum = figures.get(album) ?? { tracks: 0, duration: 0, genres: [] }
    const own = nameGenres(text(row.genres))
    figures.set(album, {
      tracks: sum.tracks + 1,
      duration: sum.duration + integer(row.duration),
      genres: [...new Set([...sum.genres, ...own])],
    })
  }
  return figures
}

export function visibleCounts(db: DatabaseSync, view: View, artists: string) {
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
