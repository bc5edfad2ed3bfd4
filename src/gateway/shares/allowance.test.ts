import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCoded } from '../../protocol/errors.ts'
import { createAllowance } from './allowance.ts'

test('so much at once, then as much as comes back with time, for each by themselves', () => {
  let now = 1_000
  const { take } = createAllowance({ atOnce: 3, perMinute: 60 }, () => now)
  const refused = (key: string) => {
    try {
      take(key)
      return undefined
    } catch (error) {
      assert.ok(isCoded(error, 'TOO_MANY_REQUESTS') && 'retryAfterSeconds' in error)
      return error.retryAfterSeconds
    }
  }
  assert.deepEqual(
    [refused('a'), refused('a'), refused('a'), refused('a')],
    [undefined, undefined, undefined, 1],
  )
  assert.equal(refused('b'), undefined)
  now += 999
  assert.equal(refused('a'), 1)
  now += 1
  assert.equal(refused('a'), undefined)
  assert.equal(refused('a'), 1)
  now += 3_600_000
  assert.deepEqual(
    [refused('a'), refused('a'), refused('a'), refused('a')],
    [undefined, undefined, undefined, 1],
  )
})
