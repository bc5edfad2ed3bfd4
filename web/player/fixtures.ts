import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import type { Clock } from './clock.ts'
import type { AudioElement } from './voice.ts'

/** What the player's tests play with: tracks, an audio element and a clock that are moved by hand. */

export function makeTrack(name: string, change: Partial<TrackSummary> = {}): TrackSummary {
  return {
    id: `id-${name}`,
    title: name,
    artists: [],
    artist: '',
    album: { id: 'album', name: 'Album' },
    albumArtists: [],
    genres: [],
    durationMs: 200_000,
    codec: 'vorbis',
    mediaType: 'audio/ogg',
    suffix: 'ogg',
    bitrate: 128,
    size: 1,
    version: 'v',
    cover: 'c',
    addedAt: 0,
    mark: { playCount: 0 },
    ...change,
  }
}

export const makeTracks = (names: string) => [...names].map((name) => makeTrack(name))

/** Behaves as browsers do: loading forgets the position, playing is asked for and granted at once. */
export class FakeAudio implements AudioElement {
  src = ''
  duration = Number.NaN
  volume = 1
  muted = false
  playbackRate = 1
  preload = ''
  paused = true
  ended = false
  readyState = 0
  error: { code: number } | null = null
  bufferedEnd = 0
  /** What `play` is refused with. */
  refusal: Error | undefined
  plays: (type: string) => boolean = () => true
  readonly #listeners = new Map<string, Set<() => void>>()
  #time = 0

  get currentTime() {
    return this.#time
  }
  set currentTime(seconds: number) {
    if (this.readyState > 0) this.#time = seconds
  }
  get buffered() {
    return { length: this.bufferedEnd > 0 ? 1 : 0, end: () => this.bufferedEnd }
  }
  addEventListener(type: string, listener: () => void) {
    const known = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, known.add(listener))
  }
  emit(type: string) {
    for (const listener of this.#listeners.get(type) ?? []) listener()
  }
  canPlayType(type: string) {
    return this.plays(type) ? 'probably' : ''
  }
  load() {
    this.paused = true
    this.ended = false
    this.error = null
    this.readyState = 0
    this.bufferedEnd = 0
    this.#time = 0
  }
  async play() {
    if (this.refusal !== undefined) throw this.refusal
    this.paused = false
    this.ended = false
  }
  pause() {
    this.paused = true
  }
  removeAttribute() {
    this.src = ''
  }

  /** The bytes come: the length is known, and sound begins if it was asked for. */
  arrive(seconds: number) {
    this.duration = seconds
    this.readyState = 4
    this.emit('durationchange')
    this.emit('loadedmetadata')
    this.emit('canplay')
    if (!this.paused) this.emit('playing')
  }
  /** Sounds for this long, a quarter of a second at a time. */
  sound(seconds: number) {
    for (let step = 0; step < seconds * 4; step++) {
      this.#time += 0.25
      this.emit('timeupdate')
    }
  }
  end() {
    this.paused = true
    this.ended = true
    this.emit('pause')
    this.emit('ended')
  }
  fail(code: number) {
    this.error = { code }
    this.emit('error')
  }
}

export interface FakeClock extends Clock {
  pass(ms: number): void
}

export function fakeClock(): FakeClock {
  let now = 0
  let timers: { at: number; action: () => void }[] = []
  return {
    now: () => now,
    after(ms, action) {
      const timer = { at: now + ms, action }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    pass(ms) {
      now += ms
      const due = timers.filter((timer) => timer.at <= now)
      timers = timers.filter((timer) => timer.at > now)
      for (const timer of due) timer.action()
    },
  }
}

export function memoryStorage() {
  const items = new Map<string, string>()
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem(key: string, value: string) {
      items.set(key, value)
    },
  }
}
