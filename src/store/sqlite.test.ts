import assert from 'node:assert/strict'
import { copyFile, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openTestStore, shareStore } from '../../test/fixtures/ground.ts'
import { type ErrorCode, isCoded } from '../protocol/errors.ts'
import { storeContract } from './contract.ts'
import { openSqliteStore } from './sqlite.ts'
import { storeError } from './sqlite-errors.ts'
import { openTables, tablesOf } from './sqlite-tables.ts'
import type { Store } from './store.ts'

async function createFolder() {
  const path = await mkdtemp(join(tmpdir(), 'hocket-store-'))
  return { path, store: join(path, 'store.db'), [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

storeContract('sqlite', shareStore(), openTestStore)

const bytes = (text: string) => new TextEncoder().encode(text)
const coded = (code: ErrorCode) => (error: unknown) => isCoded(error, code)
const write = (store: Store, key: string, value = 'x') =>
  store.commit({ conditions: [], writes: [{ key, value: bytes(value) }] })

test('a store keeps its identity, revision, values and leases when it is opened again', async () => {
  await using folder = await createFolder()
  const first = await openSqliteStore(folder.store)
  const lease = await first.grant(60)
  await first.commit({ conditions: [], writes: [{ key: 'leased', value: bytes('1'), lease }] })
  await write(first, 'a')
  const deletion = await first.commit({ conditions: [], writes: [{ key: 'a', value: null }] })
  // The newest change is a deletion, which compaction removes without a trace; the revision stays all the same.
  await first.compact(deletion.revision)
  const before = await first.status()
  await first[Symbol.asyncDispose]()

  await using second = await openSqliteStore(folder.store)
  const after = await second.status()
  assert.deepEqual([after.id, after.revision], [before.id, before.revision])
  assert.equal(await second.renew(lease), true)
  await second.revoke(lease)
  assert.equal(await second.get('leased'), null)
})

test('a restart renews a lease once, and it ends after that if nobody holds it', async () => {
  await using folder = await createFolder()
  const first = await openSqliteStore(folder.store)
  const lease = await first.grant(1)
  const { revision } = await first.commit({
    conditions: [],
    writes: [{ key: 'a', value: bytes('1'), lease }],
  })
  await first[Symbol.asyncDispose]()
  await using second = await openSqliteStore(folder.store)
  assert.notEqual(await second.get('a'), null)
  for await (const batch of second.watch('a', revision, AbortSignal.timeout(60_000))) {
    if (batch.changes.length > 0) break
  }
  assert.equal(await second.get('a'), null)
})

test('what is not a database of Hocket is refused and left as it is', async () => {
  await using folder = await createFolder()
  const other = new DatabaseSync(join(folder.path, 'other.db'))
  other.exec('CREATE TABLE t (x)')
  other.close()
  const contents = [
    Buffer.alloc(0),
    Buffer.from('not a database'),
    Buffer.alloc(5_000, 'x'),
    await readFile(join(folder.path, 'other.db')),
  ]
  for (const content of contents) {
    await writeFile(folder.store, content)
    await assert.rejects(openSqliteStore(folder.store), coded('STORE_CORRUPT'))
    assert.deepEqual(await readFile(folder.store), content)
  }
  // A journal whose database is gone holds writes that were acknowledged: no empty store takes their place.
  await rm(folder.store)
  await writeFile(`${folder.store}-wal`, 'x')
  await assert.rejects(openSqliteStore(folder.store), coded('STORE_CORRUPT'))
})

test('a store of a newer version is refused, and nothing is touched', async () => {
  await using folder = await createFolder()
  await (await openSqliteStore(folder.store))[Symbol.asyncDispose]()
  const file = await open(folder.store, 'r+')
  await file.write(Buffer.from([0, 0, 0, 99]), 0, 4, 60)
  await file.close()
  const before = await readFile(folder.store)
  await assert.rejects(openSqliteStore(folder.store), coded('STORE_NEWER'))
  assert.deepEqual(await readFile(folder.store), before)
  assert.deepEqual(await readdir(folder.path), ['store.db'])
})

test('damage in the midst of the file is named', async () => {
  await using folder = await createFolder()
  const first = await openSqliteStore(folder.store)
  for (let each = 0; each < 300; each += 1) await write(first, `k/${each}`, 'x'.repeat(2_000))
  await first[Symbol.asyncDispose]()
  const { size } = await stat(folder.store)
  const file = await open(folder.store, 'r+')
  await file.write(Buffer.alloc(size - 40_960, 0xa5), 0, size - 40_960, 40_960)
  await file.close()
  await using second = await openSqliteStore(folder.store).catch((error) => {
    assert.ok(isCoded(error, 'STORE_CORRUPT'))
    return { [Symbol.asyncDispose]: async () => undefined, list: () => Promise.reject(error) }
  })
  await assert.rejects(second.list('k/'), coded('STORE_CORRUPT'))
})

test('a folder that is missing or no folder gives a coded error', async () => {
  await using folder = await createFolder()
  await assert.rejects(openSqliteStore(join(folder.path, 'nowhere', 'store.db')), coded('DISK_READ_ONLY'))
  await writeFile(join(folder.path, 'file'), '')
  await assert.rejects(openSqliteStore(join(folder.path, 'file', 'store.db')), coded('DISK_READ_ONLY'))
  await symlink('nowhere/store.db', folder.store)
  await assert.rejects(openSqliteStore(folder.store), coded('DISK_READ_ONLY'))
})

test('when the disk is full, each write is refused by name, reads go on, and so do writes once there is room', async () => {
  await using folder = await createFolder()
  openTables(folder.store).close()
  // SQLite's own limit on the file's pages gives the very error that a full disk gives, on any machine.
  const db = new DatabaseSync(folder.store)
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() ?? {}
  db.exec(`PRAGMA max_page_count = ${Number(pages) + 8}`)
  const tables = tablesOf(db)
  const small = { conditions: [], writes: [{ key: 'small', value: bytes('1') }] }
  const large = { conditions: [], writes: [{ key: 'large', value: new Uint8Array(200_000) }] }
  const { revision } = tables
  const [first, full, second] = tables.commit([small, large, { ...small, conditions: [] }])
  // The one that does not fit takes no other with it.
  assert.deepEqual(first, { ok: true, revision: revision + 1 })
  assert.ok(isCoded(full, 'DISK_FULL'))
  assert.deepEqual(second, { ok: true, revision: revision + 2 })
  assert.equal(tables.get('large'), null)
  assert.equal(tables.revision, revision + 2)
  db.exec('PRAGMA max_page_count = 100000')
  assert.deepEqual(tables.commit([large]), [{ ok: true, revision: revision + 3 }])
  assert.equal(tables.get('large')?.value.length, 200_000)
  tables.close()
})

test('what the operating system and SQLite say is told by code', () => {
  const sqlite = (errcode: number) => Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode })
  const system = (code: string) => Object.assign(new Error('x'), { code })
  const expected: [Error, ErrorCode][] = [
    [sqlite(13), 'DISK_FULL'],
    [sqlite(4_874), 'DISK_FULL'],
    [sqlite(8), 'DISK_READ_ONLY'],
    [sqlite(1_032), 'DISK_READ_ONLY'],
    [sqlite(10), 'DISK_FAILED'],
    [sqlite(266), 'DISK_FAILED'],
    [sqlite(11), 'STORE_CORRUPT'],
    [sqlite(26), 'STORE_CORRUPT'],
    [sqlite(5), 'UNREACHABLE'],
    [system('ENOSPC'), 'DISK_FULL'],
    [system('EROFS'), 'DISK_READ_ONLY'],
    [system('EIO'), 'DISK_FAILED'],
  ]
  for (const [error, code] of expected) assert.ok(isCoded(storeError(error), code), code)
  const fault = new TypeError('a fault of ours')
  assert.equal(storeError(fault), fault)
})

test('history is dropped by itself, so that the store does not grow by rewriting', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  const { revision: start } = await store.status()
  let bytesAtHalf = 0
  for (let round = 0; round < 24; round += 1) {
    await Promise.all(Array.from({ length: 1_000 }, () => write(store, 'the same key', 'x'.repeat(1_000))))
    if (round === 12) bytesAtHalf = (await store.status()).bytes
  }
  const signal = AbortSignal.timeout(60_000)
  await assert.rejects(store.watch('', start, signal)[Symbol.asyncIterator]().next(), coded('COMPACTED'))
  const recent = store.watch('', (await store.status()).revision - 9_000, signal)
  assert.equal((await recent[Symbol.asyncIterator]().next()).done, false)
  // Without compaction it would have doubled.
  assert.ok((await store.status()).bytes < bytesAtHalf * 1.5)
})

test('a store that was copied file by file after it was closed is the same', async () => {
  await using folder = await createFolder()
  const store = await openSqliteStore(folder.store)
  await write(store, 'a')
  await store[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(folder.path), ['store.db'])
  const copy = join(folder.path, 'copy.db')
  await copyFile(folder.store, copy)
  await using again = await openSqliteStore(copy)
  assert.notEqual(await again.get('a'), null)
})
