import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FakeAudio, fakeClock, makeTrack, makeTracks } from './fixtures.ts'
import { createPlayer } from './player.ts'
import { currentEntry } from './queue.ts'
import { mediaErrors } from './voice.ts'

function setting(probed: () => number | undefined = () => 206) {
  const elements = [new FakeAudio(), new FakeAudio()] as const
  const clock = fakeClock()
  const counted: string[] = []
  const place = { origin: '' }
  const player = createPlayer({
    elements,
    clock,
    settings: { volume: 1, muted: false, levelling: 'off', repeat: 'off', shuffled: false },
    random: () => 0,
    address: (path) => place.origin + path,
    probe: async () => probed(),
    onPlayed: (track) => counted.push(track.title),
  })
  /** The element that carries the current track. */
  const sounding = () => {
    const id = currentEntry(player.state.get().queue)?.track.id ?? 'nothing'
    const found = elements.find((element) => element.src.includes(id) && !element.paused)
    return found ?? elements.find((element) => element.src.includes(id)) ?? elements[0]
  }
  const status = () => player.state.get().status
  const title = () => currentEntry(player.state.get().queue)?.track.title
  return { player, elements, clock, counted, place, sounding, status, title }
}

test('playing asks for the bytes of the version, and says when sound has come', () => {
  const { player, sounding, status } = setting()
  player.playAll(makeTracks('ab'))
  assert.equal(sounding().src, '/api/tracks/id-a/audio?v=v')
  assert.equal(status(), 'loading')
  sounding().arrive(200)
  assert.equal(status(), 'playing')
  sounding().sound(2)
  assert.equal(player.state.get().positionMs, 2_000)
})

test('the two voices alternate: the next track is loaded ahead, and begins without a request', () => {
  const { player, elements, sounding, title } = setting()
  player.playAll(makeTracks('abc'))
  sounding().arrive(200)
  sounding().sound(176)
  const other = elements.find((element) => element !== sounding())
  assert.ok(other?.src.includes('id-b'))
  other?.arrive(100)
  sounding().end()
  assert.equal(title(), 'b')
  assert.equal(sounding(), other)
  assert.equal(other?.paused, false)
})

test('the next song begins by the clock, on time, while the last milliseconds of the one before still sound', () => {
  const { player, elements, clock, counted, sounding, status, title } = setting()
  player.playAll(makeTracks('abc'))
  const first = sounding()
  first.arrive(200)
  first.sound(199.5)
  const next = elements.find((element) => element !== first)
  assert.ok(next)
  next.arrive(200)
  first.sound(0.25)
  first.currentTime = 199.9
  clock.pass(245)
  assert.equal(next.paused, true, 'the clock was early, and looks again')
  first.currentTime = 199.995
  clock.pass(95)
  assert.equal(title(), 'b')
  assert.equal(next.paused, false)
  assert.equal(first.paused, false, 'nothing of the first is cut off')
  next.emit('playing')
  next.sound(1)
  first.end()
  assert.equal(first.src, '')
  assert.equal(status(), 'playing')
  assert.deepEqual(counted, ['a'])
  next.sound(176)
  assert.match(first.src, /id-c/, 'and the free voice gets the one after next')
})

test('pausing in the joint silences both voices', () => {
  const { player, elements, clock, sounding } = setting()
  player.playAll(makeTracks('ab'))
  const first = sounding()
  first.arrive(200)
  first.sound(199.5)
  elements.find((element) => element !== first)?.arrive(200)
  first.sound(0.25)
  first.currentTime = 199.995
  clock.pass(245)
  player.pause()
  assert.ok(elements.every((element) => element.paused || element.src === ''))
  assert.equal(player.state.get().status, 'paused')
})

test('where the browser only guesses the length, the event decides', () => {
  const { player, elements, clock, sounding, title } = setting()
  player.playAll(makeTracks('ab'))
  const first = sounding()
  first.arrive(190)
  first.sound(189.5)
  elements.find((element) => element !== first)?.arrive(200)
  first.sound(0.5)
  clock.pass(1_000)
  assert.equal(title(), 'a')
  first.end()
  assert.equal(title(), 'b')
})

test('a changed queue forgets what was loaded ahead', () => {
  const { player, elements, sounding } = setting()
  player.playAll(makeTracks('abc'))
  sounding().arrive(200)
  sounding().sound(180)
  const other = elements.find((element) => element !== sounding())
  player.addNext(makeTracks('x'))
  assert.equal(other?.src, '')
})

test('the end of the queue is silence, at the start of the last track', () => {
  const { player, sounding, status, title } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(3)
  sounding().sound(3)
  sounding().end()
  assert.equal(status(), 'paused')
  assert.equal(title(), 'a')
  assert.equal(player.state.get().positionMs, 0)
  player.play()
  sounding().arrive(3)
  assert.equal(status(), 'playing')
})

test('previous restarts a track that has sounded for three seconds, else goes back', () => {
  const { player, sounding, title } = setting()
  player.playAll(makeTracks('ab'), 1)
  sounding().arrive(200)
  sounding().sound(4)
  player.previous()
  assert.equal(title(), 'b')
  assert.equal(player.state.get().positionMs, 0)
  player.previous()
  assert.equal(title(), 'a')
})

test('[B5] a broken connection is taken up again at the same position, waiting longer each time', () => {
  const { player, clock, sounding, status } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(200)
  sounding().sound(50)
  sounding().fail(mediaErrors.network)
  assert.equal(status(), 'recovering')
  clock.pass(400)
  sounding().fail(mediaErrors.network)
  clock.pass(400)
  assert.equal(sounding().error?.code, mediaErrors.network, 'the second attempt comes later than the first')
  clock.pass(400)
  sounding().arrive(200)
  assert.equal(sounding().currentTime, 50)
  sounding().sound(1)
  assert.equal(status(), 'playing')
})

test('a stream that is stuck is fetched again', () => {
  const { player, clock, sounding, status } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(200)
  sounding().sound(10)
  sounding().emit('waiting')
  assert.equal(status(), 'loading')
  clock.pass(15_000)
  assert.equal(status(), 'recovering')
  clock.pass(500)
  sounding().arrive(200)
  assert.equal(sounding().currentTime, 10)
})

test('it gives up after a while, and goes on when the network is back', () => {
  const { player, clock, sounding, status } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(200)
  sounding().sound(30)
  for (let attempt = 0; attempt < 9; attempt++) {
    sounding().fail(mediaErrors.network)
    clock.pass(15_000)
  }
  assert.equal(status(), 'failed')
  assert.equal(player.state.get().failure?.kind, 'unreachable')
  player.retry()
  sounding().arrive(200)
  assert.equal(sounding().currentTime, 30)
  assert.equal(status(), 'playing')
})

test('a file that this browser cannot decode is asked for transcoded, from where it was', async () => {
  const { player, sounding, status } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(200)
  sounding().sound(20)
  sounding().fail(mediaErrors.decode)
  await turn()
  assert.match(sounding().src, /\/transcode\?format=opus.*offsetMs=20000/)
  sounding().arrive(180)
  sounding().sound(5)
  assert.equal(status(), 'playing')
  assert.equal(player.state.get().positionMs, 25_000)
  player.seek(90_000)
  assert.match(sounding().src, /offsetMs=90000/)
})

test('a codec that the browser does not know is never asked for as it is', () => {
  const { player, elements, sounding } = setting()
  for (const element of elements)
    element.plays = (type) => !type.includes('wavpack') && !type.includes('audio/x-wv')
  player.playAll([makeTrack('w', { codec: 'wavpack', mediaType: 'audio/x-wv' })])
  assert.match(sounding().src, /\/transcode/)
})

test('a track that is gone is passed over with a word; a queue of them ends', async () => {
  const { player, elements, sounding, status, title } = setting(() => 404)
  player.playAll(makeTracks('ab'))
  sounding().fail(mediaErrors.notSupported)
  await turn()
  assert.equal(title(), 'b')
  assert.equal(player.state.get().failure?.kind, 'gone')
  assert.equal(player.state.get().failure?.track.title, 'a')
  elements.find((element) => element.src.includes('id-b'))?.fail(mediaErrors.notSupported)
  await turn()
  assert.equal(status(), 'failed')
})

test('when the browser wants a click first, the player waits for it', async () => {
  const { player, elements, status } = setting()
  for (const element of elements) element.refusal = new DOMException('no gesture', 'NotAllowedError')
  player.playAll(makeTracks('a'))
  await turn()
  assert.equal(status(), 'failed')
  assert.equal(player.state.get().failure?.kind, 'blocked')
  for (const element of elements) element.refusal = undefined
  player.play()
  elements[0].arrive(10)
  assert.equal(status(), 'playing')
})

test('a play counts once half of the track has sounded; jumping over it is not listening', () => {
  const { player, counted, sounding } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(200)
  sounding().sound(60)
  player.seek(190_000)
  sounding().sound(5)
  assert.deepEqual(counted, [])
  player.seek(0)
  sounding().sound(36)
  assert.deepEqual(counted, ['a'])
  sounding().sound(60)
  assert.deepEqual(counted, ['a'])
})

test('repeating one track counts each time round', () => {
  const { player, counted, sounding } = setting()
  player.playAll([makeTrack('a', { durationMs: 8_000 })])
  player.setRepeat('one')
  for (let round = 0; round < 2; round++) {
    sounding().arrive(8)
    sounding().sound(8)
    sounding().end()
  }
  assert.deepEqual(counted, ['a', 'a'])
})

test('a restored queue is silent until a person plays it, and then goes on where it was', () => {
  const { player, elements, sounding, status } = setting()
  player.restore(makeTracks('abc'), 1, 42_000)
  assert.equal(status(), 'paused')
  assert.ok(elements.every((element) => element.src === ''))
  player.play()
  sounding().arrive(200)
  assert.equal(sounding().currentTime, 42)
})

test('loudness: the slider is curved, ReplayGain levels, peaks are kept below clipping', () => {
  const { player, sounding } = setting()
  player.playAll([makeTrack('a', { replayGain: { trackGain: -6.02, trackPeak: 1, albumGain: -12.04 } })])
  assert.equal(sounding().volume, 1)
  player.setLevelling('track')
  assert.equal(Math.round(sounding().volume * 100), 50)
  player.setLevelling('album')
  assert.equal(Math.round(sounding().volume * 100), 25)
  player.setLevelling('off')
  player.setVolume(0.5)
  assert.equal(sounding().volume, 0.125)
  player.setMuted(true)
  assert.equal(sounding().muted, true)
})

test('the system pausing the sound is taken as the person pausing it', () => {
  const { player, sounding, status } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(200)
  sounding().sound(1)
  sounding().paused = true
  sounding().emit('pause')
  assert.equal(status(), 'paused')
})

/** The first voice sounds at 10 s, and the other has the same song from another gateway, a little ahead. */
function relocated() {
  const world = setting()
  const { player, elements, place, sounding } = world
  player.playAll(makeTracks('ab'))
  const first = sounding()
  first.arrive(200)
  first.sound(10)
  place.origin = 'http://other'
  player.relocate()
  const other = elements.find((element) => element !== first)
  assert.ok(other)
  assert.equal(other.src, 'http://other/api/tracks/id-a/audio?v=v')
  return { ...world, first, other }
}
/** What was promised is known. */
const aTurn = () => new Promise((resolve) => setImmediate(resolve))

test('[B5] when another gateway takes over, the other voice is brought into step unheard, and then takes its place', async () => {
  const { player, clock, first, other } = relocated()
  other.arrive(200)
  assert.equal(other.currentTime, 10.4)
  assert.equal(other.paused, true)
  clock.pass(340)
  await aTurn()
  assert.deepEqual([other.paused, other.volume], [false, 0.0001], 'it begins without being heard')
  first.currentTime = 10.4
  other.currentTime = 10.3
  clock.pass(20)
  assert.equal(other.playbackRate, 1.5, 'it is behind')
  first.currentTime = 10.42
  other.currentTime = 10.415
  clock.pass(20)
  assert.equal(other.playbackRate, 1, 'it has caught up')
  for (let look = 0; look < 10; look += 1) clock.pass(20)
  assert.deepEqual([first.volume > 0, other.volume], [true, 0.0001], 'what was fetched still sounds')
  clock.pass(20)
  assert.ok(other.volume > 0.1)
  assert.equal(first.src, '', 'and the first is silent')
  other.currentTime = 10.435
  other.sound(1)
  assert.equal(player.state.get().positionMs, 11_435)
  assert.equal(player.state.get().status, 'playing')
})

test('[B5] what was fetched ends before the voices are in step: the other one goes on at once', async () => {
  const { clock, first, other, status } = relocated()
  other.arrive(200)
  clock.pass(340)
  await aTurn()
  first.readyState = 2
  clock.pass(20)
  assert.deepEqual([first.src, other.paused, other.playbackRate], ['', false, 1])
  assert.ok(other.volume > 0.1)
  other.sound(0.25)
  assert.equal(status(), 'playing')
})

test('[B5] where only the person sets how loud it is, the other voice begins when its moment comes', () => {
  const { clock, first, other } = relocated()
  Object.defineProperty(other, 'volume', { get: () => 1, set: () => undefined })
  other.arrive(200)
  clock.pass(380)
  assert.equal(other.paused, true)
  clock.pass(20)
  assert.deepEqual([first.src, other.paused], ['', false])
})

test('who pauses while the voices are brought into step hears nothing more', async () => {
  const { player, clock, other, status } = relocated()
  other.arrive(200)
  clock.pass(340)
  await aTurn()
  player.pause()
  clock.pass(20)
  assert.deepEqual([status(), other.paused], ['paused', true])
  player.play()
  assert.equal(other.paused, false)
})

test('another song ends what was begun at another gateway; another queue around it does not', async () => {
  const { player, clock, other } = relocated()
  other.arrive(200)
  player.clear()
  clock.pass(340)
  await aTurn()
  assert.deepEqual([other.paused, other.volume], [false, 0.0001])
  player.playAll(makeTracks('c'))
  assert.deepEqual([other.paused, other.src], [true, ''])
})

test('what is paused when its gateway dies is played from the other one, from where it was', () => {
  const { player, place, sounding } = setting()
  player.playAll(makeTracks('ab'))
  sounding().arrive(200)
  sounding().sound(10)
  player.pause()
  place.origin = 'http://other'
  player.relocate()
  assert.equal(player.state.get().status, 'paused')
  assert.equal(sounding().src, 'http://other/api/tracks/id-a/audio?v=v')
  sounding().arrive(200)
  assert.equal(sounding().currentTime, 10)
})

test('the event of a pause that comes after play was pressed again stops nothing', () => {
  const { player, sounding, status } = setting()
  player.playAll(makeTracks('a'))
  sounding().arrive(200)
  sounding().sound(2)
  player.pause()
  player.play()
  sounding().sound(1)
  sounding().emit('pause')
  assert.equal(status(), 'playing')
  assert.equal(sounding().paused, false)
})
