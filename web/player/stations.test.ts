import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeAudio, fakeClock, makeTracks } from './fixtures.ts'
import { playableStation } from './playable.ts'
import { createPlayer } from './player.ts'
import type { Repeat } from './queue.ts'
import { rememberQueue, type SavedQueue } from './remember.ts'
import { mediaErrors } from './voice.ts'

const station = playableStation({ id: 'fm', name: 'Lagoon FM' })

function setting({ repeat = 'off', probed = 200 }: { repeat?: Repeat; probed?: number } = {}) {
  const elements = [new FakeAudio(), new FakeAudio()] as const
  const clock = fakeClock()
  const player = createPlayer({
    elements,
    clock,
    settings: { volume: 1, muted: false, levelling: 'off', repeat, shuffled: false },
    address: (path) => path,
    probe: async () => probed,
    onPlayed: () => {},
  })
  const loaded = () => elements.filter(({ src }) => src !== '')
  /** The one that carries the station. */
  const live = () => {
    const [element, other] = loaded()
    assert.ok(element !== undefined && other === undefined, 'one connection, and no more')
    return element
  }
  return { clock, loaded, live, player }
}

test('a station sounds without a length, is not sought in, and is heard over one connection, repeated or not', () => {
  const { live, player } = setting({ repeat: 'all' })
  player.playAll([station])
  assert.equal(live().src, '/api/stations/fm/stream')
  live().arrive(Number.POSITIVE_INFINITY)
  live().sound(40)
  player.seek(5_000)
  assert.deepEqual([live().currentTime, player.state.get().durationMs], [40, 0])
  assert.equal(player.state.get().status, 'playing')
})

test('who stops a station leaves it, and comes back to what it sends then', () => {
  const { loaded, live, player } = setting()
  player.playAll([station])
  live().arrive(Number.POSITIVE_INFINITY)
  live().sound(3)
  player.pause()
  assert.deepEqual([loaded(), player.state.get().status], [[], 'paused'])
  player.play()
  live().arrive(Number.POSITIVE_INFINITY)
  live().sound(1)
  assert.deepEqual([live().currentTime, player.state.get().status], [1, 'playing'])
})

test('a station that breaks off or ends is asked again; one that sends no audio is given up with a reason', async () => {
  const { clock, live, player } = setting()
  player.playAll([station])
  live().arrive(Number.POSITIVE_INFINITY)
  live().sound(1)
  live().end()
  assert.equal(player.state.get().status, 'recovering')
  clock.pass(400)
  live().arrive(Number.POSITIVE_INFINITY)
  live().sound(1)
  assert.equal(player.state.get().status, 'playing')
  const refused = setting({ probed: 422 })
  refused.player.playAll([station])
  refused.live().fail(mediaErrors.notSupported)
  await turn()
  const { status, failure } = refused.player.state.get()
  assert.deepEqual([status, failure?.kind], ['failed', 'unplayable'])
})

test('the queue that was kept before a station stays as it was, until songs play again', async () => {
  const { clock, player } = setting()
  const saved: SavedQueue[] = []
  const tracks = makeTracks('ab')
  const remembered = rememberQueue({
    player,
    clock,
    load: async () => ({ items: tracks, current: 0, positionMs: 0, changedAt: 1, changedBy: 'here' }),
    save: async (queue) => saved.push(queue),
    onElsewhere: () => {},
  })
  remembered.begin()
  await turn()
  player.playAll([station])
  clock.pass(60_000)
  remembered.flush()
  remembered.changed()
  await turn()
  assert.deepEqual(saved, [])
  assert.deepEqual(
    player.state.get().queue.entries.map(({ track }) => track.id),
    ['fm'],
  )
  player.addNext(tracks)
  player.next()
  clock.pass(1_500)
  await turn()
  await turn()
  assert.deepEqual(saved, [{ tracks: ['id-a', 'id-b'], current: 0, positionMs: 0 }])
})
