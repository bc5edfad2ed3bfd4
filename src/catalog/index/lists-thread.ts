import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { storeError } from '../../store/sqlite-errors.ts'
import { carry, type Post, type Request } from '../../store/thread.ts'
import { fillLists } from './lists.ts'
import { schema } from './schema.ts'
import { fillSearchOf } from './search/documents.ts'

/** A thread that makes the lists or the search of parts of an index, in a file of its own, while rows are copied. */
export type ListsCalls = {
  lists(input: ListsInput): void
  search(input: ListsInput): void
}

export interface ListsInput {
  /** The file that is made. */
  readonly path: string
  /** Those of the parts. */
  readonly parts: readonly string[]
}

parentPort?.on('message', (request: Request<ListsCalls>) => parentPort?.postMessage(answer(request)))

function answer({ call, name, input }: Request<ListsCalls>): Post {
  try {
    fill(input, name === 'lists' ? fillListsOf : fillSearch)
    return { answers: [{ call, value: undefined }] }
  } catch (error) {
    return { answers: [{ call, error: carry(storeError(error)) }] }
  }
}

function fillListsOf(db: DatabaseSync, parts: readonly string[]): void {
  fillLists(
    db,
    parts.map((part) => ({ edits: part, tracks: part })),
  )
}

function fillSearch(db: DatabaseSync, parts: readonly string[]): void {
  for (const kind of ['album', 'track'] as const) fillSearchOf(db, kind, parts)
}

function fill({ path, parts: paths }: ListsInput, work: typeof fillListsOf): void {
  rmSync(path, { force: true })
  using db = new DatabaseSync(path)
  // As of every file that is thrown away when something goes wrong: see `src/index/file.ts`.
  db.exec(`
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -32768;
    PRAGMA temp_store = FILE;
    PRAGMA temp_store_directory = '${dirname(path).replaceAll("'", "''")}';
    PRAGMA threads = 2;
  `)
  const parts = paths.map((_, at) => `part${at}`)
  for (const [at, part] of paths.entries()) db.prepare('ATTACH ? AS ?').run(part, parts[at] ?? '')
  db.exec('BEGIN')
  db.exec(schema)
  work(db, parts)
  db.exec('COMMIT')
}
