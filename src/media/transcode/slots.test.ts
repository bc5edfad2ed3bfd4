import assert from 'node:assert/strict'
import test from 'node:test'
import { isCoded } from '../../protocol/errors.ts'
import { createSlots } from './slots.ts'

const live = new AbortController().signal
const limits = { places: 2, queue: 3, patienceMs: 10_000 }

test('places are given out in the order of asking, never more than there are', async () => {
  const slots = createSlots(limits)
  const held = await Promise.all([slots.take(live), slots.take(live)])
  const order: number[] = []
  const waiting = [1, 2, 3].map(async (number) => {
    const place = await slots.take(live)
    order.push(number)
    return place
  })
  assert.deepEqual(slots.status(), { running: 2, waiting: 3 })
  held[0]?.[Symbol.dispose]()
  held[0]?.[Symbol.dispose]()
  const first = await waiting[0]
  assert.deepEqual(slots.status(), { running: 2, waiting: 2 })
  first?.[Symbol.dispose]()
  ;(await waiting[1])?.[Symbol.dispose]()
  ;(await waiting[2])?.[Symbol.dispose]()
  held[1]?.[Symbol.dispose]()
  assert.deepEqual(order, [1, 2, 3])
  assert.deepEqual(slots.status(), { running: 0, waiting: 0 })
})

test('one too many, and one who waited too long, hear TRANSCODER_BUSY', async () => {
  const slots = createSlots({ places: 1, queue: 1, patienceMs: 5 })
  using _held = await slots.take(live)
  const late = slots.take(live)
  await assert.rejects(slots.take(live), (error) => isCoded(error, 'TRANSCODER_BUSY'))
  await assert.rejects(late, (error) => isCoded(error, 'TRANSCODER_BUSY'))
  assert.deepEqual(slots.status(), { running: 1, waiting: 0 })
})

test('who stops waiting leaves the queue', async () => {
  const slots = createSlots({ ...limits, places: 1 })
  const held = await slots.take(live)
  const stop = new AbortController()
  const left = slots.take(stop.signal)
  const stays = slots.take(live)
  stop.abort(new Error('never mind'))
  await assert.rejects(left, /never mind/)
  held[Symbol.dispose]()
  ;(await stays)[Symbol.dispose]()
  assert.deepEqual(slots.status(), { running: 0, waiting: 0 })
})
