import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { waitFor } from '../../test/harness/wait.ts'

/** A thread that leaves a list of a million entries behind, and says how much its heap holds then. */
const source = `
  import { getHeapStatistics } from 'node:v8'
  import { parentPort } from 'node:worker_threads'
  import { tidyWhenIdle } from '${new URL('./tidy.ts', import.meta.url)}'
  tidyWhenIdle(parentPort, 50)
  const left = Array.from({ length: 1_000_000 }, (_, at) => ({ at }))
  parentPort.postMessage([left.length, getHeapStatistics().used_heap_size])
`

test('a thread that nobody asks for anything gives back what it does not need', async () => {
  setFlagsFromString('--expose-gc')
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  try {
    const [[, before]] = await once(worker, 'message')
    assert.ok(before > 24_000_000, `${before} bytes are no garbage worth the name`)
    await waitFor(async () => (await worker.getHeapStatistics()).used_heap_size < before / 2, {
      what: 'the thread to be tidied',
    })
  } finally {
    await worker.terminate()
    setFlagsFromString('--no-expose-gc')
  }
})
