import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { isCoded } from '../protocol/errors.ts'
import { defineCollection, update } from './collection.ts'
import { limits } from './limits.ts'
import type { Batch, Entry, Outcome, Store, Write } from './store.ts'

/**
 * What every driver of the store must do, as one suite. `open` gives each test a store without facts, which may have
 * served the tests before; `openOwn` one that is closed when the test disposes of it.
 * A driver's own test file calls this, and adds what only it has (files, processes, networks).
 */
export function storeContract(driver: string, open: Open, openOwn: Open = open): void {
  describe(`the store contract: ${driver}`, () => {
    transactions(open)
    lists(open)
    watches(open)
    compaction(open)
    leases(open)
    waiting(open, openOwn)
    boundaries(open)
    races(open)
    versions(open)
    model(open)
  })
}

type Open = () => Promise<Store>

const bytes = (text: string) => new TextEncoder().encode(text)
const string = (value: Uint8Array | null | undefined) =>
  value === null || value === undefined ? null : new TextDecoder().decode(value)
const put = (key: string, value: string, lease?: string): Write =>
  lease === undefined ? { key, value: bytes(value) } : { key, value: bytes(value), lease }
const gone = (key: string): Write => ({ key, value: null })

/** Commits without conditions what must succeed. */
async function write(store: Store, ...writes: Write[]): Promise<number> {
  const outcome = await store.commit({ conditions: [], writes })
  assert.equal(outcome.ok, true)
  return outcome.revision
}

async function all(store: Store, prefix: string, limit?: number): Promise<Entry[]> {
  const entries: Entry[] = []
  let after: string | undefined
  for (let more = true; more; ) {
    const page = await store.list(prefix, {
      ...(after === undefined ? {} : { after }),
      ...(limit === undefined ? {} : { limit }),
    })
    entries.push(...page.entries)
    after = page.entries.at(-1)?.key
    more = page.more
  }
  return entries
}

/** The batches that hold changes, until `count` of them have come. */
async function collect(store: Store, prefix: string, revision: number, count: number): Promise<Batch[]> {
  const batches: Batch[] = []
  if (count === 0) return batches
  const enough = new AbortController()
  const deadline = AbortSignal.timeout(20_000)
  try {
    for await (const batch of store.watch(prefix, revision, AbortSignal.any([enough.signal, deadline]))) {
      if (batch.changes.length > 0) batches.push(batch)
      if (batches.length >= count) enough.abort()
    }
  } catch (error) {
    if (!enough.signal.aborted) throw error
  }
  return batches
}

const plain = (batches: readonly Batch[]) =>
  batches.map(({ revision, changes }) => ({
    revision,
    changes: changes.map(({ key, value }) => [key, string(value)]),
  }))

function transactions(open: Open) {
  test('[F2] a key is made, read, replaced and deleted, each under the revision it was read at', async () => {
    await using store = await open()
    assert.equal(await store.get('a'), null)
    const made = await store.commit({ conditions: [{ key: 'a', revision: 0 }], writes: [put('a', '1')] })
    assert.equal(made.ok, true)
    const read = await store.get('a')
    assert.deepEqual([read?.key, string(read?.value), read?.revision], ['a', '1', made.revision])
    const replaced = await store.commit({
      conditions: [{ key: 'a', revision: made.revision }],
      writes: [put('a', '2')],
    })
    assert.equal(replaced.ok, true)
    assert.ok(replaced.revision > made.revision)
    const deleted = await store.commit({
      conditions: [{ key: 'a', revision: replaced.revision }],
      writes: [gone('a')],
    })
    assert.equal(deleted.ok, true)
    assert.equal(await store.get('a'), null)
    // After a deletion the key does not exist, so it can be made again.
    assert.equal(
      (await store.commit({ conditions: [{ key: 'a', revision: 0 }], writes: [put('a', '3')] })).ok,
      true,
    )
  })

  test('[F2] a condition that does not hold changes nothing, and says the revision', async () => {
    await using store = await open()
    const revision = await write(store, put('a', '1'))
    for (const conditions of [
      [{ key: 'a', revision: 0 }],
      [{ key: 'a', revision: revision + 1 }],
      [{ key: 'b', revision }],
      [
        { key: 'a', revision },
        { key: 'b', revision },
      ],
    ]) {
      const outcome = await store.commit({ conditions, writes: [put('a', 'x'), put('c', 'x')] })
      assert.deepEqual(outcome, { ok: false, revision })
    }
    assert.equal(string((await store.get('a'))?.value), '1')
    assert.equal(await store.get('c'), null)
  })

  test('[F2] a transaction is made whole, under one revision', async () => {
    await using store = await open()
    await write(store, put('b', 'old'))
    const revision = await write(store, put('a', '1'), put('c', '3'), gone('b'))
    assert.deepEqual(
      (await all(store, '')).map((entry) => [entry.key, entry.revision]),
      [
        ['a', revision],
        ['c', revision],
      ],
    )
  })

  test('a transaction that changes nothing makes no revision', async () => {
    await using store = await open()
    const revision = await write(store, put('a', '1'))
    assert.equal(await write(store, gone('never there')), revision)
    assert.deepEqual(await store.commit({ conditions: [{ key: 'a', revision }], writes: [] }), {
      ok: true,
      revision,
    })
  })

  test('a value may be empty, and is not confused with none', async () => {
    await using store = await open()
    const revision = await write(store, put('a', ''))
    assert.equal((await store.get('a'))?.value.length, 0)
    assert.deepEqual(plain(await collect(store, '', revision - 1, 1)), [{ revision, changes: [['a', '']] }])
  })

  test('a store has an identity and counts its revisions', async () => {
    await using store = await open()
    const before = await store.status()
    assert.ok(before.id.length > 0)
    const revision = await write(store, put('a', '1'))
    assert.ok(revision > before.revision)
    const after = await store.status()
    assert.equal(after.id, before.id)
    assert.equal(after.revision, revision)
    assert.ok(after.bytes > 0)
  })
}

/** Keys whose order by UTF-16 differs from that by bytes, and keys that patterns and globs would stumble over. */
const oddKeys = [
  'a/%',
  'a/*',
  'a/[x]',
  'a/_',
  "a/'",
  'a/"',
  'a/\\',
  'a/é',
  'a/e\u0301',
  'a/ﬀ',
  'a/𝄞',
  'a/\u{10FFFF}',
  'a/b/c',
  'a0',
  'A/x',
]

function lists(open: Open) {
  test('a list is in the order of bytes, and knows its prefix from its neighbours', async () => {
    await using store = await open()
    await write(store, ...oddKeys.map((key) => put(key, key)))
    const sorted = oddKeys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    assert.deepEqual(
      (await all(store, '')).map((entry) => entry.key),
      sorted,
    )
    for (const prefix of ['a/', 'a/_', 'a/%', 'a/𝄞', 'a', 'A', 'nothing/']) {
      assert.deepEqual(
        (await all(store, prefix)).map((entry) => entry.key),
        sorted.filter((key) => key.startsWith(prefix)),
        prefix,
      )
    }
  })

  test('pages follow one another without gap or repetition, at any size', async () => {
    await using store = await open()
    await write(store, ...oddKeys.map((key) => put(key, key)))
    for (const limit of [1, 2, 7, 1_000]) {
      assert.equal((await all(store, '', limit)).length, oddKeys.length)
      const page = await store.list('', { limit })
      assert.ok(page.entries.length <= limit)
      assert.equal(page.more, oddKeys.length > limit)
    }
    const none = await store.list('a/', { after: 'zzz' })
    assert.deepEqual([none.entries, none.more], [[], false])
    const fromBefore = await store.list('a/', { after: 'A' })
    assert.equal(fromBefore.entries[0]?.key, 'a/"')
  })

  test('a page is bounded in entries and in bytes', async () => {
    await using store = await open()
    for (let group = 0; group < 9; group += 1) {
      await write(store, ...Array.from({ length: 125 }, (_, each) => put(`many/${group}-${each}`, 'x')))
    }
    const page = await store.list('many/')
    assert.deepEqual([page.entries.length, page.more], [limits.pageEntries, true])
    assert.equal((await all(store, 'many/')).length, 1_125)

    const large = new Uint8Array(limits.valueBytes)
    for (let each = 0; each < 5; each += 1) await write(store, { key: `large/${each}`, value: large })
    const bounded = await store.list('large/')
    assert.ok(bounded.entries.length < 5 && bounded.more)
    assert.equal((await all(store, 'large/')).length, 5)
  })

  test('a page says the revision at which it was read', async () => {
    await using store = await open()
    const revision = await write(store, put('a', '1'), put('b', '1'))
    assert.equal((await store.list('')).revision, revision)
    await write(store, put('elsewhere', '1'))
    assert.equal((await store.list('a')).revision, revision + 1)
  })
}

function watches(open: Open) {
  test('a watch from the past tells everything since, a transaction in one batch', async () => {
    await using store = await open()
    const start = (await store.status()).revision
    await write(store, put('a/1', 'x'), put('a/2', 'x'), put('b/1', 'x'))
    await write(store, put('b/2', 'x'))
    await write(store, gone('a/1'), put('a/2', 'y'))
    assert.deepEqual(plain(await collect(store, 'a/', start, 2)), [
      {
        revision: start + 1,
        changes: [
          ['a/1', 'x'],
          ['a/2', 'x'],
        ],
      },
      {
        revision: start + 3,
        changes: [
          ['a/1', null],
          ['a/2', 'y'],
        ],
      },
    ])
    assert.deepEqual(
      (await collect(store, '', start + 1, 2)).map((batch) => batch.revision),
      [start + 2, start + 3],
    )
  })

  test('a watch tells of what happens while it waits', async () => {
    await using store = await open()
    const { revision } = await store.status()
    const seen = collect(store, 'a', revision, 3)
    for (const value of ['1', '2', '3']) await write(store, put('a', value))
    assert.deepEqual(
      plain(await seen).map((batch) => batch.changes[0]?.[1]),
      ['1', '2', '3'],
    )
  })

  test('a watcher of a quiet prefix learns how far it has read', async () => {
    await using store = await open()
    const { revision } = await store.status()
    const last = await write(store, put('elsewhere', '1'))
    const signal = AbortSignal.timeout(20_000)
    for await (const batch of store.watch('quiet/', revision, signal)) {
      assert.deepEqual(batch.changes, [])
      if (batch.revision >= last) break
    }
  })

  test('watches begun at any moment among concurrent writes miss nothing and repeat nothing', async () => {
    await using store = await open()
    const { revision: start } = await store.status()
    const total = 300
    const watchers: Promise<Batch[]>[] = []
    const writers = Array.from({ length: 3 }, async (_, writer) => {
      for (let each = 0; each < total / 3; each += 1) {
        await write(store, put(`w/${writer}`, String(each)), put(`w/${writer}/${each}`, 'x'))
        if (each % 20 === 0) watchers.push(collect(store, 'w/', start, total))
      }
    })
    await Promise.all(writers)
    const expected = Array.from({ length: total }, (_, each) => start + 1 + each)
    for (const batches of await Promise.all(watchers)) {
      assert.deepEqual(
        batches.map((batch) => batch.revision),
        expected,
      )
      assert.ok(batches.every((batch) => batch.changes.length === 2))
    }
  })

  test('list, then watch from the first page: the follower ends with what the store has', async () => {
    await using store = await open()
    for (let each = 0; each < 60; each += 1) await write(store, put(`k/${each}`, 'old'))
    const mirror = new Map<string, string | null>()
    let from: number | undefined
    let after: string | undefined
    for (let more = true; more; ) {
      const page = await store.list('k/', { limit: 7, ...(after === undefined ? {} : { after }) })
      from ??= page.revision
      for (const entry of page.entries) mirror.set(entry.key, string(entry.value))
      after = page.entries.at(-1)?.key
      more = page.more
      await write(store, put(`k/${mirror.size}`, 'new'), gone(`k/${59 - mirror.size / 7}`))
    }
    const { revision } = await store.status()
    const signal = AbortSignal.timeout(20_000)
    for await (const batch of store.watch('k/', from ?? 0, signal)) {
      for (const { key, value } of batch.changes) {
        if (value === null) mirror.delete(key)
        else mirror.set(key, string(value))
      }
      if (batch.revision >= revision) break
    }
    assert.deepEqual(
      [...mirror].toSorted(),
      (await all(store, 'k/')).map((entry) => [entry.key, string(entry.value)]).toSorted(),
    )
  })

  test('a slow watcher does not hold the writers up, and misses nothing', async () => {
    await using store = await open()
    const { revision: start } = await store.status()
    const ended = new AbortController()
    const watch = store.watch('', start, AbortSignal.any([ended.signal, AbortSignal.timeout(20_000)]))
    const iterator = watch[Symbol.asyncIterator]()
    const first = iterator.next()
    const large = 'x'.repeat(50_000)
    for (let each = 0; each < 100; each += 1) await write(store, put(`k/${each}`, large))
    const seen = [(await first).value]
    while (seen.length < 100) seen.push((await iterator.next()).value)
    assert.deepEqual(
      seen.map((batch) => batch?.revision),
      Array.from({ length: 100 }, (_, each) => start + 1 + each),
    )
    ended.abort()
  })
}

function compaction(open: Open) {
  test('who watches from before the compaction is told to list again; what is current stays', async () => {
    await using store = await open()
    const first = await write(store, put('a', '1'), put('b', '1'))
    const second = await write(store, put('a', '2'))
    const third = await write(store, put('a', '3'), gone('b'))
    await store.compact(second)
    await assert.rejects(collect(store, '', first - 1, 1), (error) => isCoded(error, 'COMPACTED'))
    await assert.rejects(collect(store, '', first, 1), (error) => isCoded(error, 'COMPACTED'))
    assert.deepEqual(plain(await collect(store, '', second, 1)), [
      {
        revision: third,
        changes: [
          ['a', '3'],
          ['b', null],
        ],
      },
    ])
    assert.deepEqual(
      (await all(store, '')).map((entry) => [entry.key, string(entry.value)]),
      [['a', '3']],
    )
    assert.equal((await store.status()).revision, third)
    await store.compact(third)
    const fourth = await write(store, put('c', '1'))
    assert.equal(fourth, third + 1)
    assert.deepEqual(
      (await collect(store, '', third, 1)).map((batch) => batch.revision),
      [fourth],
    )
  })

  test('a watcher that the compaction overtakes gets COMPACTED, not a gap', async () => {
    await using store = await open()
    const { revision } = await store.status()
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(20_000)])
    const iterator = store.watch('', revision, signal)[Symbol.asyncIterator]()
    await write(store, put('a', '0'))
    const seen: number[] = [(await iterator.next()).value?.revision]
    // It stands here without reading on, while history passes by and is dropped.
    for (let each = 1; each < 50; each += 1) await write(store, put('a', String(each)))
    await store.compact((await store.status()).revision - 1)
    const outcome = await (async () => {
      for (;;) {
        const { value } = await iterator.next()
        seen.push(value?.revision)
        if (value?.revision === revision + 50) return 'everything'
      }
    })().catch((error) => (isCoded(error, 'COMPACTED') ? 'compacted' : Promise.reject(error)))
    assert.ok(outcome === 'everything' || outcome === 'compacted')
    assert.deepEqual(
      seen,
      seen.map((_, place) => revision + 1 + place),
    )
    ended.abort()
  })
}

function leases(open: Open) {
  test('revoking a lease deletes its keys, and a watcher hears of it', async () => {
    await using store = await open()
    const lease = await store.grant(60)
    await write(store, put('mine', '1', lease), put('free', '1'))
    const { revision } = await store.status()
    assert.equal(await store.renew(lease), true)
    await store.revoke(lease)
    assert.equal(await store.get('mine'), null)
    assert.notEqual(await store.get('free'), null)
    assert.equal(await store.renew(lease), false)
    assert.deepEqual(
      plain(await collect(store, '', revision, 1)).map((batch) => batch.changes),
      [[['mine', null]]],
    )
    await assert.rejects(write(store, put('late', '1', lease)), (error) => isCoded(error, 'LEASE_ENDED'))
    assert.equal(await store.get('late'), null)
  })

  test('a lease that nobody renews ends, and one that is renewed does not', async () => {
    await using store = await open()
    const short = await store.grant(1)
    const kept = await store.grant(2)
    await write(store, put('short', '1', short), put('kept', '1', kept))
    const { revision } = await store.status()
    const renewing = setInterval(() => void store.renew(kept).catch(() => undefined), 200)
    try {
      const [end] = await collect(store, '', revision, 1)
      assert.deepEqual(end?.changes, [{ key: 'short', value: null }])
      assert.notEqual(await store.get('kept'), null)
      assert.equal(await store.renew(short), false)
    } finally {
      clearInterval(renewing)
    }
  })

  test('whoever reads a key or watches it learns under which lease it stands', async () => {
    await using store = await open()
    const { revision } = await store.status()
    const lease = await store.grant(60)
    await write(store, put('free', '1'), put('mine', '1', lease))
    assert.deepEqual([(await store.get('free'))?.lease, (await store.get('mine'))?.lease], [undefined, lease])
    assert.deepEqual(
      (await all(store, '')).map((entry) => entry.lease),
      [undefined, lease],
    )
    const [batch] = await collect(store, '', revision, 1)
    assert.deepEqual(
      batch?.changes.map((change) => change.lease),
      [undefined, lease],
    )
  })

  test('a key written again without the lease outlives it', async () => {
    await using store = await open()
    const lease = await store.grant(60)
    await write(store, put('a', '1', lease))
    await write(store, put('a', '2'))
    await store.revoke(lease)
    assert.equal(string((await store.get('a'))?.value), '2')
  })

  test('a lease holds more keys than a transaction', async () => {
    await using store = await open()
    const lease = await store.grant(60)
    for (let group = 0; group < 3; group += 1) {
      await write(store, ...Array.from({ length: 100 }, (_, each) => put(`l/${group}/${each}`, 'x', lease)))
    }
    await store.revoke(lease)
    assert.deepEqual(await all(store, 'l/'), [])
  })
}

function waiting(open: Open, openOwn: Open) {
  test('every call ends with the reason of its signal', async () => {
    await using store = await open()
    const reason = new Error('no longer wanted')
    const signal = AbortSignal.abort(reason)
    const calls = [
      store.get('a', signal),
      store.list('', {}, signal),
      store.commit({ conditions: [], writes: [put('a', '1')] }, signal),
      store.grant(1, signal),
      store.renew('1', signal),
      store.revoke('1', signal),
      store.compact(1, signal),
      store.status(signal),
      collectWith(store, signal),
    ]
    for (const call of calls) await assert.rejects(call, reason)
    assert.equal(await store.get('a'), null)
  })

  test('a watch that waits ends at once by its signal', async () => {
    await using store = await open()
    const reason = new Error('enough')
    const ended = new AbortController()
    const { revision } = await store.status()
    const watching = collectWith(store, ended.signal, revision)
    await store.status()
    ended.abort(reason)
    await assert.rejects(watching, reason)
  })

  test('after it is closed, a call is refused as unreachable', async () => {
    const store = await openOwn()
    await store[Symbol.asyncDispose]()
    await assert.rejects(store.get('a'), (error) => isCoded(error, 'UNREACHABLE'))
  })
}

async function collectWith(store: Store, signal: AbortSignal, revision = 0): Promise<void> {
  for await (const _batch of store.watch('', revision, signal)) {
    // Only its end is of interest.
  }
}

function boundaries(open: Open) {
  const many = (count: number) => Array.from({ length: count }, (_, each) => put(`k/${each}`, 'x'))

  test('the limits hold on both sides', async () => {
    await using store = await open()
    const refused = (writes: Write[], code: 'TOO_LARGE' | 'BAD_REQUEST') =>
      assert.rejects(store.commit({ conditions: [], writes }), (error) => isCoded(error, code))
    const { revision } = await store.status()

    await refused(many(limits.operations + 1), 'TOO_LARGE')
    await refused([{ key: 'a', value: new Uint8Array(limits.valueBytes + 1) }], 'TOO_LARGE')
    await refused([put('é'.repeat(513), '1')], 'TOO_LARGE')
    await refused(
      Array.from({ length: 5 }, (_, each) => ({ key: `${each}`, value: new Uint8Array(1_000_000) })),
      'TOO_LARGE',
    )
    for (const key of ['', 'a\nb', 'a\0b', '\ud800', 'a\u007f']) await refused([put(key, '1')], 'BAD_REQUEST')
    await refused([put('a', '1'), put('a', '2')], 'BAD_REQUEST')
    assert.equal((await store.status()).revision, revision)

    await write(store, ...many(limits.operations))
    await write(store, { key: 'a', value: new Uint8Array(limits.valueBytes) })
    await write(store, put('é'.repeat(512), '1'))
    assert.equal((await all(store, 'k/')).length, limits.operations)
  })
}

function races(open: Open) {
  test('[F2] of twelve that make the same key at once, exactly one wins', async () => {
    await using store = await open()
    for (let round = 0; round < 25; round += 1) {
      const key = `race/${round}`
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, each) =>
          store.commit({ conditions: [{ key, revision: 0 }], writes: [put(key, String(each))] }),
        ),
      )
      const winners = outcomes.flatMap((outcome: Outcome, each) => (outcome.ok ? [String(each)] : []))
      assert.equal(winners.length, 1)
      assert.equal(string((await store.get(key))?.value), winners[0])
    }
  })

  test('[F2] no update is lost among concurrent increments', async () => {
    await using store = await open()
    const increment = async () => {
      for (;;) {
        const entry = await store.get('counter')
        const next = String(Number(string(entry?.value) ?? 0) + 1)
        const condition = { key: 'counter', revision: entry?.revision ?? 0 }
        if ((await store.commit({ conditions: [condition], writes: [put('counter', next)] })).ok) return
      }
    }
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let each = 0; each < 20; each += 1) await increment()
      }),
    )
    assert.equal(string((await store.get('counter'))?.value), '160')
  })
}

function versions(open: Open) {
  const older = defineCollection({ prefix: 'songs/', version: 1, schema: z.object({ name: z.string() }) })
  const newer = defineCollection({
    prefix: 'songs/',
    version: 2,
    schema: z.object({ title: z.string() }),
    upgrades: { 1: (data) => ({ title: z.object({ name: z.string() }).parse(data).name }) },
  })

  test('[F5] an older fact is upgraded when it is read, and a newer one is safe from an older node', async () => {
    await using store = await open()
    await store.commit(older.create('old', { name: 'Volver' }))
    assert.deepEqual((await newer.get(store, 'old'))?.value, { title: 'Volver' })
    await store.commit(newer.create('new', { title: 'Sodade' }))
    const before = await store.get('songs/new')
    const overwriting = update(store, older, 'new', () => ({ name: 'lost' }))
    await assert.rejects(overwriting, (error) => isCoded(error, 'FACT_NEWER'))
    assert.equal((await store.commit(older.create('new', { name: 'lost' }))).ok, false)
    assert.deepEqual(await store.get('songs/new'), before)
  })
}

function model(open: Open) {
  test('[F2] any sequence of transactions leaves what a map would hold, and a watch retells it', async () => {
    const key = fc.constantFrom('a', 'a/b', 'a/b/c', 'b', '𝄞', '\u{FFFD}')
    const step = fc.record({
      conditions: fc.uniqueArray(fc.record({ key, fresh: fc.boolean(), absent: fc.boolean() }), {
        maxLength: 3,
        selector: (condition) => condition.key,
      }),
      writes: fc.uniqueArray(fc.record({ key, value: fc.option(fc.string({ maxLength: 20 })) }), {
        maxLength: 4,
        selector: (each) => each.key,
      }),
    })
    await using store = await open()
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        // Each run has a folder of its own, so that one store serves them all.
        runs += 1
        const folder = `run ${runs}/`
        const { revision: start } = await store.status()
        const expected = new Map<string, { value: string; revision: number }>()
        const history: { revision: number; changes: (string | null)[][] }[] = []
        let revision = start
        for (const { conditions, writes } of steps.map((each) => inFolder(each, folder))) {
          const asked = conditions.map(({ key, fresh, absent }) => ({
            key,
            revision: absent ? 0 : (expected.get(key)?.revision ?? 0) + (fresh ? 0 : 7_000),
          }))
          const holds = asked.every((each) => each.revision === (expected.get(each.key)?.revision ?? 0))
          const real = writes.filter((each) => each.value !== null || expected.has(each.key))
          if (holds && real.length > 0) {
            revision += 1
            history.push({ revision, changes: real.map((each) => [each.key, each.value]) })
            for (const each of real) {
              if (each.value === null) expected.delete(each.key)
              else expected.set(each.key, { value: each.value, revision })
            }
          }
          const outcome = await store.commit({
            conditions: asked,
            writes: writes.map((each) => (each.value === null ? gone(each.key) : put(each.key, each.value))),
          })
          assert.deepEqual(outcome, { ok: holds, revision })
        }
        const held = await all(store, folder)
        assert.deepEqual(
          new Map(held.map((entry) => [entry.key, { value: string(entry.value), revision: entry.revision }])),
          expected,
        )
        assert.deepEqual(plain(await collect(store, folder, start, history.length)), history)
      }),
      { numRuns: 100 },
    )
  })
}

/** The same step with its keys below `folder`. */
function inFolder<Condition extends { key: string }, Change extends { key: string }>(
  step: { conditions: Condition[]; writes: Change[] },
  folder: string,
) {
  const moved = <Each extends { key: string }>(each: Each) => ({ ...each, key: folder + each.key })
  return { conditions: step.conditions.map(moved), writes: step.writes.map(moved) }
}
