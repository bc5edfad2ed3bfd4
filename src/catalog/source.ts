import type { SQLOutputValue } from 'node:sqlite'
import type { Index } from '../index/index.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Beside } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import { bytes, integer, optional, text } from '../store/row.ts'
import { besidePath } from './beside.ts'
import type { PictureFile, PictureSource, TrackPlace, TrackSource, Viewer } from './catalog.ts'
import { coverVersionOf } from './index/cover-version.ts'
import { guidBytes, guidOf } from './index/guid.ts'
import { coverOf } from './index/queries/rows.ts'
import { sees, type View, viewOf } from './index/queries/view.ts'
import { roles } from './index/track-credits.ts'
import { selectFiles } from './index/track-files.ts'
import { embeddedPicture, pictureFile } from './index/track-row.ts'

/**
 * Reads of the main thread: a few rows each, by their keys. They say where bytes are, so they are on the way of each
 * request for audio and pictures.
 */
export function source(index: Index, viewer: Viewer, id: Id): TrackSource {
  const view = viewOf({ prepare: index.statement }, viewer)
  const row = index
    .statement(
      `SELECT track.id, track.album, part, title, track.size, fingerprint, blob, track.duration, bitrate, sample_rate, channels,
         picture, lyrics, track.scope, album.guid AS album_guid, format.codec, format.media_type, format.suffix FROM track
       JOIN album ON album.id = track.album JOIN format ON format.id = track.format WHERE track.guid = ?`,
    )
    .get(guidBytes(id))
  if (row === undefined || !sees(view, integer(row.scope))) throw new CodedError('NOT_FOUND', `track ${id}`)
  const blob = optional(bytes, row.blob)
  return {
    id,
    album: guidOf(bytes(row.album_guid)),
    part: String(integer(row.part)).padStart(3, '0'),
    title: text(row.title),
    size: integer(row.size),
    fingerprint: hex(bytes(row.fingerprint)),
    blob: blob === undefined ? undefined : hex(blob),
    codec: text(row.codec),
    mediaType: text(row.media_type),
    suffix: text(row.suffix),
    durationMs: integer(row.duration),
    bitrate: integer(row.bitrate),
    sampleRate: integer(row.sample_rate),
    channels: integer(row.channels),
    embeddedCover: (integer(row.picture) & embeddedPicture) !== 0,
    embeddedLyrics: row.lyrics === 1,
    places: placesOf(index, view, integer(row.id)).map(({ lyricsModifiedAt, ...place }) => ({
      ...place,
      lyrics: isBeside(index, row, place, place.lyricsFile, lyricsModifiedAt),
    })),
  }
}

type Kind = 'track' | 'album' | 'artist'

/** So many albums of an artist, and tracks of an album, are looked at for a picture. */
const mostPictures = 8

export function pictures(index: Index, viewer: Viewer, kind: Kind, id: Id): PictureSource[] {
  const view = viewOf({ prepare: index.statement }, viewer)
  const row = visibleRow(index, view, kind, id)
  const own = kind === 'track' ? trackPicture(index, view, integer(row.id)) : []
  if (own.length > 0) return own
  if (kind === 'artist') {
    return index
      .statement(
        `SELECT album.cover, album.scope FROM album_credit JOIN album ON album.id = album_credit.album
         WHERE album_credit.artist = ? AND album_credit.role = ${roles.albumArtist} AND album.cover IS NOT NULL
         LIMIT ${mostPictures}`,
      )
      .all(integer(row.id))
      .filter(({ scope }) => sees(view, integer(scope)))
      .flatMap(({ cover }) => trackPicture(index, view, integer(cover)))
  }
  return index
    .statement(
      `SELECT id FROM track WHERE album = ? AND picture > 0 ORDER BY disc, number, guid LIMIT ${mostPictures}`,
    )
    .all(integer(kind === 'album' ? row.id : row.album))
    .flatMap((track) => trackPicture(index, view, integer(track.id)))
}

export function nameOf(index: Index, viewer: Viewer, kind: Kind, id: Id): string {
  const row = visibleRow(index, viewOf({ prepare: index.statement }, viewer), kind, id)
  return text(kind === 'track' ? row.title : row.name)
}

function visibleRow(index: Index, view: View, kind: Kind, id: Id): Record<string, SQLOutputValue> {
  const row = index.statement(`SELECT * FROM ${kind} WHERE guid = ?`).get(guidBytes(id))
  if (row === undefined || !sees(view, integer(row.scope))) throw new CodedError('NOT_FOUND', `${kind} ${id}`)
  return row
}

/** The picture of a track: in its file, or the file of a picture beside it. */
function trackPicture(index: Index, view: View, track: number): PictureSource[] {
  const row = index
    .statement('SELECT guid, album, part, scope, fingerprint, picture FROM track WHERE id = ?')
    .get(track)
  if (row === undefined || row.picture === 0 || !sees(view, integer(row.scope))) return []
  const picture = integer(row.picture)
  const shown = {
    track: guidOf(bytes(row.guid)),
    version: coverOf(row),
    coverVersion: coverVersionOf(picture, bytes(row.fingerprint)),
  }
  const places = placesOf(index, view, track)
  const beside = places.flatMap((place): PictureFile[] => {
    const { library, coverFile, coverModifiedAt: modifiedAt } = place
    if (coverFile === undefined) return []
    const is = isBeside(index, row, place, coverFile, modifiedAt)
    return [{ library, path: besidePath(place.path, coverFile), modifiedAt, is }]
  })
  const [place] = places.map(({ library, path }) => ({ library, path }))
  return [
    ...((picture & embeddedPicture) !== 0 ? [{ ...shown, embedded: true, file: undefined, place }] : []),
    ...((picture & pictureFile) !== 0
      ? beside.map((file) => ({
          ...shown,
          embedded: false,
          file,
          place: { library: file.library, path: file.path },
        }))
      : []),
  ]
}

/** Which blob a file beside one of the track's places is, if that of this time has been read whole. */
function isBeside(
  index: Index,
  track: Record<string, SQLOutputValue>,
  { library, path }: Pick<TrackPlace, 'library' | 'path'>,
  name: string | undefined,
  modifiedAt: number | undefined,
): Beside | undefined {
  if (name === undefined || modifiedAt === undefined) return undefined
  const row = index
    .statement(
      `SELECT lower(hex(blob)) AS blob, size FROM beside
       WHERE library = (SELECT id FROM library WHERE guid = ?) AND path = ? AND album = ? AND part = ?
         AND modified_at = ? AND blob IS NOT NULL`,
    )
    .get(library, besidePath(path, name), integer(track.album), integer(track.part), modifiedAt)
  return row && { blob: text(row.blob), size: integer(row.size) }
}

/** A place as the index has it. */
interface KnownPlace extends Omit<TrackPlace, 'lyrics'> {
  readonly lyricsModifiedAt: number | undefined
}

/** Where a track's file stands, in the libraries that the viewer sees. */
function placesOf(index: Index, view: View, track: number): KnownPlace[] {
  return index
    .statement(
      `${selectFiles(
        `library.guid AS guid, file.path AS path, file.modified_at, file.lyrics_file, file.lyrics_modified_at, file.cover_file,
           file.cover_modified_at`,
        'CROSS JOIN library ON library.id = file.library WHERE track.id = ?1',
      )} ORDER BY guid, path`,
    )
    .all(track)
    .filter((row) => view.libraries.has(text(row.guid)))
    .map((row) => ({
      library: text(row.guid),
      path: text(row.path),
      modifiedAt: integer(row.modified_at),
      lyricsFile: optional(text, row.lyrics_file),
      lyricsModifiedAt: optional(integer, row.lyrics_modified_at),
      coverFile: optional(text, row.cover_file),
      coverModifiedAt: optional(integer, row.cover_modified_at),
    }))
}

function hex(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')
}
