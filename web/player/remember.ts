import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import type { Clock } from './clock.ts'
import type { Player, PlayerState } from './player.ts'

/** The queue as the server keeps it, so that it is there on the next device. */
export interface SavedQueue {
  tracks: string[]
  current: number | undefined
  positionMs: number
}

const settlesAfterMs = 1_500
/** While playing, the position is saved this often. */
const savesEveryMs = 20_000

/** Puts the queue of the last visit back, paused. A track that is gone leaves its place to the next one. */
export function restoreQueue(
  player: Player,
  saved: { items: readonly (TrackSummary | null)[]; current?: number | undefined; positionMs: number },
): void {
  if (player.state.get().queue.entries.length > 0) return
  const wanted = saved.current ?? 0
  const tracks = saved.items.filter((item) => item !== null)
  if (tracks.length === 0) return
  const before = saved.items.slice(0, wanted).filter((item) => item !== null).length
  const stillThere = saved.items[wanted] !== null && saved.items[wanted] !== undefined
  player.restore(tracks, Math.min(before, tracks.length - 1), stillThere ? saved.positionMs : 0)
}

/** Saves the queue when it has changed and settled. `flush` saves at once what has not been saved (the page closes). */
export function rememberQueue(
  player: Player,
  save: (queue: SavedQueue, leaving: boolean) => Promise<unknown>,
  clock: Clock,
): { flush(): void; stop(): void } {
  let dirty = false
  let savedAt = clock.now()
  let cancel = () => {}

  function saveNow(leaving: boolean) {
    cancel()
    if (!dirty) return
    dirty = false
    savedAt = clock.now()
    const queue = savedQueue(player.state.get())
    save(queue, leaving).catch(() => {
      dirty = true
    })
  }

  const stop = player.state.subscribe((now, before) => {
    const changed = now.queue.entries !== before.queue.entries || now.queue.current !== before.queue.current
    const settled = now.status === 'paused' && before.status !== 'paused' && before.status !== 'idle'
    const moved = now.positionMs !== before.positionMs
    if (!changed && !settled && !moved) return
    dirty = true
    if (changed || settled) {
      cancel()
      cancel = clock.after(settlesAfterMs, () => saveNow(false))
    } else if (now.status === 'playing' && clock.now() - savedAt > savesEveryMs) saveNow(false)
  })

  return {
    flush: () => saveNow(true),
    stop() {
      stop()
      cancel()
    },
  }
}

function savedQueue({ queue, positionMs }: PlayerState): SavedQueue {
  return {
    tracks: queue.entries.slice(0, 10_000).map((entry) => entry.track.id),
    current: queue.current < 0 ? undefined : queue.current,
    positionMs: Math.round(positionMs),
  }
}
