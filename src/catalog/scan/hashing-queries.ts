import type { DatabaseSync } from 'node:sqlite'
import type { Id } from '../../protocol/ids.ts'
import { integer, text } from '../../store/row.ts'
import { guidText } from '../index/schema.ts'

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

/** The unhashed files of the first albums after the row `after`, and the row of the last of them; null at the end. */
export function unhashedAfter(db: DatabaseSync, after: number): { files: Unhashed[]; last: number } | null {
  const next = db.prepare(
    'SELECT album FROM track WHERE album > ? AND blob IS NULL AND EXISTS (SELECT 1 FROM file WHERE track = track.id) ORDER BY album LIMIT 1',
  )
  const row = next.get(after)
  if (row === undefined) return null
  const last = integer(row.album)
  const rows = db.prepare(
    `SELECT ${guidText('album.guid')} AS album, track.part, ${guidText('track.guid')} AS track, library.guid AS library,
       file.path, track.size, file.modified_at
     FROM track JOIN album ON album.id = track.album JOIN file ON file.track = track.id
     JOIN library ON library.id = file.library
     WHERE track.album = ? AND track.blob IS NULL ORDER BY track.part, track.id`,
  )
  const files = rows.all(last).map((each) => ({
    album: text(each.album),
    part: integer(each.part),
    track: text(each.track),
    library: text(each.library),
    path: text(each.path),
    size: integer(each.size),
    modifiedAt: integer(each.modified_at),
  }))
  return { files, last }
}

/** How many tracks of music folders have not been read whole. */
export function countUnhashed(db: DatabaseSync): number {
  const sql =
    'SELECT count(*) AS count FROM track WHERE blob IS NULL AND EXISTS (SELECT 1 FROM file WHERE track = track.id)'
  return integer(db.prepare(sql).get()?.count)
}
