import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { storeError } from '../../store/sqlite-errors.ts'
import { carry, type Post, type Request } from '../../store/thread.ts'
import { fillEntries } from './lists.ts'
import { schema } from './schema.ts'
import { fillSearchOf } from './search/documents.ts'

/** The thread that makes the lists and the search of parts of an index, in a file of its own, while these are copied. */
export type ListsCalls = {
  /** `path`: the file that is made; `parts`: those of the parts. */
  fill(input: { readonly path: string; readonly parts: readonly string[] }): void
}

parentPort?.on('message', (request: Request<ListsCalls>) => parentPort?.postMessage(answer(request)))

function answer({ call, input }: Request<ListsCalls>): Post {
  try {
    fill(input.path, input.parts)
    return { answers: [{ call, value: undefined }] }
  } catch (error) {
    return { answers: [{ call, error: carry(storeError(error)) }] }
  }
}

function fill(path: string, paths: readonly string[]): void {
  rmSync(path, { force: true })
  using db = new DatabaseSync(path)
  // As of every file that is thrown away when something goes wrong: see `src/index/file.ts`.
  db.exec(`
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -32768;
    PRAGMA temp_store = FILE;
    PRAGMA temp_store_directory = '${dirname(path).replaceAll("'", "''")}';
  `)
  const parts = paths.map((_, at) => `part${at}`)
  for (const [at, part] of paths.entries()) db.prepare('ATTACH ? AS ?').run(part, parts[at] ?? '')
  db.exec('BEGIN')
  db.exec(schema)
  for (const kind of ['album', 'track'] as const) fillSearchOf(db, kind, parts)
  fillEntries(db, parts)
  db.exec('COMMIT')
}
