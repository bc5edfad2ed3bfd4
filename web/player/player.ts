import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import type { Clock } from './clock.ts'
import { amplitude, type Levelling, levellingFactor } from './loudness.ts'
import { countsAfterMs } from './plays.ts'
import * as queues from './queue.ts'
import { createRecovery } from './recovery.ts'
import type { Settings } from './settings.ts'
import { sourceOf } from './source.ts'
import { createStore, type Store } from './store.ts'
import { type AudioElement, createVoice, type Voice } from './voice.ts'

/**
 * `loading`: sound is wanted and has not come yet. `recovering`: it broke off, and is being fetched again from the
 * same position. `failed`: a person must do something; `failure` says what about.
 */
export type Status = 'idle' | 'paused' | 'loading' | 'playing' | 'recovering' | 'failed'

export interface Failure {
  /** `blocked`: the browser wants a click first. `gone`, `unplayable`: this track was passed over. */
  kind: 'unreachable' | 'signedOut' | 'blocked' | 'gone' | 'unplayable'
  track: TrackSummary
}

export interface PlayerState {
  queue: queues.Queue
  status: Status
  failure: Failure | undefined
  positionMs: number
  durationMs: number
  bufferedMs: number
  /** The slider's place, 0…1; what the ear gets follows from `amplitude`. */
  volume: number
  muted: boolean
  levelling: Levelling
}

export interface Player {
  readonly state: Store<PlayerState>
  /** Replaces the queue and plays from `start`. */
  playAll(tracks: readonly TrackSummary[], start?: number): void
  /** The same in random order. */
  playShuffled(tracks: readonly TrackSummary[]): void
  addNext(tracks: readonly TrackSummary[]): void
  addLast(tracks: readonly TrackSummary[]): void
  /** Puts a queue from an earlier visit in place, without playing. */
  restore(tracks: readonly TrackSummary[], current: number, positionMs: number): void
  jumpTo(index: number): void
  remove(index: number): void
  move(from: number, to: number): void
  /** Leaves only what plays now. */
  clear(): void
  play(): void
  pause(): void
  toggle(): void
  seek(positionMs: number): void
  next(): void
  /** Back to the start of the track; within its first three seconds, to the one before. */
  previous(): void
  setVolume(slider: number): void
  setMuted(muted: boolean): void
  setRepeat(repeat: queues.Repeat): void
  setShuffled(shuffled: boolean): void
  setLevelling(levelling: Levelling): void
  /** Tries again now what is being waited for: the network is back, or a person asks. */
  retry(): void
  /** The addresses have changed, since another gateway has taken over: goes on there, without a pause. */
  relocate(): void
}

export interface PlayerParts {
  elements: readonly [AudioElement, AudioElement]
  clock: Clock
  settings: Settings
  random?: () => number
  /** Where the path is to be had now. */
  address(path: string): string
  /** The HTTP status that the address answers; undefined where the server cannot be reached. */
  probe(url: string): Promise<number | undefined>
  /** A track has sounded long enough to count. */
  onPlayed(track: TrackSummary): void
}

const restartsAfterMs = 3_000
/** The next track is fetched when this one is fetched whole, or has this long to go. */
const fetchesNextBeforeMs = 25_000
/** Steps between two time updates that are longer than this are jumps, not listening. */
const longestStepMs = 2_500
/** A stream that was made for us and ends this much early was cut off. */
const cutOffMs = 8_000

export function createPlayer(parts: PlayerParts): Player {
  let keys = 0
  const chance: queues.Chance = { random: parts.random ?? Math.random, newKey: () => `e${++keys}` }
  const { repeat, shuffled, ...loudness } = parts.settings
  const state = createStore<PlayerState>({
    queue: { ...queues.emptyQueue, repeat, shuffled },
    status: 'idle',
    failure: undefined,
    positionMs: 0,
    durationMs: 0,
    bufferedMs: 0,
    ...loudness,
  })

  let [active, idle]: [Voice, Voice] = [createVoice(parts.elements[0]), createVoice(parts.elements[1])]
  /** Whether a person wants to hear sound now. */
  let wanted = false
  let heardMs = 0
  let counted = false
  let passedOver = 0
  /** Entries that this browser could not play as they are. */
  const transcoded = new Set<string>()

  const current = () => queues.currentEntry(state.get().queue)

  const recovery = createRecovery({
    clock: parts.clock,
    probe: parts.probe,
    onWait: () => state.set({ status: 'recovering' }),
    onRetry: () => loadCurrent(state.get().positionMs),
    onTranscode() {
      const entry = current()
      if (entry !== undefined) transcoded.add(entry.key)
      loadCurrent(state.get().positionMs)
    },
    onPassOver: passOver,
    onGiveUp: fail,
  })

  function fail(kind: Failure['kind']) {
    const track = current()?.track
    if (track !== undefined) state.set({ status: 'failed', failure: { kind, track } })
  }

  /** Goes on with the next track, unless nothing in the queue seems to play. */
  function passOver(kind: 'gone' | 'unplayable') {
    const track = current()?.track
    const { queue } = state.get()
    const next = queues.indexAfter(queue, true)
    passedOver += 1
    if (track === undefined || next === undefined || passedOver >= queue.entries.length) return fail(kind)
    begin(next)
    state.set({ failure: { kind, track } })
  }

  function applyVolume() {
    const { volume, muted, levelling } = state.get()
    for (const voice of [active, idle]) {
      const factor = voice.entry === undefined ? 1 : levellingFactor(voice.entry.track, levelling)
      voice.element.volume = Math.min(1, amplitude(volume) * factor)
      voice.element.muted = muted
    }
  }

  function load(voice: Voice, entry: queues.Entry, positionMs: number) {
    const canPlay = (type: string) => voice.element.canPlayType(type)
    const source = sourceOf(entry.track, canPlay, {
      transcoded: transcoded.has(entry.key),
      offsetMs: positionMs,
    })
    voice.load(entry, { ...source, url: parts.address(source.url) }, positionMs)
    applyVolume()
  }

  /** Makes the entry at `index` current, from its start. */
  function begin(index: number) {
    const { queue } = state.get()
    const entry = queue.entries[index]
    if (entry === undefined) return
    recovery.reset()
    relocating = undefined
    heardMs = 0
    counted = false
    state.set({
      queue: { ...queue, current: index },
      positionMs: 0,
      bufferedMs: 0,
      durationMs: entry.track.durationMs,
      failure: undefined,
    })
    if (idle.entry?.key === entry.key && idle.element.error === null) {
      ;[active, idle] = [idle, active]
      idle.unload()
      applyVolume()
      sound()
    } else {
      loadCurrent(0)
    }
  }

  function loadCurrent(positionMs: number) {
    const entry = current()
    if (entry === undefined) return
    load(active, entry, positionMs)
    if (wanted) sound()
    else state.set({ status: 'paused' })
  }

  /** Lets the active voice sound, if sound is wanted. */
  function sound() {
    if (!wanted) return
    const voice = active
    if (state.get().status !== 'recovering') state.set({ status: 'loading' })
    recovery.watch()
    voice.element.play().catch((error: unknown) => {
      if (voice !== active || !(error instanceof Error) || error.name !== 'NotAllowedError') return
      if (idle.element.paused && idle.entry === undefined && unlocked.has(idle.element)) return soundOnOther()
      wanted = false
      recovery.reset()
      fail('blocked')
    })
  }

  /** Some browsers let only the element sound that a person once started; it then carries this track too. */
  const unlocked = new Set<AudioElement>()
  function soundOnOther() {
    const entry = current()
    if (entry === undefined) return
    ;[active, idle] = [idle, active]
    idle.unload()
    load(active, entry, state.get().positionMs)
    sound()
  }

  function stop() {
    wanted = false
    recovery.reset()
    active.element.pause()
    state.set({ status: state.get().queue.current < 0 ? 'idle' : 'paused' })
  }

  /** After any change of the queue: what was fetched ahead may no longer come next. */
  function setQueue(queue: queues.Queue) {
    state.set({ queue })
    const next = queues.indexAfter(queue)
    const entry = next === undefined ? undefined : queue.entries[next]
    if (idle.entry !== undefined && idle.entry.key !== entry?.key) idle.unload()
  }

  function fetchNext() {
    const { queue, positionMs, durationMs, bufferedMs } = state.get()
    const index = queues.indexAfter(queue)
    const entry = index === undefined ? undefined : queue.entries[index]
    if (entry === undefined || relocating !== undefined || idle.entry?.key === entry.key) return
    if (durationMs - positionMs > fetchesNextBeforeMs && bufferedMs < durationMs - 500) return
    load(idle, entry, 0)
  }

  /** Ahead of what sounds, so that the other voice has its bytes when its moment comes. */
  const relocationLeadMs = 400
  let relocating: string | undefined

  function relocate() {
    const entry = current()
    if (entry === undefined) return
    const { positionMs, status } = state.get()
    idle.unload()
    const sounds = status === 'playing' && active.entry?.key === entry.key && active.element.error === null
    if (!sounds) return loadCurrent(positionMs)
    // What it has fetched still sounds; meanwhile the other voice fetches what follows.
    relocating = entry.key
    load(idle, entry, active.positionMs() + relocationLeadMs)
  }

  /** The other voice has its bytes: it goes on where this one will be. */
  function finishRelocation() {
    if (relocating === undefined || idle.entry?.key !== relocating || current()?.key !== relocating) return
    relocating = undefined
    const aheadMs = idle.positionMs() - active.positionMs()
    const next = idle
    parts.clock.after(Math.max(0, aheadMs), () => {
      if (next !== idle || current()?.key !== next.entry?.key) return
      ;[active, idle] = [idle, active]
      applyVolume()
      sound()
      idle.unload()
    })
  }

  function countListening(stepMs: number, track: TrackSummary) {
    if (stepMs <= 0 || stepMs > longestStepMs) return
    heardMs += stepMs
    if (counted || heardMs < countsAfterMs(track.durationMs)) return
    counted = true
    parts.onPlayed(track)
  }

  function onTime(voice: Voice) {
    const entry = current()
    if (voice !== active || entry === undefined || voice.entry?.key !== entry.key) return
    const positionMs = voice.positionMs()
    const stepMs = positionMs - state.get().positionMs
    if (!voice.element.paused) countListening(stepMs, entry.track)
    if (stepMs > 0 && !voice.element.paused && wanted) {
      passedOver = 0
      recovery.progress()
      state.set({ status: 'playing', failure: undefined })
    }
    state.set({ positionMs, bufferedMs: voice.bufferedMs() })
    fetchNext()
  }

  function onEnded(voice: Voice) {
    const entry = current()
    if (voice !== active || entry === undefined) return
    const { positionMs, durationMs, queue } = state.get()
    if (
      voice.source?.kind === 'transcoded' &&
      durationMs - positionMs > cutOffMs &&
      recovery.attempts() === 0
    ) {
      return recovery.broken('network', voice.source)
    }
    const next = queues.indexAfter(queue)
    if (next !== undefined) return begin(next)
    stop()
    heardMs = 0
    counted = false
    active.unload()
    state.set({ positionMs: 0 })
  }

  function listenTo(voice: Voice) {
    const { element } = voice
    const whenActive = (type: string, action: () => void) =>
      element.addEventListener(type, () => {
        if (voice === active && voice.entry !== undefined) action()
      })
    element.addEventListener('timeupdate', () => onTime(voice))
    element.addEventListener('ended', () => onEnded(voice))
    element.addEventListener('canplay', () => {
      if (voice === idle) finishRelocation()
    })
    whenActive('progress', () => {
      state.set({ bufferedMs: voice.bufferedMs() })
      fetchNext()
    })
    whenActive('durationchange', () => {
      const exact = voice.source?.kind === 'direct' && Number.isFinite(element.duration)
      if (exact && element.duration > 0) state.set({ durationMs: element.duration * 1000 })
    })
    whenActive('playing', () => {
      unlocked.add(element)
      if (wanted) state.set({ status: 'playing' })
    })
    whenActive('waiting', () => {
      if (!wanted || state.get().status !== 'playing') return
      state.set({ status: 'loading' })
      recovery.watch()
    })
    whenActive('pause', () => {
      // Headphones were pulled out, or another program took the sound: what the system does is what the person wants.
      if (wanted && !element.ended && element.error === null && state.get().status === 'playing') stop()
    })
    whenActive('error', () => {
      if (element.error !== null && voice.source !== undefined)
        recovery.broken(element.error.code, voice.source)
    })
  }
  listenTo(active)
  listenTo(idle)
  applyVolume()

  function play() {
    const entry = current()
    if (entry === undefined) return
    wanted = true
    state.set({ failure: undefined })
    if (active.entry?.key === entry.key && active.element.error === null) sound()
    else loadCurrent(state.get().positionMs)
  }

  function seek(ms: number) {
    const entry = current()
    if (entry === undefined) return
    const positionMs = Math.min(Math.max(ms, 0), Math.max(0, state.get().durationMs - 250))
    state.set({ positionMs })
    if (active.entry?.key !== entry.key) return
    if (active.source?.kind === 'direct' && active.element.readyState > 0 && active.element.error === null) {
      active.element.currentTime = positionMs / 1000
    } else {
      loadCurrent(positionMs)
    }
  }

  return {
    state,
    playAll(tracks, start = 0) {
      if (tracks.length === 0) return
      setQueue(queues.replaceWith(state.get().queue, tracks, start, chance))
      wanted = true
      begin(state.get().queue.current)
    },
    playShuffled(tracks) {
      if (tracks.length === 0) return
      const start = Math.floor(chance.random() * tracks.length)
      setQueue(queues.replaceWith({ ...state.get().queue, shuffled: true }, tracks, start, chance))
      wanted = true
      begin(state.get().queue.current)
    },
    addNext: (tracks) => addTo(queues.addNext(state.get().queue, tracks, chance)),
    addLast: (tracks) => addTo(queues.addLast(state.get().queue, tracks, chance)),
    restore(tracks, index, positionMs) {
      const queue = queues.replaceWith({ ...state.get().queue, shuffled: false }, tracks, index, chance)
      const track = queues.currentEntry(queue)?.track
      state.set({
        queue: { ...queue, shuffled: state.get().queue.shuffled },
        status: track === undefined ? 'idle' : 'paused',
        positionMs,
        durationMs: track?.durationMs ?? 0,
      })
    },
    relocate,
    jumpTo(index) {
      wanted = true
      begin(index)
    },
    remove(index) {
      const { queue } = state.get()
      const wasCurrent = index === queue.current
      setQueue(queues.removeAt(queue, index))
      if (!wasCurrent) return
      if (state.get().queue.current < 0) {
        stop()
        active.unload()
        state.set({ positionMs: 0, durationMs: 0, bufferedMs: 0 })
      } else begin(state.get().queue.current)
    },
    move: (from, to) => setQueue(queues.move(state.get().queue, from, to)),
    clear: () => setQueue(queues.clearOthers(state.get().queue)),
    play,
    pause: stop,
    toggle: () => (wanted && state.get().status !== 'failed' ? stop() : play()),
    seek,
    next() {
      const index = queues.indexAfter(state.get().queue, true)
      if (index !== undefined) begin(index)
    },
    previous() {
      const index = queues.indexBefore(state.get().queue)
      if (state.get().positionMs > restartsAfterMs || index === undefined) seek(0)
      else begin(index)
    },
    setVolume(slider) {
      state.set({ volume: Math.min(Math.max(slider, 0), 1), muted: false })
      applyVolume()
    },
    setMuted(muted) {
      state.set({ muted })
      applyVolume()
    },
    setRepeat: (mode) => setQueue({ ...state.get().queue, repeat: mode }),
    setShuffled: (on) => setQueue(queues.setShuffled(state.get().queue, on, chance)),
    setLevelling(levelling) {
      state.set({ levelling })
      applyVolume()
    },
    retry() {
      const { status, failure } = state.get()
      if (status === 'recovering') recovery.now()
      else if (status === 'failed' && failure?.kind !== 'blocked') play()
    },
  }

  /** Adding to an empty queue makes its first track current, ready to be played. */
  function addTo(queue: queues.Queue) {
    const wasEmpty = state.get().queue.current < 0
    setQueue(queue)
    const entry = queues.currentEntry(queue)
    if (wasEmpty && entry !== undefined) {
      state.set({ status: 'paused', positionMs: 0, durationMs: entry.track.durationMs })
    }
  }
}
