import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { storeError } from '../store/sqlite-errors.ts'
import { type Answer, carry, type Post, type Request } from '../store/thread.ts'
import { tidyWhenIdle } from '../store/tidy.ts'

/** The thread in which questions to the index run that may take longer than the main thread has time. */
export type ReaderCalls = {
  run(input: Question): unknown
  /** Imports what questions will be found in. */
  load(input: Pick<Question, 'module'>): void
}

export interface Question {
  readonly module: string
  readonly name: string
  readonly args: readonly unknown[]
}

if (parentPort !== null) serve(parentPort, workerData)

function serve(port: NonNullable<typeof parentPort>, path: string) {
  const db = rememberStatements(new DatabaseSync(path, { readOnly: true, timeout: 5_000 }))
  db.exec('PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY')

  tidyWhenIdle(port)
  port.on('message', async (request: Request<ReaderCalls>) => {
    const answered = await answer(request)
    const post: Post = { answers: [answered] }
    port.postMessage(post, 'value' in answered ? buffersOf(answered.value) : [])
  })

  async function answer(request: Request<ReaderCalls>): Promise<Answer> {
    const { call, input } = request
    try {
      const queries: Record<string, unknown> = await import(input.module)
      return { call, value: request.name === 'run' ? await run(queries, request.input) : undefined }
    } catch (error) {
      return { call, error: carry(storeError(error)) }
    }
  }

  async function run(queries: Record<string, unknown>, { module, name, args }: Question): Promise<unknown> {
    const query = queries[name]
    if (typeof query !== 'function') throw new Error(`${module} exports no function ${name}`)
    return asOfNow(db, () => query(db, ...args))
  }
}

/**
 * One question is answered out of one state of the index, whatever is written meanwhile. That is one lock, too, where
 * each of a page's hundred statements took its own.
 */
async function asOfNow(db: DatabaseSync, answer: () => unknown): Promise<unknown> {
  db.exec('BEGIN')
  try {
    return await answer()
  } finally {
    if (db.isTransaction) db.exec('COMMIT')
  }
}

/**
 * The bytes that an answer is, or has as one of its parts. They are handed over: to copy half a megabyte, twice, would
 * cost as much as to write it.
 */
function buffersOf(value: unknown): ArrayBuffer[] {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  const parts: unknown[] = isRecord && !(value instanceof Uint8Array) ? Object.values(value) : [value]
  const bytes = parts
    .flatMap((part) => (Array.isArray(part) && part[0] instanceof Uint8Array ? part : [part]))
    .filter((part) => part instanceof Uint8Array)
  // Small buffers of Node's share one, which stays.
  return bytes.flatMap(({ buffer, byteLength }) =>
    buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [],
  )
}

/** Statements that are kept: those of a search are some twenty, and those of a page of a list some ten. */
const mostStatements = 64

/**
 * The connection, which compiles a statement that it has met lately no more: that was a tenth of a search. So whoever
 * reads a statement row by row must not ask the same one meanwhile.
 */
function rememberStatements(db: DatabaseSync): DatabaseSync {
  const prepare = db.prepare.bind(db)
  const known = new Map<string, StatementSync>()
  db.prepare = (sql) => {
    const statement = known.get(sql) ?? prepare(sql)
    // A Map keeps the order of insertion: the first is the one not used for longest.
    known.delete(sql)
    known.set(sql, statement)
    for (const [oldest] of known) {
      if (known.size <= mostStatements) break
      known.delete(oldest)
    }
    return statement
  }
  return db
}
