import type { DatabaseSync } from 'node:sqlite'
import type { GenreSummary } from '../../../protocol/api/catalog.ts'
import { integer, optional, text } from '../../../store/row.ts'
import { foldName } from '../../identity.ts'
import { type Ask, seen, viewOf } from './view.ts'

/** Every genre of what the viewer sees, by name. */
export function genres(db: DatabaseSync, ask: Ask): GenreSummary[] {
  const view = viewOf(db, ask)
  return db
    .prepare(
      `SELECT genre.name, sum(genre_count.tracks) AS tracks, sum(genre_count.albums) AS albums
       FROM genre JOIN genre_count ON genre_count.genre = genre.id
       WHERE true ${seen(view, 'genre_count.scope')} GROUP BY genre.id ORDER BY genre.fold`,
    )
    .all()
    .map((row) => ({
      name: text(row.name),
      albumCount: integer(row.albums),
      trackCount: integer(row.tracks),
    }))
    .filter(({ trackCount }) => trackCount > 0)
}

/** The row of a genre, however it is written. */
export function genreRow(db: DatabaseSync, name: string): number | undefined {
  return optional(integer, db.prepare('SELECT id FROM genre WHERE fold = ?').get(foldName(name))?.id)
}
