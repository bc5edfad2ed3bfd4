import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openMemberFiller, openMembers, readMembers } from './members.ts'
import { openTestIndex } from './test-index.ts'

/** Ids of three chunks: dense in the first, where bits are written, and rare beyond. */
const edit = fc.record({
  list: fc.constantFrom(5, 101, 102),
  item: fc.oneof(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 4_090, max: 12_000 })),
  scope: fc.constantFrom(1, 2),
  isMember: fc.boolean(),
})
const transactions = fc.array(fc.array(edit, { maxLength: 600 }), { minLength: 1, maxLength: 4 })

test('the members of a list are what came and did not leave, whether followed or filled', () => {
  using index = openTestIndex()
  const enter = index.db.prepare('INSERT INTO entry (list, key, item, scope) VALUES (?, ?, ?, ?)')
  fc.assert(
    fc.property(transactions, (all) => {
      index.db.exec('DELETE FROM member; DELETE FROM entry')
      const members = openMembers(index.db)
      const expected = new Map<string, { list: number; item: number; scope: number }>()
      for (const edits of all) {
        for (const { isMember, ...entry } of edits) {
          const name = JSON.stringify(entry)
          if (expected.has(name) === isMember) continue
          members.count({ ...entry, delta: isMember ? 1 : -1 })
          if (isMember) expected.set(name, entry)
          else expected.delete(name)
        }
        members.finish()
      }
      const check = () => {
        for (const list of [5, 101, 102]) {
          for (const scopes of [[1], [2], [1, 2], null]) {
            const own = [...expected.values()].filter(
              (entry) => entry.list === list && (scopes === null || scopes.includes(entry.scope)),
            )
            const ids = [...new Set(own.map(({ item }) => item))].sort((a, b) => a - b)
            const found = readMembers(index.db, list, scopes)
            assert.deepEqual(found.all(), ids)
            assert.deepEqual(
              found.missing(),
              Array.from({ length: ids.at(-1) ?? 0 }, (_, at) => at + 1).filter((id) => !ids.includes(id)),
            )
            assert.deepEqual([found.count, found.highest], [ids.length, ids.at(-1) ?? 0])
            for (const id of [0, 1, 255, 4_095, 4_096, 11_999, 99_999])
              assert.equal(found.has(id), ids.includes(id))
          }
        }
      }
      check()
      const rows = () => index.db.prepare('SELECT * FROM member').all()
      const followed = rows()
      index.db.exec('DELETE FROM member')
      for (const { list, item, scope } of expected.values())
        enter.run(list, Buffer.from(`${item} ${scope}`), item, scope)
      const fill = openMemberFiller(index.db)
      for (const list of [5, 101, 102]) fill(list)
      check()
      assert.deepEqual(rows(), followed)
    }),
    { numRuns: 20 },
  )
})
