import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open as openFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { shareGround } from '../../test/fixtures/ground.ts'
import { CodedError, type ErrorCode, isCoded } from '../protocol/errors.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import type * as Queries from './fixtures/queries.ts'
import { type Index, type IndexOptions, type IndexReport, type IndexStep, openIndex } from './index.ts'
import { createQuestionQueue } from './reader.ts'

const projections = [new URL('./fixtures/words.ts', import.meta.url)]
const newer = [new URL('./fixtures/words-newer.ts', import.meta.url)]
const queries = new URL('./fixtures/queries.ts', import.meta.url)
const coded = (code: ErrorCode) => (error: unknown) => isCoded(error, code)
const bytes = (text: string) => new TextEncoder().encode(text)

async function createFolder() {
  const path = await mkdtemp(join(tmpdir(), 'hocket-index-'))
  return {
    store: join(path, 'store.db'),
    index: join(path, 'index.db'),
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

async function open(options: Partial<IndexOptions> = {}) {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await createFolder())
  const store = stack.use(await openSqliteStore(folder.store))
  const index = stack.use(await openIndex({ path: folder.index, store, projections, ...options }))
  await caughtUp(store, index)
  return { folder, store, index, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** For tests that end no thread and need no file of their own. */
const openShared = shareGround(projections)

/** Writes words by key; null deletes. */
async function write(store: Store, words: Record<string, string | null>): Promise<number> {
  const writes = Object.entries(words).map(([key, word]) => ({
    key,
    value: word === null ? null : bytes(word),
  }))
  const { revision } = await store.commit({ conditions: [], writes })
  return revision
}

async function caughtUp(store: Store, index: Index): Promise<void> {
  await until(() => index.progress.state === 'following')
  await index.waitFor((await store.status()).revision)
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(60_000)
  while (!holds()) {
    deadline.throwIfAborted()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** All that the projection made, so that two indexes can be compared. */
function contentOf(index: Index) {
  return {
    words: index.db.prepare('SELECT * FROM words ORDER BY key').all(),
    folders: index.db.prepare('SELECT * FROM words_folders ORDER BY folder').all(),
    keys: index.db.prepare('SELECT * FROM index_keys ORDER BY key').all(),
  }
}

function wordsIn(index: Index): unknown[] {
  return index.db
    .prepare('SELECT word FROM words ORDER BY key')
    .all()
    .map(({ word }) => word)
}

/** What the index must say, straight from the store. */
async function factsOf(store: Store) {
  const facts: [string, string][] = []
  for (const prefix of ['more/', 'words/']) {
    let after: string | undefined
    for (let more = true; more; ) {
      const page = await store.list(prefix, after === undefined ? {} : { after })
      for (const entry of page.entries) facts.push([entry.key, new TextDecoder().decode(entry.value)])
      after = page.entries.at(-1)?.key
      more = page.more
    }
  }
  return facts
}

async function assertTrue(store: Store, index: Index): Promise<void> {
  const rows = index.db.prepare('SELECT key, word FROM words ORDER BY key').all()
  assert.deepEqual(
    rows.map((row) => [row.key, row.word]),
    await factsOf(store),
  )
  const wrong = index.db
    .prepare(
      `SELECT folder FROM words_folders f
       WHERE words <> (SELECT count(*) FROM words WHERE key LIKE f.folder || '/%')`,
    )
    .all()
  assert.deepEqual(wrong, [])
}

test('[F4] who waits for the revision of a write reads it', async () => {
  await using opened = await openShared()
  const { store, index } = opened
  for (const word of ['do', 're', 'mi']) {
    await index.waitFor(await write(store, { 'words/a/1': word }))
    assert.equal(index.statement('SELECT word FROM words').get()?.word, word)
  }
  await index.waitFor(await write(store, { 'words/a/1': null, 'elsewhere/x': 'ignored' }))
  assert.equal(index.statement('SELECT word FROM words').get(), undefined)
})

test('[F4] who waits for what does not come is told so, or leaves by the signal', async (context) => {
  await using opened = await openShared()
  const { index } = opened
  const reason = new Error('gone')
  const leaving = new AbortController()
  const left = index.waitFor(1_000_000, leaving.signal)
  leaving.abort(reason)
  await assert.rejects(left, reason)
  await assert.rejects(index.waitFor(1_000_000, AbortSignal.abort(reason)), reason)
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const late = index.waitFor(1_000_000)
  context.mock.timers.tick(5_000)
  await assert.rejects(late, coded('BEHIND'))
})

test('[F3] a deleted index is made anew, with the same content', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  let before: unknown
  {
    await using index = await openIndex({ path: folder.index, store, projections })
    for (let each = 0; each < 700; each += 1) {
      await write(store, {
        [`words/${each % 40}/${each}`]: `word ${each}`,
        [`more/${each % 3}/x`]: `${each}`,
      })
      if (each % 5 === 0) await write(store, { [`words/${each % 40}/${each}`]: null })
    }
    await caughtUp(store, index)
    await assertTrue(store, index)
    before = contentOf(index)
  }
  await rm(folder.index)
  await using again = await openIndex({ path: folder.index, store, projections })
  assert.deepEqual([again.progress.state, again.revision], ['filling', 0])
  await caughtUp(store, again)
  assert.deepEqual(contentOf(again), before)
  assert.equal(again.db.prepare('SELECT times FROM words_filled').get()?.times, 1)
})

test('[F3] a large store fills an index beside the old one, which then has the same content', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  const words = Array.from({ length: 2_000 }, (_, each) => [
    `words/${each % 40}/${each}`,
    'word '.repeat(100),
  ])
  for (let at = 0; at < words.length; at += 100) {
    await write(store, Object.fromEntries(words.slice(at, at + 100)))
  }
  await write(store, { 'words/3/unreadable': 'unreadable', 'words/4/4': null })
  const reports: IndexReport[] = []
  const options = {
    path: folder.index,
    store,
    projections,
    report: (report: IndexReport) => reports.push(report),
  }
  // A process that dies while it fills leaves only what the next one throws away.
  const child = fork(new URL('./fixtures/filler.ts', import.meta.url))
  child.send(folder.path)
  await once(child, 'message')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const left = await readdir(folder.path)
  assert.ok(left.includes('index.db-filling'), left.join(' '))

  await using index = await openIndex(options)
  assert.deepEqual([index.progress.state, index.revision], ['filling', 0])
  const before = index.db
  // What comes meanwhile is found by watching, from before the first page.
  await write(store, { 'words/0/0': null, 'words/9/new': 'new', 'words/39/39': 'changed' })
  await caughtUp(store, index)
  assert.notEqual(index.db, before)
  assert.equal(index.db.prepare('SELECT times FROM words_filled').get()?.times, 1)
  assert.deepEqual(
    reports.flatMap((report) =>
      'skipped' in report ? report.skipped.map(({ key }) => key) : [report.trouble],
    ),
    ['words/3/unreadable'],
  )
  await write(store, { 'words/3/unreadable': null })
  await caughtUp(store, index)
  await assertTrue(store, index)
  const reader = index.reader<typeof Queries>(queries)
  assert.deepEqual(await reader.words('words/9/new'), ['new'])
  assert.deepEqual(
    (await readdir(folder.path)).filter((name) => name.includes('filling')),
    [],
  )
})

test('[F3] an index whose parts cannot be put together is filled by one thread', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  for (let at = 0; at < 10; at += 1) {
    await write(
      store,
      Object.fromEntries(
        Array.from({ length: 100 }, (_, each) => [`words/${each}/${at}`, `${at} ${'word '.repeat(100)}`]),
      ),
    )
  }
  // What is not divided does not end the parts before they began, wherever it stands in the store.
  await write(store, { 'more/first': 'other', 'words/3/whole': 'inseparable' })
  const troubles: unknown[] = []
  const report = (each: IndexReport) => {
    if ('trouble' in each) troubles.push(each.trouble)
  }
  await using index = await openIndex({ path: folder.index, store, projections, report })
  await caughtUp(store, index)
  await assertTrue(store, index)
  assert.equal(index.db.prepare('SELECT times FROM words_filled').get()?.times, 1)
  // On one core there is only one thread, and nothing to put together.
  assert.equal(troubles.length, availableParallelism() > 1 ? 1 : 0)
  assert.deepEqual(
    (await readdir(folder.path)).filter((name) => name.includes('filling')),
    [],
  )
})

test('[F3] an index that fits goes on where it was, without reading everything again', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  {
    await using index = await openIndex({ path: folder.index, store, projections })
    await write(store, { 'words/a/1': 'do', 'words/a/2': 're' })
    await caughtUp(store, index)
  }
  await write(store, { 'words/a/2': null, 'words/a/3': 'mi' })
  await using again = await openIndex({ path: folder.index, store, projections })
  assert.equal(again.progress.state, 'following')
  await caughtUp(store, again)
  assert.equal(again.progress.applied, 2)
  await assertTrue(store, again)
})

test('what has been made up for is moved from the log into the file as soon as nobody asks for anything', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  {
    await using index = await openIndex({ path: folder.index, store, projections })
    await caughtUp(store, index)
  }
  for (let at = 0; at < 200; at += 1) await write(store, { [`words/a/${at}`]: 'do' })
  await using again = await openIndex({ path: folder.index, store, projections })
  await caughtUp(store, again)
  await until(() => wordsInFile(folder.index) === 200)
})

/** Without what stands in the log only; undefined where some of it is just being moved, so that the file looks damaged. */
function wordsInFile(path: string): unknown {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  try {
    using db = new DatabaseSync(url, { readOnly: true })
    return db.prepare('SELECT count(*) AS count FROM words').get()?.count
  } catch {
    return undefined
  }
}

test('[F3] what a projection remembers of changes that were undone, since the disk was full, is forgotten', async () => {
  const folders = new URL('./fixtures/folders.ts', import.meta.url)
  const troubles: unknown[] = []
  const report = (each: IndexReport) => {
    if ('trouble' in each) troubles.push(each.trouble)
  }
  await using opened = await open({ projections: [...projections, folders], report })
  const { store, index } = opened
  await write(store, { 'words/a/1': 'do', 'words/b/1': 'no room' })
  await caughtUp(store, index)
  assert.ok(troubles.some(coded('DISK_FULL')))
  await assertTrue(store, index)
  assert.deepEqual(foldersIn(index), ['a', 'b'])
})

for (const [size, copies] of [
  ['small', 1],
  ['large', 100_000],
] as const) {
  test(`[F3] what a projection remembers of a fact with which it failed half-way is forgotten, in a ${size} store`, async () => {
    await using folder = await createFolder()
    await using store = await openSqliteStore(folder.store)
    for (const at of ['a', 'b', 'c']) {
      await write(store, { [`words/${at}/1`]: 'indigestible', [`words/${at}/2`]: 're '.repeat(copies) })
    }
    const skipped: string[] = []
    const report = (each: IndexReport) => {
      if ('skipped' in each) skipped.push(...each.skipped.map(({ key, reason }) => `${key}: ${reason}`))
    }
    const folders = [new URL('./fixtures/folders.ts', import.meta.url)]
    await using index = await openIndex({ path: folder.index, store, projections: folders, report })
    await caughtUp(store, index)
    assert.deepEqual(foldersIn(index), ['a', 'b', 'c'])
    // While it follows, facts of several transactions of the store are written in one.
    await Promise.all([
      write(store, { 'words/d/0': 'do', 'words/e/1': 'indigestible' }),
      write(store, { 'words/e/2': 're', 'words/f/1': 'indigestible', 'words/g/1': 'mi' }),
    ])
    await caughtUp(store, index)
    assert.deepEqual(foldersIn(index), ['a', 'b', 'c', 'd', 'e', 'g'])
    assert.deepEqual(
      skipped,
      ['a', 'b', 'c', 'e', 'f'].map((at) => `words/${at}/1: nobody can take this`),
    )
  })
}

const foldersIn = (index: Index) =>
  index.db
    .prepare('SELECT folder FROM folders ORDER BY folder')
    .all()
    .map(({ folder }) => folder)

test('[F3] a file that is damaged, of another store, ahead of its store or of older projections is made anew', async () => {
  await using folder = await createFolder()
  const stack = new AsyncDisposableStack()
  await using _ended = stack
  const store = stack.use(await openSqliteStore(folder.store))
  const other = stack.use(await openSqliteStore(join(folder.path, 'other.db')))
  for (const one of [store, other]) await write(one, { 'words/a/1': 'do', 'words/a/2': 're' })

  const isMadeAnew = async (spoil: () => Promise<void>, modules = projections, of = store) => {
    {
      await using index = await openIndex({ path: folder.index, store, projections })
      await caughtUp(store, index)
    }
    await spoil()
    await using index = await openIndex({ path: folder.index, store: of, projections: modules })
    assert.equal(index.progress.state, 'filling')
    await caughtUp(of, index)
    await assertTrue(of, index)
    assert.equal(index.progress.applied, 2)
  }
  await isMadeAnew(() => writeFile(folder.index, 'not a database at all, but long enough to look at'))
  await isMadeAnew(() => writeFile(folder.index, ''))
  await isMadeAnew(() => truncate(folder.index, 5_000))
  await isMadeAnew(async () => {
    const db = new DatabaseSync(folder.index)
    db.exec(`UPDATE index_meta SET value = 1000000 WHERE name = 'revision'`)
    db.close()
  })
  await isMadeAnew(async () => undefined, newer)
  await isMadeAnew(async () => undefined, projections, other)
})

test('[F3] while the store is away an index that was filled answers, and later makes up for what it missed', async () => {
  await using folder = await createFolder()
  const real = await openSqliteStore(folder.store)
  await using stack = new AsyncDisposableStack()
  stack.use(real)
  let isAway = true
  const store: Store = {
    ...real,
    status: (signal) => (isAway ? Promise.reject(new CodedError('UNREACHABLE')) : real.status(signal)),
  }
  await write(real, { 'words/a': 'alpha' })
  {
    await using index = await openIndex({ path: folder.index, store: real, projections })
    await caughtUp(real, index)
  }
  await write(real, { 'words/b': 'beta' })
  {
    await using index = await openIndex({ path: folder.index, store, storeAway: true, projections })
    assert.equal(index.progress.state, 'following')
    assert.deepEqual(wordsIn(index), ['alpha'])
    isAway = false
    await until(() => index.progress.applied > 0)
    await caughtUp(real, index)
    assert.deepEqual(wordsIn(index), ['alpha', 'beta'])
  }
  // Of another store: it answers as it is, until it is known whose it is.
  await using other = await openSqliteStore(join(folder.path, 'other.db'))
  await write(other, { 'words/c': 'gamma' })
  await using index = await openIndex({ path: folder.index, store: other, storeAway: true, projections })
  assert.deepEqual(wordsIn(index), ['alpha', 'beta'])
  await until(() => index.progress.applied > 0)
  await caughtUp(other, index)
  assert.deepEqual(wordsIn(index), ['gamma'])
})

test('[F3] without a store and without a file there is nothing to answer', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  await write(store, { 'words/a': 'alpha' })
  await using index = await openIndex({ path: folder.index, store, storeAway: true, projections })
  assert.equal(index.progress.state, 'filling')
  await caughtUp(store, index)
  assert.deepEqual(wordsIn(index), ['alpha'])
})

test('[F3] damage that shows only later replaces the file in mid-run, and readers get the new one', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  for (let each = 0; each < 50; each += 1) await write(store, { [`words/${each}/x`]: 'word '.repeat(300) })
  {
    await using index = await openIndex({ path: folder.index, store, projections })
    await caughtUp(store, index)
  }
  // The tables of the projection are garbage, while what the index keeps of itself is sound.
  const db = new DatabaseSync(folder.index)
  const pages = db
    .prepare(`SELECT pageno FROM dbstat WHERE name IN ('words', 'words_folders')`)
    .all()
    .map((row) => Number(row.pageno))
  db.close()
  const file = await openFile(folder.index, 'r+')
  for (const page of pages) await file.write(Buffer.alloc(4_096, 0xa5), 0, 4_096, (page - 1) * 4_096)
  await file.close()

  const reports: IndexReport[] = []
  await using index = await openIndex({
    path: folder.index,
    store,
    projections,
    report: (report) => reports.push(report),
  })
  assert.equal(index.progress.state, 'following')
  const revision = await write(store, { 'words/new/x': 'new' })
  await until(() => index.revision >= revision && index.progress.applied >= 51)
  await assertTrue(store, index)
  const reader = index.reader<typeof Queries>(queries)
  assert.deepEqual(await reader.words('words/new/'), ['new'])
  assert.ok(reports.some((report) => 'trouble' in report && isCoded(report.trouble, 'STORE_CORRUPT')))
})

test('[F3] kill -9 in mid-apply: the next process goes on, and ends with what the facts say', async (context) => {
  await using folder = await createFolder()
  const seed = Math.floor(Math.random() * 2 ** 31)
  context.diagnostic(`seed ${seed}`)
  for (let round = 0; round < 3; round += 1) {
    const child = fork(new URL('./fixtures/follower.ts', import.meta.url))
    child.send(folder.path)
    let left = 1 + ((seed >> (round * 4)) % 60)
    child.on('message', () => {
      left -= 1
      if (left === 0) child.kill('SIGKILL')
    })
    const [, signal] = await once(child, 'exit')
    assert.equal(signal, 'SIGKILL')
  }
  await using store = await openSqliteStore(folder.store)
  await using index = await openIndex({ path: folder.index, store, projections })
  assert.equal(index.progress.state, 'following')
  await caughtUp(store, index)
  await assertTrue(store, index)
})

test('[F3] what was compacted while the index was away is found by listing, deletions too', async () => {
  await using folder = await createFolder()
  await using store = await openSqliteStore(folder.store)
  const words = Object.fromEntries(Array.from({ length: 100 }, (_, each) => [`words/${each}/x`, 'old']))
  {
    await using index = await openIndex({ path: folder.index, store, projections })
    for (let group = 0; group < 6; group += 1) {
      await write(store, Object.fromEntries(Object.keys(words).map((key) => [`${key}/${group}`, 'old'])))
    }
    await caughtUp(store, index)
  }
  for (const each of [0, 5, 50, 99]) {
    await write(store, {
      [`words/${each}/x/1`]: null,
      [`words/${each}/x/2`]: 'new',
      [`words/${each}/y`]: 'made',
    })
  }
  await store.compact((await store.status()).revision)
  await write(store, { 'more/last/x': 'last' })

  await using index = await openIndex({ path: folder.index, store, projections })
  await caughtUp(store, index)
  await assertTrue(store, index)
  // What had not changed was not applied again.
  assert.equal(index.progress.applied, 13)
})

test('a fact that cannot be read is reported and passed over, and the next version of it counts', async () => {
  const reports: IndexReport[] = []
  await using opened = await open({ report: (report) => reports.push(report) })
  const { store, index } = opened
  await index.waitFor(await write(store, { 'words/a/1': 'unreadable', 'words/a/2': 'fine' }))
  assert.deepEqual(index.db.prepare('SELECT word FROM words').all(), [{ __proto__: null, word: 'fine' }])
  const [report] = reports
  assert.ok(report !== undefined && 'skipped' in report && reports.length === 1)
  assert.deepEqual(
    report.skipped.map(({ key }) => key),
    ['words/a/1'],
  )
  assert.match(report.skipped[0]?.reason ?? '', /nobody can read this/)
  assert.equal(index.progress.skipped, 1)
  await index.waitFor(await write(store, { 'words/a/1': 'mended' }))
  await assertTrue(store, index)
})

test('a listener hears what changed, in order, and no more than it can bear', async () => {
  await using opened = await openShared()
  const { store, index } = opened
  const steps: IndexStep[] = []
  const stop = index.subscribe((step) => steps.push(step))
  const revision = await write(store, { 'words/a/1': 'do', 'more/x': 'x', 'elsewhere/x': 'x' })
  await index.waitFor(revision)
  assert.deepEqual(steps, [{ revision, keys: ['words/a/1', 'more/x'], more: false }])
  await index.waitFor(await write(store, { 'elsewhere/y': 'y' }))
  assert.equal(steps.length, 1)
  await Promise.all(
    Array.from({ length: 30 }, (_, group) =>
      write(
        store,
        Object.fromEntries(Array.from({ length: 100 }, (_, each) => [`words/${group}/${each}`, 'x'])),
      ),
    ),
  )
  await caughtUp(store, index)
  assert.ok(steps.every((step) => step.keys.length <= 1_000))
  const named = steps.slice(1).reduce((sum, step) => sum + step.keys.length, 0)
  assert.ok(named === 3_000 || steps.some((step) => step.more))
  stop()
  const before = steps.length
  await index.waitFor(await write(store, { 'words/a/1': 'again' }))
  assert.equal(steps.length, before)
})

test('questions run in the reader thread, typed, with their errors and their signals', async () => {
  await using opened = await openShared()
  const { store, index } = opened
  await index.waitFor(await write(store, { 'words/a/1': 'do', 'words/a/2': 're' }))
  const reader = index.reader<typeof Queries>(queries)
  assert.deepEqual(await reader.words('words/a/'), ['do', 're'])
  assert.deepEqual(await reader.words('words/a/', 1), ['do'])
  await assert.rejects(
    reader.refuse(),
    (error) => isCoded(error, 'NOT_FOUND') && error.detail === 'no such word',
  )
  await assert.rejects(reader.stumble(), /a fault/)
  await assert.rejects(reader.scribble(), coded('DISK_READ_ONLY'))
  assert.throws(() => index.db.exec('DELETE FROM words'), /readonly/)

  const reason = new Error('typed on')
  const typing = new AbortController()
  const [slow, abandoned] = [reader.count(200_000), reader.count(100, typing.signal)]
  typing.abort(reason)
  await assert.rejects(abandoned, reason)
  assert.equal(await slow, 200_000)
  await assert.rejects(reader.words('', 1, AbortSignal.abort(reason)), reason)
})

test('a question that takes too long is given up, and the next one is answered by a new thread', async (context) => {
  await using opened = await open()
  const { store, index } = opened
  await index.waitFor(await write(store, { 'words/a/1': 'do' }))
  const reader = index.reader<typeof Queries>(queries)
  await reader.words('words/')
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const endless = reader.hold(new SharedArrayBuffer(8))
  const next = reader.words('words/')
  await new Promise((resolve) => setImmediate(resolve))
  context.mock.timers.tick(10_000)
  await assert.rejects(endless, coded('TIMED_OUT'))
  context.mock.timers.reset()
  assert.deepEqual(await next, ['do'])
})

test('who waits behind a question that takes long is answered by a second thread', async () => {
  await using opened = await open()
  const { store, index } = opened
  await index.waitFor(await write(store, { 'words/a/1': 'do' }))
  const reader = index.reader<typeof Queries>(queries)
  const until = new Int32Array(new SharedArrayBuffer(8))
  let isHeld = true
  const held = reader.hold(until.buffer).finally(() => {
    isHeld = false
  })
  const behind = ['words/', 'words/a/'].map((prefix) => reader.words(prefix))
  assert.deepEqual(await Promise.all(behind), [['do'], ['do']])
  assert.ok(isHeld)
  // What has been written since is found there as well.
  await index.waitFor(await write(store, { 'words/a/2': 're' }))
  assert.deepEqual(await reader.words('words/'), ['do', 're'])
  assert.ok(isHeld)
  // Until then it waits for nothing else, or has not begun to.
  Atomics.store(until, 0, 1)
  Atomics.notify(until, 0)
  assert.match(await held, /^(ok|not-equal)$/)
})

test('two halves of a question are soon run at the same time', async () => {
  await using opened = await open()
  const halves = opened.index.reader<typeof Queries>(queries, { halves: true })
  // The first ones run one after another, while the second reader starts.
  const deadline = AbortSignal.timeout(60_000)
  for (let met = false; !met; ) {
    deadline.throwIfAborted()
    const memory = new SharedArrayBuffer(4)
    met = (await Promise.all([halves.meet(memory), halves.meet(memory)])).includes(true)
  }
})

test('who waits while both readers are ended for new ones is answered by those', async () => {
  await using opened = await open()
  const { folder, store, index } = opened
  await index.waitFor(await write(store, { 'words/a/1': 'do' }))
  const queue = createQuestionQueue(folder.index)
  const ask = (name: string, ...args: readonly unknown[]) => queue.ask({ module: queries.href, name, args })
  const long = ask('hold', new SharedArrayBuffer(8))
  await ask('words', 'words/')
  // That was the second reader. Once it is busy as well, the next question waits for either.
  const numbers = new Int32Array(new SharedArrayBuffer(8))
  const other = ask('hold', numbers.buffer)
  await Atomics.waitAsync(numbers, 1, 0, 60_000).value
  const ready = ask('words', 'words/')
  await Promise.all([queue.restart(), Promise.allSettled([long, other])])
  assert.deepEqual(await ready, ['do'])
  await queue.restart()
})

test('a closed index rejects who still waits', async () => {
  const opened = await open()
  const waiting = opened.index.waitFor(1_000_000)
  const rejected = assert.rejects(waiting, coded('UNREACHABLE'))
  await opened[Symbol.asyncDispose]()
  await rejected
})
