import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idSetOf } from '../members.ts'
import { openTestIndex } from '../test-index.ts'
import { walkRandomly } from './random.ts'
import type { Span } from './walk.ts'

/** Of many ids few, or nearly all. */
const ids = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 1, max: 3_000 }), { maxLength: 300 }),
  fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }).map((gone) => {
    const isGone = new Set(gone)
    return Array.from({ length: 300 }, (_, at) => at + 1).filter((id) => !isGone.has(id))
  }),
)
const every = { table: 'track', condition: '', parameters: [] } as const

test('a walk at random meets each item once, in one order, in pages of any size, by cursor and by offset', () => {
  using index = openTestIndex()
  fc.assert(
    fc.property(ids, fc.integer(), fc.integer({ min: 1, max: 40 }), (list, seed, limit) => {
      const members = idSetOf(list)
      const page = (span: Span) => walkRandomly(index.db, { members, filter: every, seed }, span)
      const whole = page({ limit: 1_000 })
      assert.deepEqual([...whole.items].sort(ascending), [...list].sort(ascending))
      assert.equal(whole.total(), list.length)
      const byCursor: number[] = []
      for (let cursor: string | undefined; ; ) {
        const { items, next } = page({ cursor, limit })
        byCursor.push(...items)
        if (next === undefined) break
        cursor = next
      }
      assert.deepEqual(byCursor, whole.items)
      for (let offset = 0; offset <= list.length; offset += 1 + Math.floor(list.length / 7)) {
        assert.deepEqual(page({ offset, limit }).items, whole.items.slice(offset, offset + limit))
      }
    }),
    { numRuns: 60 },
  )
})

test('what leaves a list moves nothing else in a walk', () => {
  using index = openTestIndex()
  fc.assert(
    fc.property(ids, fc.integer(), (list, seed) => {
      const highest = Math.max(0, ...list)
      const rest = list.filter((id) => id % 3 !== 0 || id === highest)
      const walk = (members: readonly number[]) =>
        walkRandomly(index.db, { members: idSetOf(members), filter: every, seed }, { limit: 1_000 }).items
      assert.deepEqual(
        walk(list).filter((id) => rest.includes(id)),
        walk(rest),
      )
    }),
    { numRuns: 60 },
  )
})

function ascending(a: number, b: number): number {
  return a - b
}
