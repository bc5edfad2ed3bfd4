import type { DatabaseSync } from 'node:sqlite'
import { integer, text } from '../../store/row.ts'
import { foldName } from '../identity.ts'
import type { Parts } from './artists.ts'

export interface GenreName {
  readonly genre: number
  /** The row of this way of writing the genre. */
  readonly name: number
  readonly written: string
}

export interface Genres {
  /** The rows of a genre as a file writes it, made where they do not exist. */
  resolve(name: string): GenreName
  /** The genre of a row of `genre_name`, and how it is written. */
  byName(name: number): GenreName
  use(name: GenreName, delta: 1 | -1): void
  count(genre: number, scope: number, figures: { tracks?: 1 | -1; albums?: 1 | -1 }): void
  /** Of a part of an index: writes what can be added to that of the other parts. */
  save(): void
  /** The parts of the index have been put together: all genres are to be made, and their names counted. */
  gather(): void
  /** Makes the genres say what the tracks say now; those without any are deleted. */
  flush(): void
}

/** Genres that are remembered between transactions. */
const remembered = 5_000

export function openGenres({ db, purpose, documents, numbers }: Parts): Genres {
  const rows = prepareRows(db)
  const known = new Map<string, GenreName>()
  const byId = new Map<number, GenreName>()
  const uses = new Map<number, number>()
  const counts = new Map<string, { genre: number; scope: number; tracks: number; albums: number }>()
  const touched = new Set<number>()

  function find(name: string): GenreName {
    const folded = foldName(name)
    const row = rows.name.get(name)
    if (row !== undefined) return { genre: integer(row.genre), name: integer(row.id), written: name }
    const genre = integer(
      (rows.genre.get(folded) ?? rows.makeGenre.get(numbers.of('genre', folded), folded))?.id,
    )
    // Another part of the index may know the name as well: it is counted when the parts are together.
    if (purpose !== 'part') documents.countTerms([name], 1)
    const made = integer(rows.makeName.get(numbers.of('genre_name', name), genre, name)?.id)
    touched.add(genre)
    return { genre, name: made, written: name }
  }

  function settle(genre: number): boolean {
    const gone = rows.dropNames.all(genre).map(({ name }) => text(name))
    documents.countTerms(gone, -1)
    const best = rows.best.get(genre)
    rows.dropCounts.run(genre)
    if (best === undefined) rows.drop.run(genre)
    else rows.rename.run(text(best.name), genre)
    return gone.length > 0
  }

  function save(): void {
    for (const [name, delta] of uses) if (delta !== 0) rows.addUses.run(delta, name)
    for (const { genre, scope, tracks, albums } of counts.values()) {
      if (tracks !== 0 || albums !== 0) rows.addCount.run(genre, scope, tracks, albums)
    }
  }

  return {
    resolve(name) {
      const found = known.get(name) ?? find(name)
      known.set(name, found)
      return found
    },
    byName(name) {
      const known = byId.get(name)
      if (known !== undefined) return known
      const row = rows.genreOf.get(name)
      const found = { genre: integer(row?.genre), name, written: text(row?.name) }
      byId.set(name, found)
      return found
    },
    use({ genre, name }, delta) {
      touched.add(genre)
      uses.set(name, (uses.get(name) ?? 0) + delta)
    },
    count(genre, scope, { tracks = 0, albums = 0 }) {
      touched.add(genre)
      const slot = `${genre} ${scope}`
      const sum = counts.get(slot) ?? { genre, scope, tracks: 0, albums: 0 }
      counts.set(slot, { genre, scope, tracks: sum.tracks + tracks, albums: sum.albums + albums })
    },
    save,
    gather() {
      for (const { id } of rows.all.all()) touched.add(integer(id))
      for (const { name } of rows.names.all()) documents.countTerms([text(name)], 1)
    },
    flush() {
      save()
      let gone = false
      for (const genre of touched) if (settle(genre)) gone = true
      if (gone || known.size > remembered) {
        known.clear()
        byId.clear()
      }
      uses.clear()
      counts.clear()
      touched.clear()
    },
  }
}

function prepareRows(db: DatabaseSync) {
  return {
    genre: db.prepare('SELECT id FROM genre WHERE fold = ?'),
    makeGenre: db.prepare('INSERT INTO genre (id, fold) VALUES (?, ?) RETURNING id'),
    name: db.prepare('SELECT id, genre FROM genre_name WHERE name = ?'),
    makeName: db.prepare('INSERT INTO genre_name (id, genre, name) VALUES (?, ?, ?) RETURNING id'),
    all: db.prepare('SELECT id FROM genre'),
    names: db.prepare('SELECT name FROM genre_name'),
    genreOf: db.prepare('SELECT genre, name FROM genre_name WHERE id = ?'),
    addUses: db.prepare('UPDATE genre_name SET uses = uses + ? WHERE id = ?'),
    addCount: db.prepare(
      `INSERT INTO genre_count (genre, scope, tracks, albums) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET tracks = tracks + excluded.tracks, albums = albums + excluded.albums`,
    ),
    dropNames: db.prepare('DELETE FROM genre_name WHERE genre = ? AND uses <= 0 RETURNING name'),
    best: db.prepare('SELECT name FROM genre_name WHERE genre = ? ORDER BY uses DESC, name LIMIT 1'),
    dropCounts: db.prepare('DELETE FROM genre_count WHERE genre = ? AND tracks <= 0 AND albums <= 0'),
    rename: db.prepare('UPDATE genre SET name = ?1 WHERE id = ?2 AND name <> ?1'),
    drop: db.prepare('DELETE FROM genre WHERE id = ?'),
  }
}
