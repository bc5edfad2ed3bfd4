import type { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { CodedError } from '../protocol/errors.ts'
import { integer, text } from '../store/row.ts'
import { storeError } from '../store/sqlite-errors.ts'
import type { Batch, Entry } from '../store/store.ts'
import { carry, type Post, type Request } from '../store/thread.ts'
import { createIndexFile, openIndexFile, readMeta } from './file.ts'
import type { Applier, IndexedChange, Projection } from './projection.ts'

/** The thread that alone writes the index. It is given facts in pieces, and answers each when it is committed. */
export type WriterCalls = {
  /** Opens the file where it is not open yet, and says how far it is. */
  open(input: OpenInput): Promise<Opened>
  /** A page of a list: what stands in the index between `after` and `through` but not in the page has been deleted. */
  page(input: PageInput): Applied
  /** The list is complete, as of `revision`. */
  filled(input: { revision: number }): void
  batches(input: { batches: readonly Batch[]; revision: number }): Applied
  /** Throws the file away and begins an empty one. */
  reset(input: Record<never, never>): void
  close(input: Record<never, never>): void
}

export interface OpenInput {
  readonly path: string
  readonly projections: readonly string[]
  readonly store: { readonly id: string; readonly revision: number }
}

export interface Opened {
  readonly revision: number
  readonly filled: boolean
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

export interface Applied {
  readonly applied: number
  readonly skipped: readonly Skipped[]
}

/** A fact that no projection could make sense of. */
export interface Skipped {
  readonly key: string
  readonly reason: string
}

type WriterRequest = Request<WriterCalls>

/** A transaction is closed at the next whole batch after this time, so that readers and the log see it soon. */
const commitAfterMilliseconds = 100

if (parentPort !== null) serve(parentPort)

function serve(port: NonNullable<typeof parentPort>) {
  let writer: Writer | undefined
  let turn = Promise.resolve()

  port.on('message', (request: WriterRequest) => {
    turn = turn.then(async () => port.postMessage(await answer(request)))
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
      return writer.opened()
    }
    if (writer === undefined) throw new Error('the index is not open')
    switch (request.name) {
      case 'page':
        return writer.page(request.input)
      case 'filled':
        return writer.filled(request.input.revision)
      case 'batches':
        return writer.batches(request.input.batches, request.input.revision)
      case 'reset':
        return writer.reset()
      case 'close':
        return writer.close()
    }
  }
}

interface Writer {
  opened(): Opened
  page(input: PageInput): Applied
  filled(revision: number): void
  batches(batches: readonly Batch[], revision: number): Applied
  reset(): void
  close(): void
}

async function openWriter({ path, projections: urls, store }: OpenInput): Promise<Writer> {
  const projections = await Promise.all(urls.map(loadProjection))
  let file = prepare(openIndexFile(path, projections, store), projections)

  return {
    opened: () => ({
      revision: integer(readMeta(file.db, 'revision')),
      filled: readMeta(file.db, 'filled') === 1,
      prefixes: leastPrefixes(projections.flatMap((projection) => projection.prefixes)),
    }),
    page: (input) => file.page(input),
    filled: (revision) => file.filled(revision),
    batches: (batches, revision) => file.batches(batches, revision),
    reset() {
      file.db.close()
      file = prepare(createIndexFile(path, projections, store.id), projections)
    },
    close: () => file.db.close(),
  }
}

async function loadProjection(url: string): Promise<Projection> {
  const module: { projection?: Projection } = await import(url)
  if (module.projection === undefined) throw new Error(`${url} exports no projection`)
  return module.projection
}

/** Without those that another one covers. */
function leastPrefixes(prefixes: readonly string[]): string[] {
  const all = [...new Set(prefixes)]
  return all.filter((one) => !all.some((other) => other !== one && one.startsWith(other))).sort()
}

/** The projections, with their statements, on one connection. */
function prepare(db: DatabaseSync, projections: readonly Projection[]) {
  const appliers: { prefixes: readonly string[]; applier: Applier }[] = projections.map((projection) => ({
    prefixes: projection.prefixes,
    applier: projection.open(db),
  }))
  const statements = {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    savepoint: db.prepare('SAVEPOINT fact'),
    release: db.prepare('RELEASE fact'),
    undo: db.prepare('ROLLBACK TO fact'),
    meta: db.prepare('UPDATE index_meta SET value = ? WHERE name = ?'),
    keep: db.prepare(
      'INSERT INTO index_keys VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision',
    ),
    drop: db.prepare('DELETE FROM index_keys WHERE key = ?'),
    keys: db.prepare('SELECT key, revision FROM index_keys WHERE key >= ? AND key < CAST(? AS TEXT)'),
  }

  function transaction<Result>(work: () => Result): Result {
    statements.begin.run()
    try {
      const result = work()
      for (const { applier } of appliers) applier.flush?.()
      statements.commit.run()
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  /** Applies one change whole or not at all; a fact that a projection cannot read harms no other. */
  function apply(change: IndexedChange, skipped: Skipped[]): void {
    statements.savepoint.run()
    try {
      for (const { prefixes, applier } of appliers) {
        if (prefixes.some((prefix) => change.key.startsWith(prefix))) applier.apply(change)
      }
    } catch (error) {
      const known = storeError(error)
      if (known instanceof CodedError && fatal.has(known.code)) throw known
      statements.undo.run()
      skipped.push({ key: change.key, reason: known instanceof Error ? known.message : String(known) })
    }
    if (change.value === null) statements.drop.run(change.key)
    else statements.keep.run(change.key, change.revision)
    statements.release.run()
  }

  return {
    db,
    page({ prefix, after, through, entries }: PageInput): Applied {
      const skipped: Skipped[] = []
      let applied = 0
      transaction(() => {
        // The first key after `after` is `after` with a zero byte, which no key holds.
        const from = after === undefined ? prefix : `${after}\0`
        const end = through === undefined ? beyond(prefix) : Buffer.from(`${through}\0`)
        const rows = statements.keys.all(from, end)
        const known = new Map(rows.map((row) => [text(row.key), integer(row.revision)]))
        for (const { key, value, revision } of entries) {
          const same = known.get(key) === revision
          known.delete(key)
          if (same) continue
          apply({ key, value, revision }, skipped)
          applied += 1
        }
        for (const [key, revision] of known) {
          apply({ key, value: null, revision }, skipped)
          applied += 1
        }
      })
      return { applied, skipped }
    },
    filled(revision: number) {
      const first = readMeta(db, 'filled') !== 1
      transaction(() => {
        statements.meta.run(revision, 'revision')
        statements.meta.run(1, 'filled')
        if (first) for (const { applier } of appliers) applier.filled?.()
      })
    },
    batches(batches: readonly Batch[], revision: number): Applied {
      const skipped: Skipped[] = []
      let applied = 0
      for (let next = 0; next < batches.length; ) {
        transaction(() => {
          const until = performance.now() + commitAfterMilliseconds
          for (let batch = batches[next]; batch !== undefined; batch = batches[next]) {
            for (const { key, value } of batch.changes) {
              apply({ key, value, revision: batch.revision }, skipped)
              applied += 1
            }
            next += 1
            statements.meta.run(next === batches.length ? revision : batch.revision, 'revision')
            if (performance.now() > until) break
          }
        })
      }
      return { applied, skipped }
    },
  }
}

/** After these, no other fact fares better: they concern the file, not the fact. */
const fatal = new Set<string>(['DISK_FULL', 'DISK_FAILED', 'DISK_READ_ONLY', 'STORE_CORRUPT', 'UNREACHABLE'])

/** The first bytes after every key that begins with `prefix`: UTF-8 never holds the byte FF. */
function beyond(prefix: string): Uint8Array {
  return Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])])
}
