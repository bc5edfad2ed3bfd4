import { createHash } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Projection } from './projection.ts'

/** Raise it when the tables of the index itself (`index_…`) change. */
const version = 1

/**
 * Opens the index's file for its writer. A file that is missing, damaged, of another store, ahead of its store (which
 * was restored from a backup) or made by other projections is replaced by an empty one: nothing is lost (law F3).
 */
export function openIndexFile(
  path: string,
  projections: readonly Projection[],
  store: { id: string; revision: number },
): DatabaseSync {
  const fingerprint = fingerprintOf(projections)
  const found = tryToOpen(path)
  if (found !== undefined) {
    if (fits(found, fingerprint, store)) return found
    found.close()
  }
  return createIndexFile(path, projections, store.id)
}

/** Replaces whatever is at `path` by an empty index. */
export function createIndexFile(
  path: string,
  projections: readonly Projection[],
  storeId: string,
): DatabaseSync {
  for (const suffix of ['', '-wal', '-shm', '-journal']) removeFile(path + suffix)
  const db = connect(path)
  db.exec('BEGIN')
  db.exec(`
    CREATE TABLE index_meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE index_keys (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `)
  for (const projection of projections) db.exec(projection.schema)
  const insert = db.prepare('INSERT INTO index_meta VALUES (?, ?)')
  insert.run('fingerprint', fingerprintOf(projections))
  insert.run('store', storeId)
  insert.run('revision', 0)
  insert.run('filled', 0)
  db.exec('COMMIT')
  return db
}

/** Unlike `rmSync`, whose errors on a read-only disk carry no code. */
function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

/** What `index_meta` says; undefined where there is no such row. */
export function readMeta(db: DatabaseSync, name: string) {
  return db.prepare('SELECT value FROM index_meta WHERE name = ?').get(name)?.value
}

function tryToOpen(path: string): DatabaseSync | undefined {
  let db: DatabaseSync | undefined
  try {
    db = connect(path)
    readMeta(db, 'fingerprint')
    return db
  } catch {
    db?.close()
    return undefined
  }
}

function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  // NORMAL: a power failure may take the last transactions away, together with the revision that they reached.
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -8000;
    PRAGMA journal_size_limit = 33554432;
    PRAGMA temp_store = MEMORY;
  `)
  return db
}

function fits(db: DatabaseSync, fingerprint: string, store: { id: string; revision: number }): boolean {
  const revision = readMeta(db, 'revision')
  return (
    readMeta(db, 'fingerprint') === fingerprint &&
    readMeta(db, 'store') === store.id &&
    typeof revision === 'number' &&
    revision <= store.revision
  )
}

/** The schema is in it too, so that a forgotten version number does no harm. */
function fingerprintOf(projections: readonly Projection[]): string {
  const parts = projections.map(({ name, version, prefixes, schema }) => [name, version, prefixes, schema])
  return createHash('sha256')
    .update(JSON.stringify([version, parts]))
    .digest('hex')
}
