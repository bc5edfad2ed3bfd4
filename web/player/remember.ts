import type { Clock } from './clock.ts'
import type { Playable } from './playable.ts'
import { currentEntry, type Entry } from './queue.ts'
import type { Player, PlayerState } from './state.ts'

/** The queue as the server is told of it, so that it is there on the next device. */
export interface SavedQueue {
  tracks: string[]
  current: number | undefined
  positionMs: number
}

/** The queue as the server keeps it; `items` are its tracks, null where one is gone. */
export interface KeptQueue {
  items: readonly (Playable | null)[]
  current?: number | undefined
  positionMs: number
  changedAt: number
  /** The device that changed it last, as it names itself. */
  changedBy: string
}

export interface RememberParts {
  player: Player
  clock: Clock
  load(): Promise<KeptQueue>
  /** Answers its `changedAt`, or `conflict` where what is kept is not `basedOn` any more. `leaving`: the page closes. */
  save(queue: SavedQueue, basedOn: number, leaving: boolean): Promise<number | 'conflict'>
  /** Another device keeps another queue, and a person is to choose; undefined: not any more. */
  onElsewhere(device: string | undefined): void
}

/** Keeps the queue on the server, and never writes over what another device has kept there without being told to. */
export interface Remembered {
  /** Someone is signed in: puts the queue of the last visit back, paused, and saves from now on. */
  begin(): void
  stop(): void
  /** The page closes: saves at once what has not been saved. */
  flush(): void
  /** What is kept has changed, by this page or by another device. */
  changed(): void
  /** The two ways out of `onElsewhere`. Going on with theirs sounds on if sound was wanted. */
  keepOurs(): void
  takeTheirs(): void
}

const settlesAfterMs = 1_500
/** While playing, the position is saved this often. */
const savesEveryMs = 20_000

export function rememberQueue(parts: RememberParts): Remembered {
  const { player, clock } = parts
  /** `changedAt` of the kept queue that ours follows on; undefined until it has been read. */
  let basedOn: number | undefined
  /** Its tracks: what this page knows to be there, and may replace. */
  let seen: readonly string[] = []
  let dirty = false
  let apart = false
  let adopting = false
  let savedAt = clock.now()
  let cancel = () => {}
  let unsubscribe = () => {}
  let turn = Promise.resolve()

  /** One after another: what is kept is compared with what was kept before. What fails is tried with the next change. */
  const inTurn = (action: () => Promise<void>) => {
    turn = turn.then(action).catch(() => {})
  }

  async function saveNow() {
    cancel()
    if (!dirty || apart || hearsRadio(player.state.get())) return
    dirty = false
    savedAt = clock.now()
    try {
      const base = basedOn ?? follow(await parts.load())
      const queue = savedQueue(player.state.get())
      const saved = await parts.save(queue, base, false)
      if (saved !== 'conflict') {
        basedOn = saved
        seen = queue.tracks
        return
      }
      dirty = true
      meet(await parts.load())
      if (!apart) cancel = clock.after(settlesAfterMs, () => inTurn(saveNow))
    } catch {
      dirty = true
    }
  }

  function follow(kept: KeptQueue): number {
    basedOn = kept.changedAt
    seen = idsOf(kept)
    return basedOn
  }

  /**
   * What is kept is not what ours follows on. Tracks that are ours too, or that this page has seen there before, are no
   * reason to ask anyone: only the place in them is another.
   */
  function meet(theirs: KeptQueue) {
    const ours = savedQueue(player.state.get()).tracks
    const ids = idsOf(theirs)
    const same = areSame(ours, ids)
    if (ours.length === 0 || (same && !dirty && !sounds(player.state.get()))) return adopt(theirs)
    if (same || ids.length === 0 || (dirty && areSame(seen, ids))) return void follow(theirs)
    apart = true
    parts.onElsewhere(theirs.changedBy)
  }

  function adopt(theirs: KeptQueue) {
    follow(theirs)
    dirty = false
    adopting = true
    restoreQueue(player, theirs)
    adopting = false
  }

  function together() {
    apart = false
    parts.onElsewhere(undefined)
  }

  function onState(now: PlayerState, before: PlayerState) {
    if (adopting || hearsRadio(now)) return
    const changed = now.queue.entries !== before.queue.entries || now.queue.current !== before.queue.current
    const settled = now.status === 'paused' && before.status !== 'paused' && before.status !== 'idle'
    const moved = now.positionMs !== before.positionMs
    if (!changed && !settled && !moved) return
    dirty = true
    if (changed || settled) {
      cancel()
      cancel = clock.after(settlesAfterMs, () => inTurn(saveNow))
    } else if (now.status === 'playing' && clock.now() - savedAt > savesEveryMs) {
      savedAt = clock.now()
      inTurn(saveNow)
    }
  }

  return {
    begin() {
      unsubscribe()
      unsubscribe = player.state.subscribe(onState)
      together()
      inTurn(async () => {
        const kept = await parts.load()
        if (player.state.get().queue.entries.length === 0) adopt(kept)
        else follow(kept)
      })
    },
    stop() {
      unsubscribe()
      cancel()
      together()
    },
    flush() {
      cancel()
      if (!dirty || apart || basedOn === undefined || hearsRadio(player.state.get())) return
      dirty = false
      const queue = savedQueue(player.state.get())
      void parts.save(queue, basedOn, true).then(
        (saved) => {
          if (saved === 'conflict') return
          basedOn = saved
          seen = queue.tracks
        },
        () => {},
      )
    },
    changed() {
      inTurn(async () => {
        if (basedOn === undefined || apart || dirty) return
        if (sounds(player.state.get()) || hearsRadio(player.state.get())) return
        const kept = await parts.load()
        if (kept.changedAt !== basedOn && !dirty) meet(kept)
      })
    },
    keepOurs() {
      inTurn(async () => {
        follow(await parts.load())
        together()
        dirty = true
        await saveNow()
      })
    },
    takeTheirs() {
      inTurn(async () => {
        const kept = await parts.load()
        const goesOn = sounds(player.state.get())
        player.pause()
        adopt(kept)
        together()
        if (goesOn) player.play()
      })
    },
  }
}

/** Puts a kept queue in place, paused. A track that is gone leaves its place to the next one. */
function restoreQueue(player: Player, { items, current = 0, positionMs }: KeptQueue): void {
  const tracks = items.filter((item) => item !== null)
  if (tracks.length === 0) return
  const before = items.slice(0, current).filter((item) => item !== null).length
  const stillThere = items[current] !== null && items[current] !== undefined
  player.restore(tracks, Math.min(before, tracks.length - 1), stillThere ? positionMs : 0)
}

const idsOf = ({ items }: KeptQueue) => items.flatMap((item) => (item === null ? [] : [item.id]))

const areSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((id, index) => id === b[index])

const sounds = ({ status }: PlayerState) =>
  status === 'playing' || status === 'loading' || status === 'recovering'

/** While a station sounds, what was kept before it stays as it is. */
const hearsRadio = ({ queue }: PlayerState) => currentEntry(queue)?.track.kind === 'station'

/** Without stations, which are no part of what goes on elsewhere. */
function savedQueue({ queue, positionMs }: PlayerState): SavedQueue {
  const isKept = ({ track }: Entry) => track.kind !== 'station'
  return {
    tracks: queue.entries
      .filter(isKept)
      .slice(0, 10_000)
      .map((entry) => entry.track.id),
    current: queue.current < 0 ? undefined : queue.entries.slice(0, queue.current).filter(isKept).length,
    positionMs: Math.round(positionMs),
  }
}
