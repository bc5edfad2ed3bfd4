import type { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { integer, text } from '../store/row.ts'
import { storeError } from '../store/sqlite-errors.ts'
import type { Batch, Entry } from '../store/store.ts'
import { carry, type Post, type Request } from '../store/thread.ts'
import { tidyWhenIdle } from '../store/tidy.ts'
import { type Applied, createChanges, loadProjection, type Refused, sum, writeRevision } from './changes.ts'
import {
  createIndexFile,
  isOf,
  moveFilledFile,
  openIndexFile,
  pace,
  readMeta,
  removeFillingFile,
  type StoreState,
} from './file.ts'
import { ownNumbers } from './numbers.ts'
import type { IndexedChange, Projection } from './projection.ts'

/** The thread that alone writes the index. It is given facts in pieces, and answers each when it is committed. */
export type WriterCalls = {
  /** Opens the file where it is not open yet, replaces it where it is not of this store, and says how far it is. */
  open(input: OpenInput): Promise<Opened>
  /** A page of a list: what stands in the index between `after` and `through` but not in the page has been deleted. */
  page(input: PageInput): Applied
  /** The list is complete, as of `revision`. */
  filled(input: { revision: number }): void
  batches(input: { batches: readonly Batch[]; revision: number }): Applied
  /** Takes the file that has been filled beside this one in its place. */
  adopt(input: { revision: number }): void
  /** Throws the file away and begins an empty one. */
  reset(input: Record<never, never>): void
  close(input: Record<never, never>): void
}

export interface OpenInput {
  readonly path: string
  readonly projections: readonly string[]
  /** null: it is away. */
  readonly store: StoreState | null
}

export interface Opened {
  /** Whether it is known to be of the store; otherwise it is to be opened again once that is there. */
  readonly compared: boolean
  /** The file that was open was not of this store: it is another one now, and empty. */
  readonly replaced: boolean
  readonly revision: number
  readonly filled: boolean
  /** What is listed and watched, in the order in which a store is listed. */
  readonly prefixes: readonly string[]
}

export interface PageInput {
  readonly prefix: string
  /** The last key of the page before. */
  readonly after: string | undefined
  /** The last key of this page; undefined: it is the last page. */
  readonly through: string | undefined
  readonly entries: readonly Entry[]
}

type WriterRequest = Request<WriterCalls>

/**
 * A transaction is closed at the next whole batch after this time, so that readers and the log see it. Shorter ones cost
 * whoever makes up for much: each commit writes anew what many changes have in common, and a piece of the search.
 */
const commitAfterMilliseconds = 2_000

/** So many batches at once are much to make up for, and after so long without a request nobody waits. */
const muchToMakeUpFor = 20
const idleMilliseconds = 200

if (parentPort !== null) serve(parentPort)

function serve(port: NonNullable<typeof parentPort>) {
  let writer: Writer | undefined
  let turn = Promise.resolve()
  let idle: NodeJS.Timeout | undefined

  tidyWhenIdle(port)
  port.on('message', (request: WriterRequest) => {
    clearTimeout(idle)
    turn = turn.then(async () => {
      port.postMessage(await answer(request))
      clearTimeout(idle)
      idle = setTimeout(() => writer?.rest(), idleMilliseconds).unref()
    })
  })

  async function answer(request: WriterRequest): Promise<Post> {
    try {
      return { answers: [{ call: request.call, value: await carryOut(request) }] }
    } catch (error) {
      return { answers: [{ call: request.call, error: carry(storeError(error)) }] }
    }
  }

  async function carryOut(request: WriterRequest) {
    if (request.name === 'open') {
      writer ??= await openWriter(request.input)
      return writer.opened(request.input.store)
    }
    if (writer === undefined) throw new Error('the index is not open')
    switch (request.name) {
      case 'page':
        return writer.page(request.input)
      case 'filled':
        return writer.filled(request.input.revision)
      case 'batches':
        return writer.batches(request.input.batches, request.input.revision)
      case 'adopt':
        return writer.adopt(request.input.revision)
      case 'reset':
        return writer.reset()
      case 'close':
        return writer.close()
    }
  }
}

interface Writer {
  /** Nobody waits: does what has been put off. */
  rest(): void
  opened(store: StoreState | null): Opened
  page(input: PageInput): Applied
  filled(revision: number): void
  batches(batches: readonly Batch[], revision: number): Applied
  adopt(revision: number): void
  reset(): void
  close(): void
}

async function openWriter({ path, projections: urls, store: first }: OpenInput): Promise<Writer> {
  let store = first
  const projections = await Promise.all(urls.map(loadProjection))
  removeFillingFile(path)
  let file = prepare(openIndexFile(path, projections, store), projections)

  function reset() {
    file.db.close()
    file = prepare(createIndexFile(path, projections, store?.id ?? ''), projections)
  }

  return {
    rest: () => file.rest(),
    opened(now) {
      store = now ?? store
      const replaced = now !== null && !isOf(file.db, now)
      if (replaced) reset()
      return {
        compared: store !== null,
        replaced,
        revision: integer(readMeta(file.db, 'revision')),
        filled: readMeta(file.db, 'filled') === 1,
        prefixes: prefixesOf(projections),
      }
    },
    page: (input) => file.page(input),
    filled: (revision) => file.filled(revision),
    batches: (batches, revision) => file.batches(batches, revision),
    adopt(revision) {
      file.db.close()
      moveFilledFile(path)
      file = prepare(openIndexFile(path, projections, store && { id: store.id, revision }), projections)
    },
    reset,
    close: () => file.db.close(),
  }
}

/** All that the projections want, without what another prefix covers; first what parts divide, since all else waits for them. */
function prefixesOf(projections: readonly Projection[]): string[] {
  const all = [...new Set(projections.flatMap(({ prefixes }) => prefixes))].sort()
  const least = all.filter((one) => !all.some((other) => other !== one && one.startsWith(other)))
  const isDivided = (prefix: string) => projections.some(({ parts }) => parts?.prefix.startsWith(prefix))
  return [...least.filter(isDivided), ...least.filter((prefix) => !isDivided(prefix))]
}

/** The index on one connection, with its statements. */
function prepare(db: DatabaseSync, projections: readonly Projection[]) {
  const refused: Refused = new Map()
  const open = () => createChanges(db, projections, 'follow', ownNumbers, refused)
  let changes = open()
  let isMakingUp = false
  const statements = {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    meta: db.prepare('UPDATE index_meta SET value = ? WHERE name = ?'),
    keys: db.prepare('SELECT key, revision FROM index_keys WHERE key >= ? AND key < CAST(? AS TEXT)'),
  }

  /** Does the work whole or not at all; anew without the facts that turn out to be refused. */
  function transaction<Result>(work: () => Result): Result {
    for (;;) {
      const known = refused.size
      statements.begin.run()
      try {
        const result = work()
        changes.flush()
        statements.commit.run()
        return result
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        // What the projections remember of rows may have gone with them.
        changes = open()
        if (refused.size === known) throw error
      }
    }
  }

  /** What a page of a list has changed since the index saw these keys, with what it no longer has. */
  function* differences({ prefix, after, through, entries }: PageInput): Iterable<IndexedChange> {
    // The first key after `after` is `after` with a zero byte, which no key holds.
    const from = after === undefined ? prefix : `${after}\0`
    const end = through === undefined ? beyond(prefix) : Buffer.from(`${through}\0`)
    const rows = statements.keys.all(from, end)
    const known = new Map(rows.map((row) => [text(row.key), integer(row.revision)]))
    for (const entry of entries) {
      const same = known.get(entry.key) === entry.revision
      known.delete(entry.key)
      if (!same) yield entry
    }
    for (const [key, revision] of known) yield { key, value: null, revision }
  }

  return {
    db,
    rest() {
      if (!isMakingUp) return
      isMakingUp = false
      try {
        db.exec(`${pace.usual}; PRAGMA shrink_memory; PRAGMA wal_checkpoint`)
      } catch {
        // The log holds everything: what the disk cannot do now, the next commit tries, and reports.
      }
    },
    page: (input: PageInput): Applied => transaction(() => changes.apply(differences(input))),
    filled(revision: number) {
      const first = readMeta(db, 'filled') !== 1
      transaction(() => {
        writeRevision(db, revision)
        if (first) changes.filled()
      })
    },
    batches(batches: readonly Batch[], revision: number): Applied {
      const all: Applied[] = []
      if (batches.length >= muchToMakeUpFor && !isMakingUp) {
        db.exec(pace.makingUp)
        isMakingUp = true
      }
      for (let next = 0; next < batches.length; ) {
        const steps = transaction(() => {
          const until = performance.now() + commitAfterMilliseconds
          const done: Applied[] = []
          for (const batch of batches.slice(next)) {
            done.push(changes.apply(changesOf(batch)))
            const isLast = next + done.length === batches.length
            statements.meta.run(isLast ? revision : batch.revision, 'revision')
            if (performance.now() > until) break
          }
          return done
        })
        next += steps.length
        all.push(...steps)
      }
      return sum(...all)
    },
  }
}

function changesOf({ changes, revision }: Batch): IndexedChange[] {
  return changes.map(({ key, value }) => ({ key, value, revision }))
}

/** The first bytes after every key that begins with `prefix`: UTF-8 never holds the byte FF. */
function beyond(prefix: string): Uint8Array {
  return Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])])
}
