import type { DatabaseSync } from 'node:sqlite'
import type { ArtistRef } from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { bytes, integer, optional, text } from '../../../store/row.ts'
import { guidBytes, guidOf } from '../guid.ts'
import { type AlbumFacts, factsOf, merge, summaryOf } from '../summary.ts'
import { roles } from '../tracks.ts'
import { type Ask, seen, type View, viewOf } from './view.ts'

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
}

export interface Contributor extends ArtistRef {
  readonly role: string
  readonly subRole: string | undefined
}

export type AlbumDetails = Omit<AlbumFacts, 'artists' | 'year' | 'genres'>

export interface ArtistDetails {
  readonly musicBrainzId: string | undefined
  /** What they do: of albums, of tracks, as composers, and whatever tags call it. */
  readonly roles: readonly string[]
}

export function trackDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, TrackDetails> {
  const view = viewOf(db, ask)
  const find = db.prepare(
    `SELECT id, guid, sample_rate, channels, bit_depth, bpm, comment, sort FROM track
     WHERE guid = ? ${seen(view, 'scope')}`,
  )
  const credits = db.prepare(
    `SELECT credit.role, role.name AS called, credit.detail, artist.guid, artist.name FROM credit
     CROSS JOIN artist ON artist.id = credit.artist LEFT JOIN role ON role.id = credit.role - 10
     WHERE credit.track = ? AND credit.role >= ${roles.composer} ORDER BY credit.role, credit.position`,
  )
  const path = pathOf(db, view)
  const found = new Map<Id, TrackDetails>()
  for (const id of new Set(ids)) {
    const row = find.get(guidBytes(id))
    if (row === undefined) continue
    const others = credits.all(integer(row.id)).map((credit) => ({
      id: guidOf(bytes(credit.guid)),
      name: text(credit.name),
      role: optional(text, credit.called) ?? 'composer',
      subRole: optional(text, credit.detail),
    }))
    found.set(id, {
      sampleRate: integer(row.sample_rate),
      channels: integer(row.channels),
      bitDepth: optional(integer, row.bit_depth),
      bpm: optional(integer, row.bpm),
      comment: optional(text, row.comment),
      sortName: optional(text, row.sort),
      path: path(integer(row.id)),
      composers: others.filter(({ role }) => role === 'composer').map(({ id, name }) => ({ id, name })),
      contributors: others,
    })
  }
  return found
}

function pathOf(db: DatabaseSync, view: View): (track: number) => string | undefined {
  const libraries = [...view.libraries.values()].join(', ')
  const find = db.prepare(
    `SELECT path FROM file WHERE track = ? AND library IN (${libraries}) ORDER BY library, path LIMIT 1`,
  )
  return (track) => optional(text, find.get(track)?.path)
}

export function albumDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, AlbumDetails> {
  const view = viewOf(db, ask)
  const find = db.prepare(`SELECT id FROM album WHERE guid = ? ${seen(view, 'scope')}`)
  const parts = db.prepare('SELECT summary FROM album_part WHERE album = ? ORDER BY part')
  const found = new Map<Id, AlbumDetails>()
  for (const id of new Set(ids)) {
    const row = find.get(guidBytes(id))
    if (row === undefined) continue
    const summaries = parts.all(integer(row.id)).map((part) => summaryOf(text(part.summary)))
    const { artists: _artists, year: _year, genres: _genres, ...facts } = factsOf(merge(summaries))
    found.set(id, facts)
  }
  return found
}

/** Names of the roles that have a row of their own. */
const roleNames: Readonly<Record<number, string>> = {
  [roles.albumArtist]: 'albumartist',
  [roles.artist]: 'artist',
  [roles.composer]: 'composer',
}

export function artistDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, ArtistDetails> {
  const view = viewOf(db, ask)
  const find = db.prepare(
    `SELECT id, musicbrainz, album_scope, albums FROM artist WHERE guid = ? ${seen(view, 'scope')}`,
  )
  const nextRole = db.prepare('SELECT min(role) AS role FROM credit WHERE artist = ? AND role > ?')
  const called = db.prepare('SELECT name FROM role WHERE id = ?')
  const found = new Map<Id, ArtistDetails>()
  for (const id of new Set(ids)) {
    const row = find.get(guidBytes(id))
    if (row === undefined) continue
    const names: string[] = integer(row.albums) > 0 ? ['albumartist'] : []
    let role: number | undefined = roles.albumArtist
    while (role !== undefined) {
      role = optional(integer, nextRole.get(integer(row.id), role)?.role)
      if (role !== undefined) names.push(roleNames[role] ?? optional(text, called.get(role - 10)?.name) ?? '')
    }
    found.set(id, {
      musicBrainzId: optional(text, row.musicbrainz),
      roles: names.filter((name) => name !== ''),
    })
  }
  return found
}
