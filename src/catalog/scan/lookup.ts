import type { SQLOutputValue } from 'node:sqlite'
import type { Index } from '../../index/index.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import { bytes, integer, optional, text } from '../../store/row.ts'
import { guidBytes, guidOf } from '../index/guid.ts'
import { selectFiles } from '../index/track-files.ts'

/** What a scan asks the index, on this thread: each answer takes microseconds. */
export interface Lookup {
  /** What stands at the path. */
  at(library: Id, path: string): KnownPlace | undefined
  /** Every known file below the folder, not more than `limit`. */
  below(library: Id, folder: string, limit: number): KnownPlace[]
  /** Tracks whose bytes are the same, as far as their fingerprint tells. */
  ofContent(fingerprint: string): KnownTrack[]
  track(id: Id): KnownTrack | undefined
  placesOf(track: Id): KnownPlace[]
}

export interface KnownPlace {
  readonly library: Id
  readonly path: string
  readonly size: number
  readonly modifiedAt: number
  readonly track: Id
  readonly album: Id
  readonly fingerprint: string
  /** Absent until the file has been read whole. */
  readonly blob: BlobHash | undefined
}

export interface KnownTrack {
  readonly id: Id
  readonly album: Id
  readonly title: string
  readonly artist: string | undefined
  readonly durationMs: number
  readonly codec: string
  readonly sampleRate: number
  readonly channels: number
}

const placeColumns = 'library, path, size, modified_at, track, album, fingerprint, blob'
const trackColumns = `track.guid AS guid, album.guid AS album, track.title, track.artist, track.duration, format.codec,
  track.sample_rate, track.channels`
const tracks = `FROM track JOIN album ON album.id = track.album JOIN format ON format.id = track.format`

export function createLookup(index: Pick<Index, 'statement'>): Lookup {
  return {
    at(library, path) {
      const sql = `SELECT ${placeColumns} FROM files WHERE library = ? AND path = ?`
      const row = index.statement(sql).get(library, path)
      return row && placeOf(row)
    },
    below(library, folder, limit) {
      const [first, end] = folder === '' ? ['', '\u{10ffff}'] : [`${folder}/`, `${folder}0`]
      const sql = `SELECT ${placeColumns} FROM files WHERE library = ? AND path > ? AND path < ? ORDER BY path LIMIT ?`
      return index.statement(sql).all(library, first, end, limit).map(placeOf)
    },
    ofContent(fingerprint) {
      const whole = Buffer.from(fingerprint, 'hex')
      const sql = `SELECT ${trackColumns} ${tracks} WHERE substr(fingerprint, 1, 8) = ? AND fingerprint = ?`
      return index.statement(sql).all(whole.subarray(0, 8), whole).map(trackOf)
    },
    track(id) {
      const row = index.statement(`SELECT ${trackColumns} ${tracks} WHERE track.guid = ?`).get(guidBytes(id))
      return row && trackOf(row)
    },
    placesOf(track) {
      const sql = selectFiles(
        'library.guid AS library, file.path, track.size, file.modified_at, album.guid AS album',
        `CROSS JOIN album ON album.id = track.album CROSS JOIN library ON library.id = file.library
         WHERE track.guid = ?1`,
      )
      const rows = index.statement(sql).all(guidBytes(track))
      return rows.map((row) => ({
        library: text(row.library),
        path: text(row.path),
        size: integer(row.size),
        modifiedAt: integer(row.modified_at),
        track,
        album: guidOf(bytes(row.album)),
        fingerprint: '',
        blob: undefined,
      }))
    },
  }
}

function placeOf(row: Record<string, SQLOutputValue>): KnownPlace {
  return {
    library: text(row.library),
    path: text(row.path),
    size: integer(row.size),
    modifiedAt: integer(row.modified_at),
    track: text(row.track),
    album: text(row.album),
    fingerprint: text(row.fingerprint),
    blob: optional(text, row.blob),
  }
}

function trackOf(row: Record<string, SQLOutputValue>): KnownTrack {
  return {
    id: guidOf(bytes(row.guid)),
    album: guidOf(bytes(row.album)),
    title: text(row.title),
    artist: optional(text, row.artist),
    durationMs: integer(row.duration),
    codec: text(row.codec),
    sampleRate: integer(row.sample_rate),
    channels: integer(row.channels),
  }
}
