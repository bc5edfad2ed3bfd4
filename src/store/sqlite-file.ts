import { closeSync, fsyncSync, lstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../protocol/errors.ts'
import { storeError } from './sqlite-errors.ts'

/** "HOCK": says whose database this is (the field is SQLite's, at offset 68 of the file). */
const applicationId = 0x48_4f_43_4b
/** The form of the tables (SQLite's `user_version`, at offset 60). */
const version = 1

/**
 * Whether there is no store at `path` yet. A journal without its database is the remains of a lost one, and a link
 * that leads nowhere is one to a disk that is not mounted: neither makes room for an empty store.
 */
export function isNewDatabase(path: string): boolean {
  if (isThere(path)) return false
  if (isThere(`${path}-wal`)) {
    throw new CodedError('STORE_CORRUPT', `${path} is missing, but ${path}-wal is there`)
  }
  return true
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw storeError(error)
  }
}

/** Makes an empty store beside `path` and moves it there whole, so that a crash never leaves half of one. */
export function createDatabase(path: string, id: string): void {
  const temporary = `${path}.new`
  try {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(temporary + suffix, { force: true })
    const db = new DatabaseSync(temporary)
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA application_id = ${applicationId};
      PRAGMA user_version = ${version};
      CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO meta VALUES ('id', '${id}'), ('compacted', 0);
      CREATE TABLE facts (
        place INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        current INTEGER NOT NULL,
        lease INTEGER,
        value BLOB
      ) STRICT;
      CREATE UNIQUE INDEX facts_current ON facts (key) WHERE current = 1;
      CREATE INDEX facts_superseded ON facts (place) WHERE current = 0;
      CREATE INDEX facts_leased ON facts (lease) WHERE current = 1 AND lease IS NOT NULL;
      CREATE TABLE leases (id INTEGER PRIMARY KEY, ttl REAL NOT NULL) STRICT;
    `)
    db.close()
    renameSync(temporary, path)
    syncFolder(dirname(path))
  } catch (error) {
    throw storeError(error)
  }
}

/** Reads the file's header, and throws before anything is touched: STORE_CORRUPT or STORE_NEWER. */
export function inspectDatabase(path: string): void {
  const header = readHeader(path)
  if (header.length < 100 || header.toString('latin1', 0, 15) !== 'SQLite format 3') {
    throw new CodedError('STORE_CORRUPT', `${path} is not an SQLite database`)
  }
  if (header.readUInt32BE(68) !== applicationId) {
    throw new CodedError('STORE_CORRUPT', `${path} is not a database of Hocket`)
  }
  const found = header.readUInt32BE(60)
  if (found > version) {
    throw new CodedError('STORE_NEWER', `its form is ${found}, this version knows ${version}`)
  }
}

function readHeader(path: string): Buffer {
  try {
    const file = openSync(path, 'r')
    try {
      const header = Buffer.alloc(100)
      return header.subarray(0, readSync(file, header, 0, 100, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw storeError(error)
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
