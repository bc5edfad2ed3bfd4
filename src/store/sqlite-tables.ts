import { randomBytes, randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../protocol/errors.ts'
import { limits } from './limits.ts'
import { bytes, integer, text } from './row.ts'
import { storeError } from './sqlite-errors.ts'
import { createDatabase, inspectDatabase, isNewDatabase } from './sqlite-file.ts'
import type { Batch, Change, Entry, ListOptions, Outcome, Page, Transaction, Write } from './store.ts'

/**
 * The store's tables and what is done with them, synchronously, in the store's own thread.
 *
 * Every write is a new row; its `place` is the revision times 128 plus its number in the transaction, so that the
 * rows lie in the order of history, which is what a watcher reads. The row that holds a key now has `current = 1`.
 * Both values of `current` take no space in SQLite's row format, so that setting it back overwrites a byte in place
 * instead of writing the whole row again. A deletion is a row without a value that never was current.
 */
export interface Tables {
  readonly id: string
  readonly revision: number
  /** Revisions up to this one have no history any more. */
  readonly compacted: number
  get(key: string): Entry | null
  list(prefix: string, options: ListOptions): Page
  /** The next changes after `revision`: at most 500 revisions of them, fewer if they are large. */
  changes(prefix: string, revision: number): Changes
  /** Carries the transactions out in order, all with one fsync; each gets its outcome or its own error. */
  commit(transactions: readonly Transaction[]): (Outcome | Error)[]
  grant(ttl: number): string
  /** Deletes the lease and its keys. */
  revoke(lease: string): void
  leases(): { id: string; ttl: number }[]
  /** From now on, watchers that stand before `revision` are refused. The values are dropped by `sweep`. */
  compact(revision: number): void
  /** Drops some of the superseded values that nobody may read any more; false when none are left. */
  sweep(): boolean
  bytes(): number
  close(): void
}

export interface Changes {
  readonly batches: readonly Batch[]
  /** Everything up to this revision has been looked at. */
  readonly revision: number
}

const revisionsAtOnce = 500
/** As many as a group commit may supersede, so that sweeping keeps up with a flood of rewriting. */
const sweptAtOnce = 512

/** Opens the store at `path`, making it where there is none. Throws STORE_CORRUPT, STORE_NEWER, DISK_… */
export function openTables(path: string): Tables {
  if (isNewDatabase(path)) createDatabase(path, randomUUID())
  inspectDatabase(path)
  try {
    return tablesOf(new DatabaseSync(path, { timeout: 5_000 }))
  } catch (error) {
    throw storeError(error)
  }
}

/** The tables on an open connection; `close` closes it. */
export function tablesOf(db: DatabaseSync): Tables {
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -4000;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA temp_store = MEMORY;
  `)
  const columns = 'place, key, value, current, lease'
  const statements = {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    get: db.prepare(`SELECT ${columns} FROM facts WHERE current = 1 AND key = ?`),
    place: db.prepare('SELECT place FROM facts WHERE current = 1 AND key = ?'),
    list: db.prepare(
      `SELECT ${columns} FROM facts WHERE current = 1 AND key >= ? AND key < CAST(? AS TEXT) ORDER BY key LIMIT ?`,
    ),
    // The plus keeps SQLite on the order of places, which is the order of history.
    changes: db.prepare(
      `SELECT ${columns} FROM facts
       WHERE place >= ? AND place < ? AND +key >= ? AND +key < CAST(? AS TEXT) ORDER BY place`,
    ),
    supersede: db.prepare('UPDATE facts SET current = 0 WHERE place = ?'),
    insert: db.prepare('INSERT INTO facts (place, key, current, lease, value) VALUES (?, ?, ?, ?, ?)'),
    leases: db.prepare('SELECT id, ttl FROM leases'),
    lease: db.prepare('SELECT 1 FROM leases WHERE id = ?'),
    grant: db.prepare('INSERT INTO leases (id, ttl) VALUES (?, ?)'),
    revoke: db.prepare('DELETE FROM leases WHERE id = ?'),
    leased: db.prepare('SELECT key FROM facts WHERE current = 1 AND lease = ? LIMIT ?'),
    setMeta: db.prepare('UPDATE meta SET value = ? WHERE name = ?'),
    sweep: db.prepare(
      `DELETE FROM facts WHERE place IN
         (SELECT place FROM facts WHERE current = 0 AND place < ? ORDER BY place LIMIT ?)`,
    ),
    pages: db.prepare('PRAGMA page_count'),
    pageSize: db.prepare('PRAGMA page_size'),
  }
  const meta = (name: string) => db.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.['value']

  const id = text(meta('id'))
  let compacted = integer(meta('compacted'))
  const last = db.prepare('SELECT max(place) AS place FROM facts').get()?.['place']
  // The newest row may have been a deletion that compaction swept: the revision never falls below `compacted`.
  let revision = Math.max(compacted, typeof last === 'number' ? revisionOf(last) : 0)

  /** Runs `work` in one SQLite transaction; whatever goes wrong, nothing of it is kept. */
  function durably<Result>(work: () => Result): Result {
    const before = { revision, compacted }
    try {
      statements.begin.run()
      const result = work()
      statements.commit.run()
      return result
    } catch (error) {
      revision = before.revision
      compacted = before.compacted
      // SQLite has already rolled back by itself after some errors, a full disk among them.
      if (db.isTransaction) db.exec('ROLLBACK')
      throw storeError(error)
    }
  }

  function revisionOfKey(key: string): number {
    const place = statements.place.get(key)?.['place']
    return place === undefined ? 0 : revisionOf(integer(place))
  }

  function apply({ conditions, writes }: Transaction): Outcome {
    for (const condition of conditions) {
      if (revisionOfKey(condition.key) !== condition.revision) return { ok: false, revision }
    }
    let made = 0
    for (const write of writes) {
      if (put(write, placeOf(revision + 1) + made)) made += 1
    }
    if (made > 0) revision += 1
    return { ok: true, revision }
  }

  function put({ key, value, lease }: Write, place: number): boolean {
    const former = statements.place.get(key)?.['place']
    if (former === undefined && value === null) return false
    const leaseNumber = lease === undefined ? null : parseLease(lease)
    if (leaseNumber !== null && statements.lease.get(leaseNumber) === undefined) {
      throw new CodedError('LEASE_ENDED')
    }
    if (former !== undefined) statements.supersede.run(former)
    statements.insert.run(place, key, value === null ? 0 : 1, value === null ? null : leaseNumber, value)
    return true
  }

  function commit(transactions: readonly Transaction[]): (Outcome | Error)[] {
    try {
      return durably(() => transactions.map(apply))
    } catch (error) {
      // One of them may be the only culprit (the disk has room for the others): each gets a chance of its own.
      if (transactions.length > 1) return transactions.flatMap((transaction) => commit([transaction]))
      return [error instanceof Error ? error : new Error(String(error))]
    }
  }

  return {
    id,
    get revision() {
      return revision
    },
    get compacted() {
      return compacted
    },
    get(key) {
      const row = statements.get.get(key)
      return row === undefined ? null : entryOf(row)
    },
    list(prefix, { after, limit = limits.pageEntries }) {
      const from = after !== undefined && isAfter(after, prefix) ? `${after}\0` : prefix
      const most = Math.max(1, Math.min(limit, limits.pageEntries))
      const entries: Entry[] = []
      let size = 0
      for (const row of statements.list.iterate(from, endOf(prefix), most + 1)) {
        if (entries.length >= most || size >= limits.pageBytes) return { entries, revision, more: true }
        const entry = entryOf(row)
        entries.push(entry)
        size += entry.value.length + entry.key.length
      }
      return { entries, revision, more: false }
    },
    changes(prefix, after) {
      if (after < compacted) throw new CodedError('COMPACTED', `up to revision ${compacted}`)
      const until = Math.max(after, Math.min(revision, after + revisionsAtOnce))
      const batches: { revision: number; changes: Change[] }[] = []
      let size = 0
      for (const row of statements.changes.iterate(
        placeOf(after + 1),
        placeOf(until + 1),
        prefix,
        endOf(prefix),
      )) {
        const at = revisionOf(integer(row['place']))
        if (batches.at(-1)?.revision !== at) {
          if (size >= limits.pageBytes) return { batches, revision: at - 1 }
          batches.push({ revision: at, changes: [] })
        }
        const value = row['value'] === null || row['value'] === undefined ? null : bytes(row['value'])
        batches.at(-1)?.changes.push({ key: text(row['key']), value, ...leaseOf(row) })
        size += value?.length ?? 0
      }
      return { batches, revision: until }
    },
    commit,
    grant(ttl) {
      const lease = randomBytes(6).readUIntBE(0, 6)
      durably(() => statements.grant.run(lease, ttl))
      return formatLease(lease)
    },
    revoke(lease) {
      const number = parseLease(lease)
      for (let more = true; more; ) {
        durably(() => {
          const keys = statements.leased.all(number, limits.operations).map((row) => text(row['key']))
          apply({ conditions: [], writes: keys.map((key) => ({ key, value: null })) })
          more = keys.length === limits.operations
          if (!more) statements.revoke.run(number)
        })
      }
    },
    leases: () =>
      statements.leases
        .all()
        .map((row) => ({ id: formatLease(integer(row['id'])), ttl: integer(row['ttl']) })),
    compact(upTo) {
      const target = Math.min(upTo, revision)
      if (target <= compacted) return
      durably(() => {
        statements.setMeta.run(target, 'compacted')
        compacted = target
      })
    },
    sweep: () => durably(() => Number(statements.sweep.run(placeOf(compacted + 1), sweptAtOnce).changes) > 0),
    bytes() {
      const pages = integer(statements.pages.get()?.['page_count'])
      return pages * integer(statements.pageSize.get()?.['page_size'])
    },
    close: () => db.close(),
  }
}

const placesPerRevision = 128
const placeOf = (revision: number) => revision * placesPerRevision
const revisionOf = (place: number) => Math.floor(place / placesPerRevision)

function entryOf(row: Record<string, unknown>): Entry {
  const { key, value, place } = row
  if (typeof key !== 'string' || !(value instanceof Uint8Array) || typeof place !== 'number') {
    throw new CodedError('STORE_CORRUPT', 'a row of the table of facts has the wrong form')
  }
  return { key, value, revision: revisionOf(place), ...leaseOf(row) }
}

function leaseOf({ lease }: Record<string, unknown>): { lease?: string } {
  return typeof lease === 'number' ? { lease: formatLease(lease) } : {}
}

/** The first bytes after everything that begins with `prefix`: UTF-8 never holds the byte FF. */
function endOf(prefix: string): Uint8Array {
  return Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])])
}

function isAfter(key: string, prefix: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(prefix)) >= 0
}

const formatLease = (lease: number) => lease.toString(16).padStart(12, '0')
const parseLease = (lease: string) => Number.parseInt(lease, 16) || 0
