import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forgettable } from './history.ts'

const minute = 60_000
const each = (revisions: readonly number[], every = minute) =>
  revisions.map((revision, number) => ({ at: number * every, revision }))

test('history of the last hour stays', () => {
  const busy = each(Array.from({ length: 91 }, (_, number) => number * 1_000))
  // 90 minutes, 1,000 revisions a minute: what is older than an hour goes.
  assert.equal(forgettable(busy), 30_000)
  assert.equal(forgettable(busy.slice(0, 60)), undefined)
})

test('of a quiet store the last 10,000 revisions stay, however old they are', () => {
  const quiet = each(Array.from({ length: 10_000 }, (_, number) => number))
  assert.equal(forgettable(quiet), undefined)
  assert.equal(forgettable([...quiet, { at: 10_000 * minute, revision: 10_050 }]), 50)
})

test('of a flood no more than 100,000 revisions stay', () => {
  assert.equal(forgettable(each([0, 250_000])), 150_000)
})

test('a node that has seen nothing forgets nothing', () => {
  assert.equal(forgettable([]), undefined)
  assert.equal(forgettable(each([99_000])), undefined)
})
