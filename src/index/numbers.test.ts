import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { sharedNumbers, shareNumbers } from './numbers.ts'

test('threads agree on the number of each name, and none gets the number of a row twice', async () => {
  const names = 20_000
  const memory = shareNumbers(2 * names)
  const threads = [0, 1, 7_000].map(
    (from) =>
      new Worker(new URL('./fixtures/namer.ts', import.meta.url), { workerData: { memory, names, from } }),
  )
  const told: [name: number, number: number, row: number][][] = await Promise.all(
    threads.map(async (thread) => (await once(thread, 'message'))[0]),
  )
  await Promise.all(threads.map((thread) => thread.terminate()))
  const numbers = told.map((all) => [...all].sort(([a], [b]) => a - b).map(([, number]) => number))
  assert.deepEqual(numbers[1], numbers[0])
  assert.deepEqual(numbers[2], numbers[0])
  const ascending = (values: number[]) => values.sort((a, b) => a - b)
  assert.deepEqual(
    ascending([...(numbers[0] ?? [])]),
    Array.from({ length: names }, (_, at) => at + 1),
  )
  assert.deepEqual(
    ascending(told.flatMap((all) => all.map(([, , row]) => row))),
    Array.from({ length: 3 * names }, (_, at) => at + 1),
  )
})

test('more names than there is room for are refused, and those that have a number keep it', () => {
  const numbers = sharedNumbers(shareNumbers(1))
  const first = numbers.of('name', 'first')
  assert.throws(() => {
    for (let name = 0; name < 2_000; name += 1) numbers.of('name', `${name}`)
  }, /room/)
  assert.equal(numbers.of('name', 'first'), first)
})
