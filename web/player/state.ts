import type { Clock } from './clock.ts'
import type { Levelling } from './loudness.ts'
import type { Playable } from './playable.ts'
import { currentEntry, type Queue, type Repeat } from './queue.ts'
import type { Settings } from './settings.ts'
import type { Store } from './store.ts'
import type { AudioElement } from './voice.ts'

/**
 * `loading`: sound is wanted and has not come yet. `recovering`: it broke off, and is being fetched again from the
 * same position. `failed`: a person must do something; `failure` says what about.
 */
export type Status = 'idle' | 'paused' | 'loading' | 'playing' | 'recovering' | 'failed'

export interface Failure {
  /** `blocked`: the browser wants a click first. `gone`, `unplayable`: this track was passed over. */
  kind: 'unreachable' | 'signedOut' | 'blocked' | 'gone' | 'unplayable'
  track: Playable
}

export interface PlayerState {
  queue: Queue
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
  playAll(tracks: readonly Playable[], start?: number): void
  /** The same in random order. */
  playShuffled(tracks: readonly Playable[]): void
  addNext(tracks: readonly Playable[]): void
  addLast(tracks: readonly Playable[]): void
  /** Puts a queue from an earlier visit in place, without playing. */
  restore(tracks: readonly Playable[], current: number, positionMs: number): void
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
  setRepeat(repeat: Repeat): void
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
  /** Where a track begins that is played anew, in milliseconds; without it, at its beginning. */
  beginsAt?(track: Playable): number
  /** A track has sounded long enough to count. */
  onPlayed(track: Playable): void
}

/** "Song – Artist" while a person hears it, or waits for it. */
export function soundingTitle({ status, queue }: PlayerState): string | undefined {
  if (status !== 'playing' && status !== 'loading' && status !== 'recovering') return undefined
  const track = currentEntry(queue)?.track
  if (track === undefined) return undefined
  return track.artist === '' ? track.title : `${track.title} – ${track.artist}`
}
