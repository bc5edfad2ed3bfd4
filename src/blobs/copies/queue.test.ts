import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { temporaryFolder } from '../../../test/harness/folder.ts'
import { type DueTask, openQueue, type Queue, type Task } from './queue.ts'

const folder = await temporaryFolder('queue')
after(() => folder[Symbol.asyncDispose]())

const hashOf = (number: number) => number.toString(16).padStart(64, '0')
const pull = (number: number, urgency = 1): Task => ({
  kind: 'pull',
  hash: hashOf(number),
  size: 1_000 + number,
  urgency,
})
/** Fails or ends the task as it stands. */
function failed(queue: Queue, number: number, due: number, problem: string): void {
  queue.failed(taskOf(queue, number), due, problem)
}

function taskOf(queue: Queue, number: number): DueTask {
  const found = queue.due(Number.MAX_SAFE_INTEGER, 10_000).find(({ hash }) => hash === hashOf(number))
  assert.ok(found)
  return found
}

const drop = (number: number): Task => ({ ...pull(number, 10), kind: 'drop' })

test('tasks survive a restart, the most urgent first, and what has failed waits for its time', () => {
  const path = join(folder.path, 'restart.db')
  {
    using queue = openQueue(path)
    queue.add([pull(1, 2), pull(2, 0), drop(3), pull(4, 1)])
    failed(queue, 2, 5_000, 'UNREACHABLE')
  }
  using queue = openQueue(path)
  const names = (now: number, least = 0) =>
    queue.due(now, 10, least).map(({ hash }) => Number.parseInt(hash, 16))
  assert.deepEqual(names(4_999), [4, 1, 3])
  assert.deepEqual(names(5_000), [2, 4, 1, 3])
  assert.deepEqual(names(5_000, 10), [3])
  assert.equal(queue.nextDue(), 0)
  assert.deepEqual(queue.counts(), { pulls: 3, pullBytes: 3_007, drops: 1, lost: 0 })
  assert.equal(queue.due(5_000, 1)[0]?.attempts, 1)
})

test('a task is there once: more urgent when it is asked for again, and of the kind that was asked for last', () => {
  using queue = openQueue(join(folder.path, 'once.db'))
  queue.add([pull(1, 3)])
  failed(queue, 1, 1_000, 'UNREACHABLE')
  queue.add([pull(1, 1), pull(1, 5)])
  const first = taskOf(queue, 1)
  assert.deepEqual([first.kind, first.urgency, first.attempts], ['pull', 1, 1])
  queue.add([drop(1)])
  // The pull was under way when the drop was asked for: its end is not the end of the drop.
  queue.done(first)
  queue.failed(first, 9_000, 'UNREACHABLE')
  const second = taskOf(queue, 1)
  assert.deepEqual([second.kind, second.attempts], ['drop', 0])
  assert.deepEqual(queue.counts(), { pulls: 0, pullBytes: 0, drops: 1, lost: 0 })
  queue.done(taskOf(queue, 1))
  assert.deepEqual(queue.counts(), { pulls: 0, pullBytes: 0, drops: 0, lost: 0 })
  assert.equal(queue.nextDue(), null)
})

test('what nobody has is counted, listed, and due at once when a node has come', async () => {
  using queue = openQueue(join(folder.path, 'lost.db'))
  queue.add(Array.from({ length: 1_200 }, (_, number) => pull(number)))
  for (const task of queue.due(0, 2_000)) queue.failed(task, 9_000, 'BLOB_MISSING')
  failed(queue, 7, 9_000, 'UNREACHABLE')
  assert.equal(queue.counts().lost, 1_199)
  assert.deepEqual(queue.lost(2), [hashOf(0), hashOf(1)])
  assert.deepEqual(queue.due(100, 10), [])
  await queue.retryAll(100, AbortSignal.timeout(10_000))
  assert.equal(queue.due(100, 2_000).length, 1_200)
  for (const task of queue.due(100, 2_000)) queue.done(task)
  assert.equal(queue.counts().lost, 0)
})

test('a file that is damaged is made anew', async () => {
  const path = join(folder.path, 'damaged.db')
  await writeFile(path, 'this is no database, and never was one'.repeat(1_000))
  using queue = openQueue(path)
  assert.equal(queue.comparison(), null)
  queue.add([pull(1)])
  assert.equal(queue.counts().pulls, 1)
})

test('the place of the comparison is kept', () => {
  const path = join(folder.path, 'comparison.db')
  const state = {
    version: 3,
    phase: 'held',
    after: hashOf(9),
    wanted: 5,
    wantedBytes: 50,
    finishedAt: 0,
  } as const
  {
    using queue = openQueue(path)
    queue.setComparison(state)
  }
  using queue = openQueue(path)
  assert.deepEqual(queue.comparison(), state)
})
