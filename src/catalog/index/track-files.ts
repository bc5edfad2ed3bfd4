import type { DatabaseSync } from 'node:sqlite'
import type { Numbers } from '../../index/numbers.ts'
import type { File, Track } from '../../protocol/facts/catalog.ts'
import { integer } from '../../store/row.ts'
import type { Parts } from './artists.ts'
import type { StandingTrack } from './standing.ts'

export const fileFields = [
  'library',
  'path',
  'modified_at',
  'lyrics_file',
  'lyrics_modified_at',
  'cover_file',
  'cover_modified_at',
] as const

/** Where tracks lie: files in music folders, and uploads. */
export function openPlaces({ db, numbers }: Pick<Parts, 'db' | 'numbers'>) {
  const library = openLibraryRows(db, numbers)
  const dropFiles = db.prepare('DELETE FROM file WHERE track = ?')
  const insert = db.prepare(
    `INSERT OR REPLACE INTO file (track, ${fileFields.join(', ')}) VALUES (?${', ?'.repeat(fileFields.length)})`,
  )
  const dropUpload = db.prepare('DELETE FROM upload WHERE track = ?')
  const upload = db.prepare('INSERT INTO upload (track, library, user, file_name) VALUES (?, ?, ?, ?)')

  function rowOf({ path, modifiedAt, ...file }: File) {
    const { lyricsFile = null, lyricsModifiedAt = null, coverFile = null, coverModifiedAt = null } = file
    const beside = [lyricsFile, lyricsModifiedAt, coverFile, coverModifiedAt]
    return [library(file.library), path, modifiedAt, ...beside]
  }

  function add(track: number, places: Track): void {
    for (const file of places.files) insert.run(track, ...rowOf(file))
    if (places.upload === undefined) return
    upload.run(track, places.upload.library, places.upload.user, places.upload.fileName)
  }

  /** Nearly every track is one file: others, and uploads, are written anew without a look. */
  function stands({ files: [row, ...more], isUploaded }: StandingTrack, places: Track): boolean {
    const [file, ...others] = places.files
    if (file === undefined || others.length > 0 || places.upload !== undefined) return false
    if (row === undefined || more.length > 0 || isUploaded) return false
    return rowOf(file).every((value, each) => value === row[each])
  }

  return {
    add,
    replace(standing: StandingTrack, track: Track | undefined): void {
      if (track !== undefined && stands(standing, track)) return
      dropFiles.run(standing.id)
      dropUpload.run(standing.id)
      if (track !== undefined) add(standing.id, track)
    },
  }
}

/** The row of a library, made where its fact has not been met yet. */
export function openLibraryRows(db: DatabaseSync, numbers: Numbers): (id: string) => number {
  const find = db.prepare('SELECT id FROM library WHERE guid = ?')
  const make = db.prepare('INSERT INTO library (id, guid) VALUES (?, ?) RETURNING id')
  const known = new Map<string, number>()
  return (id) => {
    const row = known.get(id) ?? integer((find.get(id) ?? make.get(numbers.of('library', id), id))?.id)
    known.set(id, row)
    return row
  }
}
