import type { Track } from '../../protocol/facts/catalog.ts'
import { besideOf, type FileBeside } from '../beside.ts'
import type { Parts } from './artists.ts'
import { openLibraryRows } from './track-files.ts'

/**
 * Answers the function that makes the rows of a part say which files lie beside its tracks, each once though all tracks
 * of a folder name it. `existed`: the part may have rows already.
 */
export function openBeside({ db, numbers }: Parts) {
  const library = openLibraryRows(db, numbers)
  const drop = db.prepare('DELETE FROM beside WHERE album = ? AND part = ?')
  const insert = db.prepare(
    'INSERT INTO beside (library, path, album, part, modified_at, size, blob) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )

  return (album: number, part: number, existed: boolean, tracks: readonly Track[]): void => {
    if (existed) drop.run(album, part)
    const found = new Map<string, FileBeside>()
    for (const { files } of tracks)
      for (const file of files) {
        if (file.coverFile === undefined && file.lyricsFile === undefined) continue
        for (const one of Object.values(besideOf(file))) {
          if (one === undefined) continue
          const key = `${one.library}/${one.path}`
          if (isBetter(one, found.get(key))) found.set(key, one)
        }
      }
    for (const { path, modifiedAt, is, ...one } of found.values()) {
      const blob = is === undefined ? null : Buffer.from(is.blob, 'hex')
      insert.run(library(one.library), path, album, part, modifiedAt, is?.size ?? null, blob)
    }
  }
}

/** The newer of two that the tracks name under one path; of one time, the one that has been read. */
function isBetter(one: FileBeside, other: FileBeside | undefined): boolean {
  if (other === undefined || one.modifiedAt > other.modifiedAt) return true
  return one.modifiedAt === other.modifiedAt && other.is === undefined
}
