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

/**
 * SQL that selects the files of tracks: of each the one that its row names, and then the others, of which there are
 * hardly any. `rest` is what follows `FROM track CROSS JOIN file`; its parameters are numbered, since it stands twice.
 */
export function selectFiles(columns: string, rest: string): string {
  const from = (matching: string) => `SELECT ${columns} FROM track CROSS JOIN file ON ${matching} ${rest}`
  return `${from('file.library = track.library AND file.path = track.path AND file.track = track.id')}
    UNION ALL ${from('file.track = track.id AND file.other = 1')}`
}

/** Where tracks lie: files in music folders, and uploads. */
export function openPlaces({ db, numbers }: Pick<Parts, 'db' | 'numbers'>) {
  const library = openLibraryRows(db, numbers)
  const drop = db.prepare('DELETE FROM file WHERE library = ? AND path = ? AND track = ?')
  const insert = db.prepare(
    `INSERT OR IGNORE INTO file (track, other, ${fileFields.join(', ')}) VALUES (?, ?${', ?'.repeat(fileFields.length)})`,
  )
  const dropUpload = db.prepare('DELETE FROM upload WHERE track = ?')
  const upload = db.prepare('INSERT INTO upload (track, library, user, file_name) VALUES (?, ?, ?, ?)')

  function rowOf({ path, modifiedAt, ...file }: File) {
    const { lyricsFile = null, lyricsModifiedAt = null, coverFile = null, coverModifiedAt = null } = file
    const beside = [lyricsFile, lyricsModifiedAt, coverFile, coverModifiedAt]
    return [library(file.library), path, modifiedAt, ...beside]
  }

  function add(track: number, places: Track): void {
    for (const [at, file] of places.files.entries()) insert.run(track, at === 0 ? 0 : 1, ...rowOf(file))
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
    /** The row of the library of its first file. */
    firstLibrary({ files: [file] }: Track): number | null {
      return file === undefined ? null : library(file.library)
    },
    replace(standing: StandingTrack, track: Track | undefined): void {
      if (track !== undefined && stands(standing, track)) return
      for (const [library = null, path = null] of standing.files) drop.run(library, path, standing.id)
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
