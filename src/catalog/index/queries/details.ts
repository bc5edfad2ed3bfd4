import type { DatabaseSync } from 'node:sqlite'
import type { ArtistRef } from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { bytes, integer, optional, text, written } from '../../../store/row.ts'
import { guidOf } from '../guid.ts'
import { markKinds } from '../mark-kinds.ts'
import { type AlbumFacts, type AlbumSummary, factsOf, merge } from '../summary.ts'
import { idsOf, type MoreTags, moreTagsOf, roles } from '../tracks.ts'
import { artistRefs } from './rows.ts'
import { type Ask, seen, viewOf } from './view.ts'

export interface TrackDetails {
  readonly sampleRate: number
  readonly channels: number
  readonly bitDepth: number | undefined
  readonly bpm: number | undefined
  readonly comment: string | undefined
  readonly sortName: string | undefined
  /** Of one of its files that the viewer sees, relative to the library; undefined for an upload. */
  readonly path: string | undefined
  readonly composers: readonly ArtistRef[]
  readonly contributors: readonly Contributor[]
  readonly averageRating: number | undefined
  readonly more: MoreTags
}

export interface Contributor extends ArtistRef {
  readonly role: string
  readonly subRole: string | undefined
}

export interface AlbumDetails extends Omit<AlbumFacts, 'artists' | 'year' | 'genres'> {
  readonly averageRating: number | undefined
}

export interface ArtistDetails {
  readonly musicBrainzId: string | undefined
  readonly averageRating: number | undefined
  /** What they do: of albums, of tracks, as composers, and whatever tags call it. */
  readonly roles: readonly string[]
}

export function trackDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, TrackDetails> {
  const view = viewOf(db, ask)
  const libraries = [...view.libraries.values()].join(', ')
  const rows = db.prepare(
    `SELECT track.id, track.guid, track.sample_rate, track.channels, track.bit_depth, track.bpm, track.comment,
       track.sort, track.more, ${averageOf('track')},
       (SELECT path FROM file WHERE file.track = track.id AND file.library IN (${libraries})
        ORDER BY library, path LIMIT 1) AS path
     FROM json_each(?) AS wanted CROSS JOIN track ON track.guid = unhex(wanted.value)
     WHERE true ${seen(view, 'track.scope')}`,
  )
  rows.setReturnArrays(true)
  const found = rows.all(hexOf(ids))
  const others = contributors(
    db,
    found.map((row) => integer(row[0])),
  )
  return new Map(
    found.map((row) => {
      const [id, guid, sampleRate, channels, bitDepth, bpm, comment, sort, more, average, path] =
        Object.values(row)
      const contributors = others.get(integer(id)) ?? []
      const details = {
        sampleRate: integer(sampleRate),
        channels: integer(channels),
        bitDepth: optional(integer, bitDepth),
        bpm: optional(integer, bpm),
        comment: optional(text, comment),
        sortName: optional(text, sort),
        averageRating: optional(integer, average),
        path: optional(text, path),
        composers: contributors
          .filter(({ role }) => role === 'composer')
          .map(({ id, name }) => ({ id, name })),
        contributors,
        more: more === null ? nothingMore : moreTagsOf(text(more)),
      }
      return [guidOf(bytes(guid)), details]
    }),
  )
}

const nothingMore = {}

/** Everyone who is credited on some tracks beside their artists. */
function contributors(db: DatabaseSync, tracks: readonly number[]): Map<number, Contributor[]> {
  const rows = db.prepare(
    `SELECT credit.track, credit.artist, role.name, credit.detail
     FROM json_each(?) AS wanted CROSS JOIN credit ON credit.track = wanted.value
     LEFT JOIN role ON role.id = credit.role - 10
     WHERE credit.role >= ${roles.composer} ORDER BY wanted.key, credit.role, credit.position`,
  )
  rows.setReturnArrays(true)
  const found = rows.all(JSON.stringify(tracks))
  const artists = artistRefs(db, [...new Set(found.map((row) => integer(row[1])))])
  const groups = new Map<number, Contributor[]>()
  for (const row of found) {
    const artist = artists.get(integer(row[1]))
    if (artist === undefined) continue
    const track = integer(row[0])
    const group = groups.get(track) ?? []
    const { id, name } = artist
    group.push({ id, name, role: optional(text, row[2]) ?? 'composer', subRole: optional(text, row[3]) })
    groups.set(track, group)
  }
  return groups
}

/** What everyone together thinks of something, out of five; null where nobody has rated it. */
function averageOf(kind: keyof typeof markKinds): string {
  return `(SELECT avg(rating) FROM mark WHERE mark.kind = ${markKinds[kind]} AND mark.item = ${kind}.guid) AS average`
}

/** GUIDs as a JSON list from which SQLite makes bytes. */
function hexOf(ids: readonly Id[]): string {
  return JSON.stringify([...new Set(ids)].map((id) => id.replaceAll('-', '')))
}

export function albumDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, AlbumDetails> {
  const view = viewOf(db, ask)
  const rows = db.prepare(
    `SELECT album.id, album.guid, ${averageOf('album')}
     FROM json_each(?) AS wanted CROSS JOIN album ON album.guid = unhex(wanted.value)
     WHERE true ${seen(view, 'album.scope')}`,
  )
  rows.setReturnArrays(true)
  const albums = rows.all(hexOf(ids))
  const summaries = albumSummaries(
    db,
    albums.map((row) => integer(row[0])),
  )
  return new Map(
    albums.map((row) => {
      const [id, guid, average] = Object.values(row)
      const {
        artists: _artists,
        year: _year,
        genres: _genres,
        ...facts
      } = factsOf(merge(summaries.get(integer(id)) ?? []))
      return [guidOf(bytes(guid)), { ...facts, averageRating: optional(integer, average) }]
    }),
  )
}

function albumSummaries(db: DatabaseSync, albums: readonly number[]): Map<number, AlbumSummary[]> {
  const rows = db.prepare(
    `SELECT album_part.album, album_part.summary
     FROM json_each(?) AS wanted CROSS JOIN album_part ON album_part.album = wanted.value
     ORDER BY wanted.key, album_part.part`,
  )
  rows.setReturnArrays(true)
  const parts = new Map<number, AlbumSummary[]>()
  for (const row of rows.all(JSON.stringify(albums))) {
    const album = integer(row[0])
    const summary = written<AlbumSummary>(row[1])
    const known = parts.get(album)
    if (known === undefined) parts.set(album, [summary])
    else known.push(summary)
  }
  return parts
}

/** Names of the roles that have a row of their own. */
const roleNames: Readonly<Record<number, string>> = {
  [roles.albumArtist]: 'albumartist',
  [roles.artist]: 'artist',
  [roles.composer]: 'composer',
}

export function artistDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, ArtistDetails> {
  const view = viewOf(db, ask)
  // Each role is found by the one before: some artists have ten thousand credits, and nobody more than a few roles.
  const rows = db.prepare(
    `SELECT artist.guid, artist.musicbrainz, artist.albums, ${averageOf('artist')}, (
       WITH RECURSIVE own (role) AS (
         SELECT min(role) FROM credit WHERE credit.artist = artist.id AND role > ${roles.albumArtist}
         UNION ALL
         SELECT (SELECT min(role) FROM credit WHERE credit.artist = artist.id AND role > own.role)
         FROM own WHERE own.role IS NOT NULL
       ) SELECT group_concat(role) FROM own
     ) AS roles
     FROM json_each(?) AS wanted CROSS JOIN artist ON artist.guid = unhex(wanted.value)
     WHERE true ${seen(view, 'artist.scope')}`,
  )
  rows.setReturnArrays(true)
  const called = new Map(
    db
      .prepare('SELECT id, name FROM role')
      .all()
      .map((row) => [integer(row.id) + 10, text(row.name)]),
  )
  return new Map(
    rows.all(hexOf(ids)).map((row) => {
      const [guid, musicBrainzId, albums, average, own] = Object.values(row)
      const names = idsOf(optional(text, own) ?? '').flatMap(
        (role) => roleNames[role] ?? called.get(role) ?? [],
      )
      const details = {
        musicBrainzId: optional(text, musicBrainzId),
        averageRating: optional(integer, average),
        roles: integer(albums) > 0 ? ['albumartist', ...names] : names,
      }
      return [guidOf(bytes(guid)), details]
    }),
  )
}
