import type { DatabaseSync } from 'node:sqlite'
import type { Beside } from '../../protocol/facts/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import { integer, text } from '../../store/row.ts'
import { guidText } from '../index/schema.ts'
import { selectFiles } from '../index/track-files.ts'

/** Questions of the hashing to the index, for its reader thread: they may pass over every track. */

/** A file of a track that has not been read whole. */
export interface Unhashed {
  readonly album: Id
  readonly part: number
  readonly track: Id
  readonly library: Id
  readonly path: string
  readonly size: number
  readonly modifiedAt: number
}

/** A picture or lyrics beside the music that has not been read whole. */
export interface UnhashedBeside {
  readonly album: Id
  readonly part: number
  readonly library: Id
  readonly path: string
  readonly modifiedAt: number
  /** What another album has of the same file: many may lie in one folder, beside one picture. */
  readonly known: Beside | undefined
}

/** What of one album has not been read whole, and the album's row. */
export interface UnhashedAlbum {
  readonly tracks: readonly Unhashed[]
  /** Only of the libraries that are here. */
  readonly beside: readonly UnhashedBeside[]
  readonly last: number
}

/** The first album after the row `after` of which something has not been read whole; null at the end. */
export function unhashedAfter(db: DatabaseSync, after: number, here: readonly Id[]): UnhashedAlbum | null {
  const ofTracks = db.prepare(
    'SELECT album FROM track WHERE album > ? AND blob IS NULL AND path IS NOT NULL ORDER BY album LIMIT 1',
  )
  const ofLibrary = db.prepare(
    `SELECT album FROM beside WHERE library = (SELECT id FROM library WHERE guid = ?) AND album > ? AND blob IS NULL
     ORDER BY album LIMIT 1`,
  )
  const rows = [ofTracks.get(after), ...here.map((library) => ofLibrary.get(library, after))]
  const albums = rows.flatMap((row) => (row === undefined ? [] : [integer(row.album)]))
  if (albums.length === 0) return null
  const last = Math.min(...albums)
  const beside = unhashedBeside(db, last).filter(({ library }) => here.includes(library))
  return { tracks: unhashedTracks(db, last), beside, last }
}

function unhashedTracks(db: DatabaseSync, album: number): Unhashed[] {
  const rows = db.prepare(
    `${selectFiles(
      `${guidText('album.guid')} AS album, track.part AS part, ${guidText('track.guid')} AS track, library.guid AS library,
         file.path, track.size, file.modified_at, track.id AS id`,
      `CROSS JOIN album ON album.id = track.album CROSS JOIN library ON library.id = file.library
       WHERE track.album = ?1 AND track.blob IS NULL`,
    )} ORDER BY part, id`,
  )
  return rows.all(album).map((each) => ({
    album: text(each.album),
    part: integer(each.part),
    track: text(each.track),
    library: text(each.library),
    path: text(each.path),
    size: integer(each.size),
    modifiedAt: integer(each.modified_at),
  }))
}

function unhashedBeside(db: DatabaseSync, album: number): UnhashedBeside[] {
  const rows = db.prepare(
    `SELECT ${guidText('album.guid')} AS album, beside.part, library.guid AS library, beside.path, beside.modified_at,
       known.size, lower(hex(known.blob)) AS blob
     FROM beside JOIN album ON album.id = beside.album JOIN library ON library.id = beside.library
     LEFT JOIN beside AS known ON known.library = beside.library AND known.path = beside.path
       AND known.modified_at = beside.modified_at AND known.blob IS NOT NULL
     WHERE beside.album = ? AND beside.blob IS NULL
     GROUP BY beside.part, beside.library, beside.path`,
  )
  return rows.all(album).map((each) => ({
    album: text(each.album),
    part: integer(each.part),
    library: text(each.library),
    path: text(each.path),
    modifiedAt: integer(each.modified_at),
    known: each.size === null ? undefined : { blob: text(each.blob), size: integer(each.size) },
  }))
}

/** How many tracks of music folders have not been read whole. */
export function countUnhashed(db: DatabaseSync): number {
  const sql = 'SELECT count(*) AS count FROM track WHERE blob IS NULL AND path IS NOT NULL'
  return integer(db.prepare(sql).get()?.count)
}
