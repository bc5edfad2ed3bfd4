import type { EpisodeSummary } from '../../src/protocol/api/podcasts.ts'
import type { Clock } from './clock.ts'
import type { Playable } from './playable.ts'
import { currentEntry } from './queue.ts'
import type { PlayerState } from './state.ts'
import type { Store } from './store.ts'

/** Where a person goes on in long things: an episode that was left begins there the next time, on every device. */
export interface Places {
  /** Milliseconds; 0 for what begins at its beginning. */
  of(track: Pick<Playable, 'kind' | 'id'>): number
  /** What the server says: it has what this page has kept, and what other devices have since. */
  learn(episodes: readonly EpisodeSummary[]): void
  /** Keeps where the player has come to from now on. */
  follow(state: Store<PlayerState>): void
  /** The page closes: keeps at once what has not been kept. */
  flush(): void
}

/** While an episode sounds, its place is kept this often. */
const keepsEveryMs = 20_000
/** Whoever has come this close to the end has heard it. */
const heardBeforeEndMs = 10_000

/** `keep` may fail: the place is kept with the next one. */
export function createPlaces(parts: {
  clock: Clock
  keep(episode: string, positionMs: number): Promise<unknown>
}): Places {
  const { clock } = parts
  const known = new Map<string, number>()
  let moved: { readonly id: string; readonly positionMs: number } | undefined
  let keptAt = clock.now()

  function flush() {
    if (moved === undefined) return
    const { id, positionMs } = moved
    moved = undefined
    keptAt = clock.now()
    known.set(id, positionMs)
    void parts.keep(id, positionMs).catch(() => undefined)
  }

  return {
    of: ({ kind, id }) => (kind === 'episode' ? (known.get(id) ?? 0) : 0),
    learn(episodes) {
      for (const { id, placeMs = 0 } of episodes) if (moved?.id !== id) known.set(id, placeMs)
    },
    follow(state) {
      state.subscribe((now, before) => {
        const entry = currentEntry(now.queue)
        const goesOn = entry?.key === currentEntry(before.queue)?.key
        if (!goesOn) flush()
        if (goesOn && entry?.track.kind === 'episode' && now.positionMs !== before.positionMs) {
          const isHeard = now.durationMs - now.positionMs < heardBeforeEndMs
          // At its end the player goes back to the beginning, which nobody has heard.
          if (now.positionMs > 0) {
            moved = { id: entry.track.id, positionMs: isHeard ? 0 : Math.round(now.positionMs) }
          }
        }
        const rests = now.status === 'paused' || now.status === 'idle' || now.status === 'failed'
        const settles = rests && now.status !== before.status
        if (settles || clock.now() - keptAt > keepsEveryMs) flush()
      })
    },
    flush,
  }
}
