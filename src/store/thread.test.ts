import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCoded } from '../protocol/errors.ts'
import { createThread } from './thread.ts'

type Calls = {
  echo(input: { text: string }): string
  hang(input: Record<never, never>): never
  die(input: Record<never, never>): never
}

/** A thread that answers, is silent, or dies, as it is told. */
const source = `
  import { parentPort } from 'node:worker_threads'
  parentPort.on('message', ({ call, name, input }) => {
    if (name === 'hang') return
    if (name === 'die') throw new Error('it fell over')
    parentPort.postMessage({ answers: [{ call, value: input.text }] })
  })
`
const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)

test('a thread that dies rejects who waited, says so, and is there again for the next call', async () => {
  const deaths: Error[] = []
  const heap = { maxOldGenerationSizeMb: 32 }
  const thread = createThread<Calls>({ url, name: 'test', heap, died: (error) => deaths.push(error) })
  assert.equal(await thread.call('echo', { text: 'a' }), 'a')
  const [dying, waiting] = [thread.call('die', {}), thread.call('echo', { text: 'b' })]
  await assert.rejects(dying, (error) => isCoded(error, 'UNREACHABLE'))
  await waiting.catch((error) => assert.ok(isCoded(error, 'UNREACHABLE')))
  assert.equal(deaths.length, 1)
  assert.match(String(deaths[0]?.cause), /it fell over/)
  assert.equal(await thread.call('echo', { text: 'c' }), 'c')
  await thread.end()
  assert.equal(deaths.length, 1)
  await assert.rejects(thread.call('echo', { text: 'd' }), (error) => isCoded(error, 'UNREACHABLE'))
})

test('a call ends by its deadline or its signal, and a late answer harms nobody', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const thread = createThread<Calls>({ url, name: 'test', heap: { maxOldGenerationSizeMb: 32 } })
  const hanging = thread.call('hang', {})
  const patient = thread.call('hang', {}, { deadline: 60_000 })
  context.mock.timers.tick(30_000)
  await assert.rejects(hanging, (error) => isCoded(error, 'TIMED_OUT'))
  const reason = new Error('no longer wanted')
  const leaving = new AbortController()
  const [late, left] = [
    thread.call('echo', { text: 'a' }, { deadline: 1 }),
    thread.call('echo', { text: 'b' }, { signal: leaving.signal }),
  ]
  context.mock.timers.tick(1)
  leaving.abort(reason)
  await assert.rejects(late, (error) => isCoded(error, 'TIMED_OUT'))
  await assert.rejects(left, reason)
  assert.equal(await thread.call('echo', { text: 'c' }), 'c')
  const ended = assert.rejects(patient, (error) => isCoded(error, 'UNREACHABLE'))
  await thread.end()
  await ended
})
