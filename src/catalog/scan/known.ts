import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { integer, optional, text } from '../../store/row.ts'
import type { KnownFile, KnownFiles } from './walk.ts'

const page = 2_000

/** The files of a library as the index has them, a page at a time: no read transaction lasts longer than a page. */
export function openKnownFiles(db: DatabaseSync, library: string): KnownFiles {
  const columns = 'path, size, modified_at, lyrics_file, lyrics_modified_at, cover_file, cover_modified_at'
  const where = (sign: '>' | '>=') =>
    db.prepare(
      `SELECT ${columns} FROM files WHERE library = ? AND path ${sign} ? ORDER BY path LIMIT ${page}`,
    )
  const [from, after] = [where('>='), where('>')]
  const count = db.prepare(
    'SELECT count(*) AS count FROM (SELECT 1 FROM files WHERE library = ? AND path > ? AND path < ? LIMIT ?)',
  )
  let rows = from.all(library, '').map(knownFile)
  let at = 0

  return {
    get current() {
      return rows[at]
    },
    next() {
      const last = rows[at]
      at++
      if (at >= rows.length && rows.length === page && last) {
        rows = after.all(library, last.path).map(knownFile)
        at = 0
      }
      return rows[at]
    },
    seek(path) {
      rows = from.all(library, path).map(knownFile)
      at = 0
    },
    hasAtLeast(folder, least) {
      const [first, end] = folder === '' ? ['', '\u{10ffff}'] : [`${folder}/`, `${folder}0`]
      return integer(count.get(library, first, end, least)?.count) >= least
    },
  }
}

function knownFile(row: Record<string, SQLOutputValue>): KnownFile {
  return {
    path: text(row.path),
    size: integer(row.size),
    modifiedAt: integer(row.modified_at),
    lyricsFile: optional(text, row.lyrics_file),
    lyricsModifiedAt: optional(integer, row.lyrics_modified_at),
    coverFile: optional(text, row.cover_file),
    coverModifiedAt: optional(integer, row.cover_modified_at),
  }
}
