import { rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { Attached, Parts } from '../../index/projection.ts'
import { text } from '../../store/row.ts'
import { createThread } from '../../store/thread.ts'
import { albumParts } from '../facts.ts'
import type { ListsCalls } from './lists-thread.ts'
import { copySearchOf } from './search/documents.ts'

/**
 * An empty index is filled by several threads, each with some of the albums. Rows have the same numbers in all parts, so
 * that putting them together is copying; what counts (uses of a name, tracks of an artist) is added up. Lists and search
 * are made by threads of their own meanwhile. Left for then are artists and genres, and whatever is no album.
 */
export const parts: Parts = { prefix: albumParts.prefix, merge }

/** Milliseconds; a million tracks take some ten seconds. */
const deadline = 3_600_000

/** What is different in the tables of a part: files lie in the order in which they come, and are sorted once, by `merge`. */
export const partSchema = `
DROP VIEW files;
DROP TABLE file;
CREATE TABLE file (
  library INTEGER NOT NULL, path TEXT NOT NULL, track INTEGER NOT NULL, modified_at INTEGER NOT NULL,
  lyrics_file TEXT, lyrics_modified_at INTEGER, cover_file TEXT, cover_modified_at INTEGER, other INTEGER NOT NULL
);
CREATE INDEX file_track ON file (track);
`

/** Tables whose rows stand in one part only: those of albums and of their tracks. */
const rows = ['album', 'album_part', 'album_credit', 'track', 'upload', 'beside', 'credit']
/** Tables of names: the same row may stand in several parts. */
const names = ['library', 'format', 'role', 'genre']
/** Tables that count, with what tells their rows apart and what is added. */
const counts = {
  scope: ['id, libraries', 'tracks, albums, duration, bytes'],
  spelling: ['id, artist, name, sort, musicbrainz', 'uses'],
  genre_name: ['id, genre, name', 'uses'],
  artist_count: ['artist, scope', 'tracks, albums'],
  genre_count: ['genre, scope', 'tracks, albums'],
  term: ['term', 'uses'],
} as const

async function merge(db: DatabaseSync, attached: readonly Attached[], index: () => void): Promise<void> {
  const parts = attached.map(({ name }) => name)
  await using lists = fillBeside(db, 'lists', attached)
  await using search = fillBeside(db, 'search', attached)
  // The calls are on their way only when this thread has let go once.
  await setImmediate()
  mergeRows(db, parts)
  // A track that moved between albums while they were listed may be in two parts, where one would not know the other:
  // the index of GUIDs refuses it, which costs nothing where there is none.
  index()
  await lists.attach()
  for (const table of ['entry', 'block', 'member'])
    db.exec(`INSERT INTO main.${table} SELECT * FROM lists.${table}`)
  await search.attach()
  for (const kind of ['album', 'track'] as const) copySearchOf(db, kind, 'search')
}

/** Starts the thread that makes the lists, or the search, of the parts. */
function fillBeside(db: DatabaseSync, what: 'lists' | 'search', parts: readonly Attached[]) {
  const main = db.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'").get()
  const path = `${text(main?.file)}-${what}`
  const thread = createThread<ListsCalls>({
    url: new URL('./lists-thread.ts', import.meta.url),
    name: `${what} of an index`,
    heap: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 },
  })
  const filled = thread.call(what, { path, parts: parts.map((part) => part.path) }, { deadline })
  // Its failure is met by whoever attaches the file; until then it must not count as unhandled.
  filled.catch(() => undefined)
  return {
    /** Waits for the file, and attaches it under the name of what is in it. */
    async attach() {
      await filled
      db.prepare('ATTACH ? AS ?').run(path, what)
    },
    async [Symbol.asyncDispose]() {
      await thread.end()
      rmSync(path, { force: true })
    },
  }
}

function mergeRows(db: DatabaseSync, parts: readonly string[]): void {
  const from = (table: string, columns = '*') =>
    parts.map((part) => `SELECT ${columns} FROM ${part}.${table}`).join(' UNION ALL ')
  for (const table of rows) {
    for (const part of parts) db.exec(`INSERT INTO main.${table} SELECT * FROM ${part}.${table}`)
  }
  for (const table of names) {
    for (const part of parts) db.exec(`INSERT OR IGNORE INTO main.${table} SELECT * FROM ${part}.${table}`)
  }
  for (const [table, [key, figures]] of Object.entries(counts)) {
    const sums = figures.split(', ').map((figure) => `sum(${figure})`)
    db.exec(
      `INSERT INTO main.${table} (${key}, ${figures})
       SELECT ${key}, ${sums.join(', ')} FROM (${from(table, `${key}, ${figures}`)}) GROUP BY ${key}`,
    )
  }
  db.exec(`
    INSERT INTO main.artist (id, guid, added)
      SELECT id, guid, min(added) FROM (${from('artist', 'id, guid, added')}) GROUP BY id;
    INSERT OR IGNORE INTO main.file SELECT * FROM (${from('file')}) ORDER BY library, path, track, other;
  `)
}
