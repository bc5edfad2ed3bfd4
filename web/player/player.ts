import * as queues from './queue.ts'
import { createSounding } from './sounding.ts'
import type { Player, PlayerParts, PlayerState } from './state.ts'
import { createStore } from './store.ts'

const restartsAfterMs = 3_000

/** What a person can do with the music: changes of the queue, and what they mean for what sounds. */
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
  const sounding = createSounding(parts, state)
  const queue = () => state.get().queue

  function setQueue(changed: queues.Queue) {
    state.set({ queue: changed })
    sounding.queueChanged()
  }

  function playFrom(changed: queues.Queue) {
    setQueue(changed)
    sounding.want()
    sounding.begin(changed.current)
  }

  /** Adding to an empty queue makes its first track current, ready to be played. */
  function addTo(changed: queues.Queue) {
    const wasEmpty = queue().current < 0
    setQueue(changed)
    const entry = queues.currentEntry(changed)
    if (wasEmpty && entry !== undefined) {
      const positionMs = parts.beginsAt?.(entry.track) ?? 0
      state.set({ status: 'paused', positionMs, durationMs: entry.track.durationMs })
    }
  }

  return {
    state,
    playAll(tracks, start = 0) {
      if (tracks.length > 0) playFrom(queues.replaceWith(queue(), tracks, start, chance))
    },
    playShuffled(tracks) {
      if (tracks.length === 0) return
      const start = Math.floor(chance.random() * tracks.length)
      playFrom(queues.replaceWith({ ...queue(), shuffled: true }, tracks, start, chance))
    },
    addNext: (tracks) => addTo(queues.addNext(queue(), tracks, chance)),
    addLast: (tracks) => addTo(queues.addLast(queue(), tracks, chance)),
    restore(tracks, index, positionMs) {
      const { shuffled: wasShuffled } = queue()
      const restored = queues.replaceWith({ ...queue(), shuffled: false }, tracks, index, chance)
      const track = queues.currentEntry(restored)?.track
      state.set({
        queue: { ...restored, shuffled: wasShuffled },
        status: track === undefined ? 'idle' : 'paused',
        positionMs,
        durationMs: track?.durationMs ?? 0,
      })
    },
    jumpTo(index) {
      sounding.want()
      sounding.begin(index)
    },
    remove(index) {
      const wasCurrent = index === queue().current
      setQueue(queues.removeAt(queue(), index))
      if (!wasCurrent) return
      if (queue().current < 0) sounding.silence()
      else sounding.begin(queue().current)
    },
    move: (from, to) => setQueue(queues.move(queue(), from, to)),
    clear: () => setQueue(queues.clearOthers(queue())),
    play: sounding.play,
    pause: sounding.stop,
    toggle: sounding.toggle,
    seek: sounding.seek,
    next() {
      const index = queues.indexAfter(queue(), true)
      if (index !== undefined) sounding.begin(index)
    },
    previous() {
      const index = queues.indexBefore(queue())
      if (state.get().positionMs > restartsAfterMs || index === undefined) sounding.seek(0)
      else sounding.begin(index)
    },
    setVolume(slider) {
      state.set({ volume: Math.min(Math.max(slider, 0), 1), muted: false })
      sounding.level()
    },
    setMuted(muted) {
      state.set({ muted })
      sounding.level()
    },
    setRepeat: (mode) => setQueue({ ...queue(), repeat: mode }),
    setShuffled: (on) => setQueue(queues.setShuffled(queue(), on, chance)),
    setLevelling(levelling) {
      state.set({ levelling })
      sounding.level()
    },
    retry: sounding.retry,
    relocate: sounding.relocate,
  }
}
