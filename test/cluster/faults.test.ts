import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, test } from 'node:test'
import { faults } from '../faults/faults.ts'
import { isGood, runFaults } from '../faults/run.ts'
import { openStage, type Stage } from '../faults/stage.ts'
import { pickOne, shuffled } from '../harness/random.ts'

/**
 * Each fault that we know how to inject, once, in a random order, on one cluster; of those that take long, one.
 * `npm run test:faults` goes on with it for as long as it is told.
 */
function chosen(random: () => number) {
  const long = pickOne(
    faults.filter(({ isLong }) => isLong),
    random,
  )
  return shuffled([long, ...faults.filter(({ isLong }) => !isLong)], random)
}

let stage: Stage
before(async () => {
  stage = await openStage()
})
after(() => stage?.[Symbol.asyncDispose]())

test('[F1] [F2] [F3] [F4] [B1] [B3] [B5] whatever fails, what was acknowledged is kept, and what is heard is right', async (t) => {
  const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
  t.diagnostic(`seed ${seed} (TEST_SEED repeats it)`)
  const outcome = await runFaults(stage, {
    seed,
    faults: chosen,
    tell: (line) => t.diagnostic(line),
  })
  t.diagnostic(JSON.stringify(outcome))
  assert.deepEqual(outcome.violations, [])
  assert.ok(isGood(outcome))
  assert.ok(outcome.acknowledged > 10 * outcome.faults, 'too little was written to prove anything')
  assert.ok(outcome.conflicts > 0, 'nobody met anybody')
  assert.ok(outcome.readsOfOwn > outcome.faults, 'too little was read to prove anything')
  assert.ok(outcome.songsHeard > 0, 'nobody listened')
})
