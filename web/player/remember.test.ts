import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeAudio, fakeClock, makeTracks, memoryStorage } from './fixtures.ts'
import { createPlayer } from './player.ts'
import { createPlayReports, type ReportOutcome } from './plays.ts'
import { rememberQueue, restoreQueue, type SavedQueue } from './remember.ts'
import { loadSettings, saveSettings } from './settings.ts'

function setting() {
  const clock = fakeClock()
  const element = new FakeAudio()
  const player = createPlayer({
    elements: [element, new FakeAudio()],
    clock,
    settings: loadSettings(memoryStorage()),
    address: (path) => path,
    probe: async () => 200,
    onPlayed() {},
  })
  const saved: SavedQueue[] = []
  const remembered = rememberQueue(player, async (queue) => void saved.push(queue), clock)
  return { clock, element, player, saved, remembered }
}

test('many changes of the queue are saved once they have settled', () => {
  const { clock, player, saved } = setting()
  player.playAll(makeTracks('abc'))
  player.addNext(makeTracks('x'))
  player.next()
  assert.equal(saved.length, 0)
  clock.pass(1_500)
  assert.deepEqual(saved, [{ tracks: ['id-a', 'id-x', 'id-b', 'id-c'], current: 1, positionMs: 0 }])
})

test('the position is saved now and then while playing, and when the page closes', () => {
  const { clock, element, player, saved, remembered } = setting()
  player.playAll(makeTracks('a'))
  clock.pass(1_500)
  element.arrive(200)
  element.sound(30)
  assert.equal(saved.length, 1)
  clock.pass(21_000)
  element.sound(1)
  assert.equal(saved.at(-1)?.positionMs, 30_250)
  element.sound(5)
  remembered.flush()
  assert.equal(saved.at(-1)?.positionMs, 36_000)
})

test('a queue comes back without the tracks that are gone, at the same track', () => {
  const { player } = setting()
  const [a, b, c] = makeTracks('abc')
  assert.ok(a && b && c)
  restoreQueue(player, { items: [a, null, b, c], current: 2, positionMs: 9_000 })
  const { queue, positionMs, status } = player.state.get()
  assert.equal(queue.entries[queue.current]?.track.title, 'b')
  assert.equal(positionMs, 9_000)
  assert.equal(status, 'paused')
})

test('a queue whose current track is gone begins the next one from its start', () => {
  const { player } = setting()
  const [a, b] = makeTracks('ab')
  assert.ok(a && b)
  restoreQueue(player, { items: [a, null, b], current: 1, positionMs: 9_000 })
  const { queue, positionMs } = player.state.get()
  assert.equal(queue.entries[queue.current]?.track.title, 'b')
  assert.equal(positionMs, 0)
})

test('what already plays is never replaced by an old queue', () => {
  const { player } = setting()
  player.playAll(makeTracks('x'))
  restoreQueue(player, { items: makeTracks('ab'), current: 0, positionMs: 0 })
  assert.equal(player.state.get().queue.entries.length, 1)
})

test('plays that could not be reported wait, survive a reload, and keep their ids', async () => {
  const storage = memoryStorage()
  const clock = fakeClock()
  const sent: string[] = []
  let outcome: ReportOutcome = 'unreachable'
  let ids = 0
  const parts = {
    storage,
    clock,
    newId: () => `play-${++ids}`,
    send: async ({ play }: { play: string }) => {
      sent.push(play)
      return outcome
    },
  }
  const before = createPlayReports(parts)
  before.report('a')
  await turn()
  before.report('b')
  await turn()
  assert.deepEqual(sent, ['play-1', 'play-1'])
  outcome = 'taken'
  await createPlayReports(parts).flush()
  assert.deepEqual(sent.slice(2), ['play-1', 'play-2'])
  await createPlayReports(parts).flush()
  assert.equal(sent.length, 4)
})

test('settings come back; what does not fit is as if it were not there', () => {
  const storage = memoryStorage()
  const settings = { volume: 0.3, muted: true, levelling: 'album', repeat: 'one', shuffled: true } as const
  saveSettings(storage, settings)
  assert.deepEqual(loadSettings(storage), settings)
  storage.setItem('hocket.player', '{"volume":7,"repeat":"sometimes"}')
  assert.equal(loadSettings(storage).volume, 0.8)
  storage.setItem('hocket.player', 'not json')
  assert.equal(loadSettings(storage).repeat, 'off')
})
