import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remember } from './remember.ts'

test('an answer is kept until the index changes, and never while it is being filled', () => {
  const index = { revision: 0 }
  let reads = 0
  const read = remember(
    index,
    (name: string) => name,
    (name) => {
      reads += 1
      return `${name} ${reads}`
    },
    2,
  )
  assert.deepEqual([read('a'), read('a')], ['a 1', 'a 2'])
  index.revision = 1
  assert.deepEqual([read('a'), read('b'), read('b')], ['a 3', 'b 4', 'b 4'])
  assert.equal(read('c'), 'c 5', 'the bound makes room')
  assert.equal(read('a'), 'a 6')
  index.revision = 2
  assert.equal(read('a'), 'a 7')
  index.revision = 0
  assert.equal(read('a'), 'a 8')
})
