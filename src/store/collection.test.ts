import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { shareStore } from '../../test/fixtures/ground.ts'
import { type ErrorCode, isCoded } from '../protocol/errors.ts'
import { create, defineCollection, join, transact, update } from './collection.ts'

const coded = (code: ErrorCode) => (error: unknown) => isCoded(error, code)

const open = shareStore()

async function gather<Each>(source: AsyncIterable<Each>): Promise<Each[]> {
  const all: Each[] = []
  for await (const each of source) all.push(each)
  return all
}

/** The same collection as three versions of the program know it. */
const first = defineCollection({
  prefix: 'songs/',
  version: 1,
  schema: z.object({ name: z.string() }),
})
const second = defineCollection({
  prefix: 'songs/',
  version: 2,
  schema: z.object({ title: z.string(), year: z.int().optional() }),
  upgrades: { 1: (data) => ({ title: z.object({ name: z.string() }).parse(data).name }) },
})
const third = defineCollection({
  prefix: 'songs/',
  version: 3,
  schema: z.object({ title: z.string(), years: z.array(z.int()) }),
  upgrades: {
    1: (data) => ({ title: z.object({ name: z.string() }).parse(data).name }),
    2: (data) => {
      const { title, year } = z.object({ title: z.string(), year: z.int().optional() }).parse(data)
      return { title, years: year === undefined ? [] : [year] }
    },
  },
})

test('a fact comes back as it was written, compressed or not, and each form reads the other', () => {
  const schema = z.object({ text: z.string(), list: z.array(z.number()) })
  const plain = defineCollection({ prefix: 'p/', version: 1, schema })
  const compressed = defineCollection({ prefix: 'p/', version: 1, schema, compress: true })
  fc.assert(
    fc.property(
      fc.record(
        { text: fc.string({ unit: 'grapheme' }), list: fc.array(fc.integer()) },
        { noNullPrototype: true },
      ),
      (value) => {
        for (const writer of [plain, compressed]) {
          for (const reader of [plain, compressed]) {
            assert.deepEqual(reader.decode(writer.encode(value)), value)
          }
        }
      },
    ),
  )
  const repetitive = { text: 'la '.repeat(10_000), list: [] }
  assert.ok(compressed.encode(repetitive).length < 200)
  const short = { text: 'la', list: [] }
  assert.deepEqual(compressed.encode(short), plain.encode(short))
})

test('[F5] an old fact is upgraded, step by step, when it is read', async () => {
  const store = await open()
  await store.commit(first.create('one', { name: 'Volver' }))
  await store.commit(second.create('two', { title: 'Naima', year: 1959 }))
  assert.deepEqual((await second.get(store, 'one'))?.value, { title: 'Volver' })
  assert.deepEqual((await third.get(store, 'one'))?.value, { title: 'Volver', years: [] })
  assert.deepEqual((await third.get(store, 'two'))?.value, { title: 'Naima', years: [1959] })
  // Writing it again keeps the new form.
  await update(store, third, 'one', (song) => song && { ...song, years: [2006] })
  assert.deepEqual((await third.get(store, 'one'))?.value, { title: 'Volver', years: [2006] })
})

test('[F5] a newer fact is neither read nor written over by an older node', async () => {
  const store = await open()
  await store.commit(third.create('new', { title: 'Sodade', years: [1992] }))
  const { revision } = await store.commit(first.create('old', { name: 'Volver' }))
  const bytes = (await store.get('songs/new'))?.value

  await assert.rejects(second.get(store, 'new'), coded('FACT_NEWER'))
  await assert.rejects(
    update(store, second, 'new', () => ({ title: 'x' })),
    coded('FACT_NEWER'),
  )
  await assert.rejects(
    update(store, second, 'new', () => null),
    coded('FACT_NEWER'),
  )
  assert.deepEqual(await store.commit(second.create('new', { title: 'x' })), { ok: false, revision })

  const page = await second.list(store)
  assert.deepEqual(
    page.facts.map((fact) => [fact.id, fact.value]),
    [['old', { title: 'Volver' }]],
  )
  assert.deepEqual(
    page.unreadable.map(({ id, error }) => [id, isCoded(error, 'FACT_NEWER')]),
    [['new', true]],
  )
  await assert.rejects(gather(second.walk(store)), coded('FACT_NEWER'))
  const skipped: string[] = []
  const walked = await gather(second.walk(store, { skip: (id) => skipped.push(id) }))
  assert.deepEqual([walked.map((fact) => fact.id), skipped], [['old'], ['new']])
  assert.deepEqual((await store.get('songs/new'))?.value, bytes)
})

test('[F5] facts that are taken as they were written are upgraded too, and a newer one is refused', () => {
  const old = first.encode({ name: 'Sun' })
  assert.deepEqual(third.decodeWritten(old), third.decode(old))
  assert.deepEqual(third.decodeWritten(third.encode({ title: 'Sun', years: [1999] })), {
    title: 'Sun',
    years: [1999],
  })
  assert.throws(() => first.decodeWritten(second.encode({ title: 'Sun' })), coded('FACT_NEWER'))
  assert.throws(() => first.decodeWritten(Buffer.from('{"v":1,"d":7}')), coded('FACT_DAMAGED'))
  assert.throws(() => first.decodeWritten(Buffer.from('{"v":1')), coded('FACT_DAMAGED'))
})

test('damage is told by code, whatever form it has', () => {
  const text = (value: string) => new TextEncoder().encode(value)
  const zstd = defineCollection({
    prefix: 'z/',
    version: 1,
    schema: z.object({ name: z.string() }),
    compress: true,
  }).encode({ name: 'x'.repeat(1_000) })
  const damaged = [
    new Uint8Array(0),
    text('nonsense'),
    text('{}'),
    text('{"v":0,"d":{"name":"x"}}'),
    text('{"v":"1","d":{"name":"x"}}'),
    text('{"v":1,"d":{"title":"x"}}'),
    text('[]'),
    text('null'),
    new Uint8Array([0x7b, 0xff, 0xfe]),
    zstd.subarray(0, 10),
    zstd.map((byte, place) => (place === 12 ? byte ^ 0xff : byte)),
    new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]),
  ]
  for (const bytes of damaged) assert.throws(() => first.decode(bytes), coded('FACT_DAMAGED'))
})

test('a compressed fact cannot unfold without bound', () => {
  const bomb = defineCollection({ prefix: 'b/', version: 1, schema: z.string(), compress: true })
  const bytes = bomb.encode('x'.repeat(65 * 1_048_576))
  assert.ok(bytes.length < 100_000)
  assert.throws(() => bomb.decode(bytes), coded('FACT_DAMAGED'))
})

test('a value that does not fit its schema is not written', () => {
  const short = defineCollection({ prefix: 's/', version: 1, schema: z.string().max(3) })
  assert.throws(() => short.create('a', 'long'), coded('BAD_REQUEST'))
})

test('a collection whose upgrades have a gap cannot be defined', () => {
  const define = () =>
    defineCollection({ prefix: 's/', version: 3, schema: z.string(), upgrades: { 2: (data) => data } })
  assert.throws(define, /version 1/)
})

test('a walk meets every fact below a folder once, over many pages', async () => {
  const store = await open()
  for (let group = 0; group < 11; group += 1) {
    const songs = Array.from({ length: 100 }, (_, each) => first.create(`a/${group}-${each}`, { name: 'x' }))
    await store.commit(join(...songs))
  }
  await store.commit(join(first.create('b/1', { name: 'x' }), first.create('b/2', { name: 'y' })))
  const ids = (await gather(first.walk(store, { under: 'a/' }))).map((fact) => fact.id)
  assert.equal(new Set(ids).size, 1_100)
  assert.deepEqual(
    (await first.list(store, { under: 'b/', after: 'b/1' })).facts.map((fact) => fact.id),
    ['b/2'],
  )
})

test('[F2] updates that meet one another all count, and say what they wrote', async () => {
  const store = await open()
  const counter = defineCollection({ prefix: 'n/', version: 1, schema: z.int() })
  const results = await Promise.all(
    Array.from({ length: 10 }, () => update(store, counter, 'one', (count) => (count ?? 0) + 1)),
  )
  assert.deepEqual(
    results.map((result) => result.value).toSorted((one, other) => Number(one) - Number(other)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  assert.equal((await counter.get(store, 'one'))?.revision, Math.max(...results.map((each) => each.revision)))
  const { revision } = await store.status()
  assert.equal((await update(store, counter, 'one', (count) => count)).revision, revision)
  assert.equal((await update(store, counter, 'one', () => null)).value, null)
  assert.equal(await counter.get(store, 'one'), null)
  assert.equal((await update(store, counter, 'one', () => null)).revision, revision + 1)
})

test('[F2] what is created never takes the place of what is there', async () => {
  const store = await open()
  const { revision } = await create(store, first, 'one', { name: 'x' })
  await assert.rejects(create(store, first, 'one', { name: 'y' }), coded('CONFLICT'))
  assert.deepEqual(await first.get(store, 'one'), { id: 'one', value: { name: 'x' }, revision })
})

test('a transaction that never holds ends as a conflict', async () => {
  const store = await open()
  const operation = first.replace('absent', 7, { name: 'x' })
  await assert.rejects(
    transact(store, async () => ({ operation, value: null })),
    coded('CONFLICT'),
  )
})
