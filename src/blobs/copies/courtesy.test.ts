import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as next } from 'node:timers/promises'
import { createCourtesy } from './courtesy.ts'
import { createLateness } from './lateness.ts'

const inTime = () => 0

test('the background stands back while someone waits for audio, but not for ever', async () => {
  const courtesy = createCourtesy(inTime)
  const read = Promise.withResolvers<string>()
  const order: string[] = []
  const listening = courtesy.listen(() => read.promise).then(() => order.push('listener'))
  const moving = courtesy.turn(1_000).then(() => order.push('background'))
  read.resolve('audio')
  await Promise.all([listening, moving])
  assert.deepEqual(order, ['listener', 'background'])

  const never = Promise.withResolvers<string>()
  const waiting = courtesy.listen(() => never.promise)
  await courtesy.turn(1_000)
  assert.equal(courtesy.moved, 2_000)
  never.resolve('')
  await waiting
})

test('where the thread is late, the background rests after each piece once somebody listens, and only then', async () => {
  const courtesy = createCourtesy(() => 50)
  const timeOf = async (pieces: number) => {
    const since = performance.now()
    for (let piece = 0; piece < pieces; piece += 1) await courtesy.turn(256 * 1_024)
    return performance.now() - since
  }
  const alone = await timeOf(50)
  assert.ok(alone < 1_000, `${alone} ms for 50 pieces`)
  await courtesy.listen(async () => undefined)
  const beside = await timeOf(10)
  assert.ok(beside > 300, `${beside} ms for 10 pieces`)
})

test('lateness is what keeps a thread from what is due, and it is forgotten', async () => {
  const lateness = createLateness()
  lateness()
  const since = performance.now()
  while (performance.now() - since < 100);
  await next()
  while (lateness() < 50) await next()
  while (lateness() > 20) await next()
})

test('a turn ends with its signal', async () => {
  const courtesy = createCourtesy(() => 50)
  await courtesy.listen(async () => undefined)
  const ending = new AbortController()
  const turn = courtesy.turn(1_000_000, ending.signal)
  ending.abort(new Error('enough'))
  await assert.rejects(turn)
})
