import { createHeard } from './heard.ts'
import { type Hearing, listenTo } from './hearing.ts'
import { createJoint, remainingMs } from './joint.ts'
import * as queues from './queue.ts'
import { createRecovery } from './recovery.ts'
import { createRelocation } from './relocation.ts'
import type { Failure, PlayerParts, PlayerState } from './state.ts'
import type { Store } from './store.ts'
import { createTail } from './tail.ts'
import type { AudioElement, Voice } from './voice.ts'
import { createVoices } from './voices.ts'

/** What makes the queue sound: it takes the current entry to the ear, and goes on to the next by itself. */
export interface Sounding {
  /** Makes the entry at `index` current, from where it begins. */
  begin(index: number): void
  /** Sound is wanted; `begin` or `play` brings it. */
  want(): void
  play(): void
  stop(): void
  toggle(): void
  seek(positionMs: number): void
  /** Nothing is current any more. */
  silence(): void
  /** What was fetched ahead may no longer come next. */
  queueChanged(): void
  /** The volume or the levelling is another. */
  level(): void
  retry(): void
  relocate(): void
}

/** The next track is fetched when this one is fetched whole, or has this long to go. */
const fetchesNextBeforeMs = 25_000
/** A stream that was made for us and ends this much early was cut off. */
const cutOffMs = 8_000

export function createSounding(parts: PlayerParts, state: Store<PlayerState>): Sounding {
  const voices = createVoices({ elements: parts.elements, address: parts.address, loudness: state.get })
  const heard = createHeard(parts.onPlayed)
  /** Whether a person wants to hear sound now. */
  let wanted = false
  let passedOver = 0

  const current = () => queues.currentEntry(state.get().queue)
  const following = () => {
    const { queue } = state.get()
    const index = queues.indexAfter(queue)
    return index === undefined ? undefined : queue.entries[index]
  }

  const recovery = createRecovery({
    clock: parts.clock,
    probe: parts.probe,
    onWait: () => state.set({ status: 'recovering' }),
    onRetry: () => loadCurrent(state.get().positionMs),
    onTranscode() {
      const entry = current()
      if (entry !== undefined) voices.transcode(entry)
      loadCurrent(state.get().positionMs)
    },
    onPassOver: passOver,
    onGiveUp: fail,
  })
  const relocation = createRelocation(parts.clock, voices, current, () => {
    voices.swap()
    if (!wanted) voices.active.element.pause()
    else if (voices.active.element.paused) sound()
    voices.idle.unload()
  })
  const tail = createTail(parts.clock)
  const joint = createJoint(
    parts.clock,
    () => (wanted && !relocation.underway ? remainingMs(voices, current(), following()) : undefined),
    goOnInTime,
  )

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

  /** What is heard over and over begins at its beginning, wherever its listener once left it. */
  const startOf = ({ track }: queues.Entry, isAgain: boolean) =>
    isAgain ? 0 : (parts.beginsAt?.(track) ?? 0)

  function begin(index: number, isAgain = false) {
    tail.end()
    const entry = makeCurrent(index, isAgain)
    if (entry === undefined) return
    if (voices.idle.entry?.key === entry.key && voices.idle.element.error === null) {
      voices.swap()
      voices.idle.unload()
      sound()
    } else {
      loadCurrent(state.get().positionMs)
    }
  }

  function makeCurrent(index: number, isAgain: boolean): queues.Entry | undefined {
    const { queue } = state.get()
    const entry = queue.entries[index]
    if (entry === undefined) return undefined
    recovery.reset()
    relocation.cancel()
    joint.cancel()
    heard.reset()
    const durationMs = entry.track.durationMs
    state.set({
      queue: { ...queue, current: index },
      positionMs: startOf(entry, isAgain),
      bufferedMs: 0,
      durationMs,
      failure: undefined,
    })
    return entry
  }

  function goOnInTime() {
    const { queue } = state.get()
    const index = queues.indexAfter(queue)
    if (index === undefined || makeCurrent(index, index === queue.current) === undefined) return
    tail.begin(voices.active)
    voices.swap()
    sound()
  }

  function loadCurrent(positionMs: number) {
    const entry = current()
    if (entry === undefined) return
    voices.load(voices.active, entry, positionMs)
    if (wanted) sound()
    else state.set({ status: 'paused' })
  }

  /** Lets the active voice sound, if sound is wanted. */
  function sound() {
    if (!wanted) return
    const voice = voices.active
    if (state.get().status !== 'recovering') state.set({ status: 'loading' })
    recovery.watch()
    voice.element.play().catch((error: unknown) => {
      if (voice !== voices.active || !(error instanceof Error) || error.name !== 'NotAllowedError') return
      const other = voices.idle
      if (other.element.paused && other.entry === undefined && unlocked.has(other.element)) {
        return soundOnOther()
      }
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
    voices.swap()
    voices.idle.unload()
    voices.load(voices.active, entry, state.get().positionMs)
    sound()
  }

  function stop() {
    wanted = false
    recovery.reset()
    joint.cancel()
    tail.end()
    // Who hears no more of a station leaves it, and comes back to what it sends then.
    if (isLive()) voices.active.unload()
    else voices.active.element.pause()
    state.set({ status: state.get().queue.current < 0 ? 'idle' : 'paused' })
  }

  const isLive = () => voices.active.source?.kind === 'live'

  function fetchNext() {
    if (isLive()) return
    const { positionMs, durationMs, bufferedMs } = state.get()
    const entry = following()
    const taken = tail.isHeard || relocation.underway || voices.idle.entry?.key === entry?.key
    if (entry === undefined || taken) return
    if (durationMs - positionMs > fetchesNextBeforeMs && bufferedMs < durationMs - 500) return
    voices.load(voices.idle, entry, startOf(entry, entry.key === current()?.key))
  }

  function onTime(voice: Voice) {
    const entry = current()
    if (voice !== voices.active || entry === undefined || voice.entry?.key !== entry.key) return
    const positionMs = voice.positionMs()
    const stepMs = positionMs - state.get().positionMs
    if (!voice.element.paused) heard.step(stepMs, entry.track)
    if (stepMs > 0 && !voice.element.paused && wanted) {
      passedOver = 0
      recovery.progress()
      state.set({ status: 'playing', failure: undefined })
    }
    state.set({ positionMs, bufferedMs: voice.bufferedMs() })
    fetchNext()
    joint.plan()
  }

  function onEnded(voice: Voice) {
    tail.ended(voice)
    const entry = current()
    if (voice !== voices.active || entry === undefined) return
    const { positionMs, durationMs, queue } = state.get()
    const early = voice.source?.kind === 'transcoded' && durationMs - positionMs > cutOffMs
    if (voice.source !== undefined && (isLive() || (early && recovery.attempts() === 0))) {
      return recovery.broken('network', voice.source)
    }
    const next = queues.indexAfter(queue)
    if (next !== undefined) return begin(next, next === queue.current)
    stop()
    heard.reset()
    voices.active.unload()
    state.set({ positionMs: 0 })
  }

  const hearing: Hearing = {
    time: onTime,
    ended: onEnded,
    fetched(voice) {
      state.set({ bufferedMs: voice.bufferedMs() })
      fetchNext()
    },
    measured: (durationMs) => state.set({ durationMs }),
    playing({ element }) {
      unlocked.add(element)
      if (wanted) state.set({ status: 'playing' })
    },
    waiting() {
      if (!wanted || state.get().status !== 'playing') return
      state.set({ status: 'loading' })
      recovery.watch()
    },
    // What the system does is what the person wants.
    taken() {
      if (wanted && state.get().status === 'playing') stop()
    },
    broken: recovery.broken,
  }
  for (const voice of voices.both) listenTo(voice, (one) => one === voices.active, hearing)

  /** Whether the active voice carries the current entry, and can go on with it. */
  const isLoaded = () => voices.active.entry?.key === current()?.key && voices.active.element.error === null

  function play() {
    if (current() === undefined) return
    wanted = true
    state.set({ failure: undefined })
    if (isLoaded()) sound()
    else loadCurrent(state.get().positionMs)
  }

  return {
    begin: (index) => begin(index),
    want() {
      wanted = true
    },
    play,
    stop,
    toggle: () => (wanted && state.get().status !== 'failed' ? stop() : play()),
    seek(ms) {
      const entry = current()
      if (entry === undefined || entry.track.kind === 'station') return
      const positionMs = Math.min(Math.max(ms, 0), Math.max(0, state.get().durationMs - 250))
      state.set({ positionMs })
      const { active } = voices
      if (active.entry?.key !== entry.key) return
      if (
        active.source?.kind === 'direct' &&
        active.element.readyState > 0 &&
        active.element.error === null
      ) {
        active.element.currentTime = positionMs / 1000
      } else {
        loadCurrent(positionMs)
      }
    },
    silence() {
      stop()
      relocation.cancel()
      voices.active.unload()
      state.set({ positionMs: 0, durationMs: 0, bufferedMs: 0 })
    },
    queueChanged() {
      const { idle } = voices
      if (relocation.underway) return
      if (idle.entry !== undefined && idle.entry.key !== following()?.key) idle.unload()
    },
    level: voices.level,
    retry() {
      const { status, failure } = state.get()
      if (status === 'recovering') recovery.now()
      else if (status === 'failed' && failure?.kind !== 'blocked') play()
    },
    relocate() {
      const entry = current()
      if (entry === undefined) return
      tail.end()
      relocation.cancel()
      voices.idle.unload()
      if (state.get().status === 'playing' && isLoaded() && !isLive()) relocation.begin(entry)
      else loadCurrent(state.get().positionMs)
    },
  }
}
