import type { Playable } from './playable.ts'
import { countsAfterMs } from './plays.ts'

/** Counts what was really heard of a track, and says once when that is enough to be a play. */
export interface Heard {
  /** The audio went on by `stepMs`. */
  step(stepMs: number, track: Playable): void
  /** Another track, or this one anew. */
  reset(): void
}

/** Steps between two time updates that are longer than this are jumps, not listening. */
const longestStepMs = 2_500

export function createHeard(onPlayed: (track: Playable) => void): Heard {
  let heardMs = 0
  let counted = false
  return {
    step(stepMs, track) {
      if (stepMs <= 0 || stepMs > longestStepMs) return
      heardMs += stepMs
      if (counted || heardMs < countsAfterMs(track.durationMs)) return
      counted = true
      onPlayed(track)
    },
    reset() {
      heardMs = 0
      counted = false
    },
  }
}
