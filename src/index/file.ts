import { createHash, randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { optional, text } from '../store/row.ts'
import type { Projection } from './projection.ts'

/** Raise it when the tables of the index itself (`index_…`) change. */
const version = 1

/** Which store an index is of, and how far that has come. */
export interface StoreState {
  readonly id: string
  readonly revision: number
}

/** It bounds what filling takes of memory; a smaller index takes what it is large. */
const fillingCacheKilobytes = 65_536
const partCacheKilobytes = 24_576

/**
 * What the writer keeps in memory, and from how many pages on a commit moves the write-ahead log into the file. Who makes
 * up for much writes all over a large file: pages are kept then that would be written several times otherwise, and the
 * log is moved when nobody waits.
 */
export const pace = {
  usual: 'PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 1000',
  makingUp: 'PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 32768',
}

/**
 * Opens the index's file for its writer. A file that is missing, damaged, of another store, ahead of its store (which
 * was restored from a backup) or made by other projections is replaced by an empty one: nothing is lost (law F3). Where
 * the store is null, it is away, and `isOf` says later whether the file is of it.
 */
export function openIndexFile(
  path: string,
  projections: readonly Projection[],
  store: StoreState | null,
): DatabaseSync {
  const found = tryToOpen(path)
  if (found !== undefined) {
    const fits = readMeta(found, 'fingerprint') === fingerprintOf(projections)
    if (fits && (store === null || isOf(found, store))) return found
    found.close()
  }
  return createIndexFile(path, projections, store?.id ?? '')
}

/** Whether the index is of this store, and not ahead of it. */
export function isOf(db: DatabaseSync, store: StoreState): boolean {
  const revision = readMeta(db, 'revision')
  return readMeta(db, 'store') === store.id && typeof revision === 'number' && revision <= store.revision
}

/** Replaces whatever is at `path` by an empty index. */
export function createIndexFile(
  path: string,
  projections: readonly Projection[],
  storeId: string,
): DatabaseSync {
  removeIndexFile(path)
  const db = connect(path)
  createTables(db, projections, storeId)
  for (const { indexes } of projections) if (indexes !== undefined) db.exec(indexes)
  return db
}

/**
 * An empty index beside `path` that is to be filled in one transaction and moved there when it is complete. Until then
 * it is worth nothing, so nothing is flushed to the disk and nothing could be rolled back after a crash.
 */
export function createFillingFile(
  path: string,
  projections: readonly Projection[],
  storeId: string,
): DatabaseSync {
  removeFillingFile(path)
  const db = connectFilling(path, fillingPath(path))
  createTables(db, projections, storeId)
  return db
}

/** The tables of a part of an index that is being filled: a file that is thrown away when it has been read. */
export function createPartFile(path: string, projections: readonly Projection[]): DatabaseSync {
  removeIndexFile(path)
  const db = connectFilling(path, path)
  // What comes is appended nearly everywhere, so that little has to be at hand.
  db.exec(`PRAGMA cache_size = -${partCacheKilobytes}`)
  createTables(db, projections, '')
  return db
}

/** The file that is being filled, on another connection. */
export function reopenFillingFile(path: string): DatabaseSync {
  return connectFilling(path, fillingPath(path))
}

function connectFilling(path: string, file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000 })
  // What is sorted may be larger than memory; beside the index there is room for it, in /tmp perhaps not.
  db.exec(`
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA cache_size = -${fillingCacheKilobytes};
    PRAGMA temp_store = FILE;
    PRAGMA temp_store_directory = '${dirname(path).replaceAll("'", "''")}';
    PRAGMA threads = 2;
  `)
  return db
}

/** Puts a filled file, which has been closed, in the place of the index: durable before it is there. */
export function moveFilledFile(path: string): void {
  const from = fillingPath(path)
  flush(from)
  removeIndexFile(path)
  renameSync(from, path)
  flush(dirname(path))
}

/** Removes the file that is being filled, with its parts and whatever else has a name that begins with its own. */
export function removeFillingFile(path: string): void {
  for (const file of beginningWith(fillingPath(path))) removeFile(file)
}

/** How many parts an index is filled in at most. */
export const mostParts = 4

export function partPath(path: string, part: number): string {
  return `${fillingPath(path)}-${part}`
}

/** They are large, which takes a while: whoever calls can go on meanwhile. */
export async function removeParts(path: string): Promise<void> {
  await Promise.all(beginningWith(`${fillingPath(path)}-`).map((file) => rm(file, { force: true })))
}

function beginningWith(path: string): string[] {
  const folder = dirname(path)
  const names = readdirSync(folder).filter((name) => name.startsWith(basename(path)))
  return names.map((name) => join(folder, name))
}

function fillingPath(path: string): string {
  return `${path}-filling`
}

function removeIndexFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) removeFile(path + suffix)
}

function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function createTables(db: DatabaseSync, projections: readonly Projection[], storeId: string): void {
  db.exec('BEGIN')
  db.exec(`
    CREATE TABLE index_meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE index_keys (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `)
  for (const projection of projections) db.exec(projection.schema)
  const insert = db.prepare('INSERT INTO index_meta VALUES (?, ?)')
  insert.run('fingerprint', fingerprintOf(projections))
  insert.run('store', storeId)
  insert.run('id', randomUUID())
  insert.run('revision', 0)
  insert.run('filled', 0)
  db.exec('COMMIT')
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

/** Which of all indexes this one is; empty where it was made by a version that did not say so. */
export function idOfIndex(db: DatabaseSync): string {
  return optional(text, readMeta(db, 'id')) ?? ''
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
    ${pace.usual};
    PRAGMA journal_size_limit = 33554432;
    PRAGMA temp_store = MEMORY;
  `)
  return db
}

/** The schema is in it too, so that a forgotten version number does no harm. */
function fingerprintOf(projections: readonly Projection[]): string {
  const parts = projections.map(({ name, version, prefixes, schema, indexes }) => [
    name,
    version,
    prefixes,
    schema,
    indexes,
  ])
  return createHash('sha256')
    .update(JSON.stringify([version, parts]))
    .digest('hex')
}
