import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeAudio, fakeClock, makeTrack, makeTracks, memoryStorage } from './fixtures.ts'
import { createPlayer } from './player.ts'
import { createPlayReports, type ReportOutcome } from './plays.ts'
import { type KeptQueue, rememberQueue, type SavedQueue } from './remember.ts'
import { loadSettings, saveSettings } from './settings.ts'

function setting(kept: Partial<KeptQueue> = {}) {
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
  /** The server: one queue, changed only by who knows what it was. */
  const server: KeptQueue = { items: [], positionMs: 0, changedAt: 1, changedBy: '', ...kept }
  let device: string | undefined
  const remembered = rememberQueue({
    player,
    clock,
    load: async () => ({ ...server }),
    async save(queue, basedOn) {
      if (basedOn !== server.changedAt) return 'conflict'
      saved.push(queue)
      Object.assign(server, { items: queue.tracks.map((id) => makeTrack(id.replace('id-', ''))) })
      return ++server.changedAt
    },
    onElsewhere(name) {
      device = name
    },
  })
  remembered.begin()
  const pass = async (ms: number) => {
    clock.pass(ms)
    await turn()
  }
  /** Another device saves its queue. */
  const elsewhere = (names: string, positionMs = 0) =>
    Object.assign(server, {
      items: makeTracks(names),
      current: 0,
      positionMs,
      changedAt: server.changedAt + 1,
      changedBy: 'Kitchen',
    })
  const titles = () => player.state.get().queue.entries.map(({ track }) => track.title)
  return { element, player, saved, remembered, server, pass, elsewhere, titles, device: () => device }
}

test('many changes of the queue are saved once they have settled', async () => {
  const { player, saved, pass } = setting()
  await turn()
  player.playAll(makeTracks('abc'))
  player.addNext(makeTracks('x'))
  player.next()
  assert.equal(saved.length, 0)
  await pass(1_500)
  assert.deepEqual(saved, [{ tracks: ['id-a', 'id-x', 'id-b', 'id-c'], current: 1, positionMs: 0 }])
})

test('the position is saved now and then while playing, and when the page closes', async () => {
  const { element, player, saved, remembered, pass } = setting()
  await turn()
  player.playAll(makeTracks('a'))
  await pass(1_500)
  element.arrive(200)
  element.sound(30)
  assert.equal(saved.length, 1)
  await pass(21_000)
  element.sound(1)
  await turn()
  assert.equal(saved.at(-1)?.positionMs, 31_000)
  element.sound(5)
  remembered.flush()
  assert.equal(saved.at(-1)?.positionMs, 36_000)
})

const [a, b, c] = [makeTrack('a'), makeTrack('b'), makeTrack('c')]

test('a queue comes back without the tracks that are gone, at the same track, and is not saved for that', async () => {
  const { player, saved, pass } = setting({ items: [a, null, b, c], current: 2, positionMs: 9_000 })
  await turn()
  const { queue, positionMs, status } = player.state.get()
  assert.equal(queue.entries[queue.current]?.track.title, 'b')
  assert.equal(positionMs, 9_000)
  assert.equal(status, 'paused')
  await pass(30_000)
  assert.deepEqual(saved, [])
})

test('a queue whose current track is gone begins the next one from its start', async () => {
  const { player } = setting({ items: [a, null, b], current: 1, positionMs: 9_000 })
  await turn()
  const { queue, positionMs } = player.state.get()
  assert.equal(queue.entries[queue.current]?.track.title, 'b')
  assert.equal(positionMs, 0)
})

test('what already plays is never replaced by an old queue', async () => {
  const { player, titles } = setting({ items: [a, b], current: 0 })
  player.playAll(makeTracks('x'))
  await turn()
  assert.deepEqual(titles(), ['x'])
})

test('[F2] two devices with queues of their own: neither is written over until a person chooses', async () => {
  const { player, element, elsewhere, server, saved, pass, titles, device } = setting()
  await turn()
  player.playAll(makeTracks('ab'))
  await pass(1_500)
  element.arrive(200)
  element.sound(5)
  elsewhere('xyz')
  player.addLast(makeTracks('c'))
  await pass(1_500)
  assert.equal(device(), 'Kitchen')
  assert.deepEqual(titles(), ['a', 'b', 'c'], 'what plays here goes on')
  assert.equal(player.state.get().status, 'playing')
  await pass(60_000)
  element.sound(30)
  await pass(60_000)
  assert.equal(saved.length, 1)
  assert.equal(server.items.length, 3)
  assert.equal(server.items[0]?.title, 'x')
})

test('keeping ours writes it over theirs', async () => {
  const { player, elsewhere, server, remembered, pass, device } = setting()
  await turn()
  player.playAll(makeTracks('ab'))
  elsewhere('xyz')
  await pass(1_500)
  remembered.keepOurs()
  await turn()
  assert.equal(device(), undefined)
  assert.deepEqual(
    server.items.map((item) => item?.title),
    ['a', 'b'],
  )
})

test('going on with theirs sounds on, where sound was wanted', async () => {
  const { player, element, elsewhere, remembered, pass, titles, device, saved } = setting()
  await turn()
  player.playAll(makeTracks('ab'))
  element.arrive(200)
  elsewhere('xyz', 12_000)
  await pass(1_500)
  remembered.takeTheirs()
  await turn()
  assert.equal(device(), undefined)
  assert.deepEqual(titles(), ['x', 'y', 'z'])
  assert.match(element.src, /id-x/)
  element.arrive(200)
  assert.equal(element.currentTime, 12)
  assert.equal(player.state.get().status, 'playing')
  await pass(1_500)
  assert.deepEqual(saved, [])
})

test('the same queue, further on at another device, is followed in silence, and kept while it plays here', async () => {
  const { player, element, elsewhere, remembered, pass, device, saved } = setting({
    items: [a, b],
    current: 0,
  })
  await turn()
  elsewhere('ab', 50_000)
  remembered.changed()
  await turn()
  assert.equal(player.state.get().positionMs, 50_000)
  player.play()
  element.arrive(200)
  element.sound(1)
  elsewhere('ab', 70_000)
  remembered.changed()
  await pass(1_500)
  assert.equal(player.state.get().positionMs, 51_000)
  player.pause()
  await pass(1_500)
  await pass(1_500)
  assert.equal(device(), undefined)
  assert.equal(saved.at(-1)?.positionMs, 51_000)
})

test('another device that only goes on in the queue that was seen there does not stand in the way of a new one', async () => {
  const { player, elsewhere, server, pass, device } = setting({ items: [a, b], current: 0 })
  await turn()
  elsewhere('ab', 20_000)
  player.playAll(makeTracks('xyz'))
  await pass(1_500)
  await pass(1_500)
  assert.equal(device(), undefined)
  assert.equal(server.items[0]?.title, 'x')
})

test('a silent page with another queue asks before it takes over', async () => {
  const { elsewhere, remembered, titles, device } = setting({ items: [a, b], current: 0 })
  await turn()
  elsewhere('x')
  remembered.changed()
  await turn()
  assert.equal(device(), 'Kitchen')
  assert.deepEqual(titles(), ['a', 'b'])
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
