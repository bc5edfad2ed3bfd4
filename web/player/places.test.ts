import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EpisodeSummary } from '../../src/protocol/api/podcasts.ts'
import { FakeAudio, fakeClock, makeTrack } from './fixtures.ts'
import { createPlaces } from './places.ts'
import { playableOf } from './playable.ts'
import { createPlayer } from './player.ts'
import type { Repeat } from './queue.ts'

function setting(repeat: Repeat = 'off') {
  const elements = [new FakeAudio(), new FakeAudio()] as const
  const clock = fakeClock()
  const kept: [string, number][] = []
  const places = createPlaces({ clock, keep: async (id, positionMs) => kept.push([id, positionMs]) })
  const player = createPlayer({
    elements,
    clock,
    settings: { volume: 1, muted: false, levelling: 'off', repeat, shuffled: false },
    address: (path) => path,
    probe: async () => 206,
    beginsAt: places.of,
    onPlayed: () => {},
  })
  places.follow(player.state)
  const sounding = () => {
    const found = elements.find(({ paused, src }) => !paused && src !== '')
    assert.ok(found, 'something sounds')
    return found
  }
  return { clock, kept, places, player, sounding }
}

function makeEpisode(name: string, placeMs?: number): EpisodeSummary {
  const audio = {
    durationMs: 600_000,
    codec: 'mp3',
    mediaType: 'audio/mpeg',
    suffix: 'mp3',
    bitrate: 64,
    size: 1,
  }
  return {
    id: `id-${name}`,
    podcast: { id: 'show', title: 'Show' },
    title: name,
    author: 'Ana',
    publishedAt: 0,
    cover: 'c',
    state: 'downloaded',
    audio: { ...audio, version: 'v' },
    placeMs,
  }
}

function playable(name: string) {
  const found = playableOf(makeEpisode(name))
  assert.ok(found !== undefined)
  return found
}

test('an episode sounds by its own address, and one that is not here cannot be played', () => {
  const { player, sounding } = setting()
  player.playAll([playable('a')])
  assert.equal(sounding().src, '/api/episodes/id-a/audio?v=v')
  const { audio: _, ...remote } = makeEpisode('b')
  assert.equal(playableOf({ ...remote, state: 'remote' }), undefined)
})

test('an episode that was left goes on where it was, and its place is kept when it is left again', () => {
  const { kept, places, player, sounding } = setting()
  places.learn([makeEpisode('a', 300_000), makeEpisode('b')])
  player.playAll([playable('a'), playable('b')])
  assert.equal(player.state.get().positionMs, 300_000)
  sounding().arrive(600)
  assert.equal(sounding().currentTime, 300)
  sounding().sound(4)
  player.pause()
  assert.deepEqual(kept, [['id-a', 304_000]])
  player.play()
  sounding().sound(1)
  player.next()
  assert.deepEqual(kept.slice(1), [['id-a', 305_000]])
  assert.equal(player.state.get().positionMs, 0)
  player.jumpTo(0)
  assert.equal(player.state.get().positionMs, 305_000)
})

test('while it sounds its place is kept now and then, and once more when the page closes', () => {
  const { clock, kept, places, player, sounding } = setting()
  player.playAll([playable('a')])
  sounding().arrive(600)
  sounding().sound(2)
  assert.deepEqual(kept, [])
  clock.pass(21_000)
  sounding().sound(0.25)
  assert.deepEqual(kept, [['id-a', 2_250]])
  sounding().sound(1)
  places.flush()
  places.flush()
  assert.deepEqual(kept.slice(1), [['id-a', 3_250]])
})

test('whoever has heard an episode to its end begins it anew', () => {
  const { kept, places, player, sounding } = setting()
  places.learn([makeEpisode('a', 595_000)])
  player.playAll([playable('a')])
  sounding().arrive(600)
  sounding().sound(5)
  sounding().end()
  assert.deepEqual(kept, [['id-a', 0]])
  assert.deepEqual([places.of(playable('a')), player.state.get().positionMs], [0, 0])
})

test('an episode that is repeated begins at its beginning, whatever was kept meanwhile', () => {
  const { clock, places, player, sounding } = setting('one')
  places.learn([makeEpisode('a', 580_000)])
  player.playAll([playable('a')])
  sounding().arrive(600)
  sounding().sound(1)
  clock.pass(21_000)
  sounding().sound(0.25)
  assert.equal(places.of(playable('a')), 581_250)
  sounding().sound(18.75)
  sounding().end()
  sounding().arrive(600)
  assert.deepEqual([player.state.get().positionMs, sounding().currentTime], [0, 0])
})

test('songs begin at their beginning, and no place of theirs is kept', () => {
  const { kept, player, sounding } = setting()
  player.playAll([makeTrack('a')])
  sounding().arrive(200)
  sounding().sound(5)
  player.pause()
  assert.deepEqual(kept, [])
})
