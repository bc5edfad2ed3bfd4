import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { listen } from '../../test/harness/listen.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { createMetrics, createStoreTimes } from './metrics.ts'

test('a listener is heard while bytes reach them, and no more when they pause', async () => {
  const server = createServer()
  const player = connect(await listen(server), '127.0.0.1')
  const [socket]: Socket[] = await once(server, 'connection')
  assert.ok(socket)
  player.resume()
  using metrics = createMetrics({
    index: { progress: { state: 'following', revision: 0, storeRevision: 0, applied: 0, skipped: 0 } },
    scan: () => assert.fail('nobody asks'),
    pages: () => 0,
    transcodes: () => ({ running: 0, waiting: 0 }),
    storeTimes: createStoreTimes(),
    figures: [],
  })
  const { streams } = metrics
  assert.equal(streams.areHeard(), false)
  {
    using _answer = streams.begin(socket)
    assert.deepEqual([streams.now, streams.areHeard()], [1, true])
    // Nothing moves: the player is paused.
    await waitFor(() => !streams.areHeard(), { what: 'the paused player to count no more' })
    socket.write('sound')
    await waitFor(() => streams.areHeard(), { what: 'the player to be heard again' })
  }
  assert.equal(streams.now, 0)
  player.destroy()
  socket.destroy()
  server.close()
})

test('what other parts count is shown as it is when somebody asks, and how long the store takes', async () => {
  let copied = 5
  const none = { added: 0, changed: 0, moved: 0, removed: 0 }
  const scan = { phase: 'idle' as const, seen: 0, toRead: 0, read: 0, ...none, problems: 0, unhashed: 0 }
  const storeTimes = createStoreTimes()
  using metrics = createMetrics({
    index: { progress: { state: 'following', revision: 0, storeRevision: 0, applied: 0, skipped: 0 } },
    scan: () => scan,
    pages: () => 0,
    transcodes: () => ({ running: 0, waiting: 0 }),
    storeTimes,
    figures: [{ name: 'copied_total', help: 'Bytes', kind: 'counter', read: () => copied }],
  })
  storeTimes.observe('commit', 0.003, true)
  assert.match(await metrics.registry.metrics(), /^copied_total 5$/m)
  copied = 8
  const shown = await metrics.registry.metrics()
  assert.match(shown, /^copied_total 8$/m)
  assert.match(shown, /hocket_store_request_seconds_count\{operation="commit",result="ok"\} 1/)
})
