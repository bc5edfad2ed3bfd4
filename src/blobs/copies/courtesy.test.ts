import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCourtesy } from './courtesy.ts'

test('the background stands back while someone waits for audio, but not for ever', async () => {
  const courtesy = createCourtesy(Number.POSITIVE_INFINITY)
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

test('the background keeps to its rate', async () => {
  const courtesy = createCourtesy(1_000_000)
  const since = performance.now()
  for (let piece = 0; piece < 12; piece += 1) await courtesy.turn(50_000)
  // 600,000 bytes at that rate, of which a quarter of a second's worth may go at once.
  const tookMs = performance.now() - since
  assert.ok(tookMs > 300, `${tookMs} ms`)
})

test('a turn ends with its signal', async () => {
  const courtesy = createCourtesy(10)
  await courtesy.turn(1)
  const ending = new AbortController()
  const turn = courtesy.turn(1_000_000, ending.signal)
  ending.abort(new Error('enough'))
  await assert.rejects(turn)
})
