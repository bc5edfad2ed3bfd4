import type { TrackSource } from '../../catalog/catalog.ts'
import type { OpenOriginal } from '../../media/originals.ts'

/** Files that stay open for a moment, for the next range of the same track: to open one takes longer than to send. */
export interface Held extends Disposable {
  /** Keeps it open until the moment is over and what this answers, mostly a share of it, has been disposed of. */
  hold(source: TrackSource, original: OpenOriginal): OpenOriginal
  /** Null: it has to be opened. */
  find(source: TrackSource): HeldOriginal | null
}

export interface HeldOriginal {
  /** For who is done with it before they wait for anything. */
  readonly original: OpenOriginal
  /** For all others, to be disposed of. */
  share(): OpenOriginal
}

interface Entry extends HeldOriginal {
  readonly until: number
  readonly timer: NodeJS.Timeout
  shares: number
}

/** In milliseconds. Only when it is opened, a file is looked for at its path: what has taken its place waits as long. */
const moment = 1_000

export function createHeld(): Held {
  const entries = new Map<TrackSource, Entry>()

  function find(source: TrackSource): Entry | null {
    const entry = entries.get(source)
    return entry !== undefined && performance.now() < entry.until ? entry : null
  }

  function give(entry: Entry): void {
    entry.shares -= 1
    if (entry.shares === 0) entry.original[Symbol.dispose]()
  }

  function shareOf(entry: Entry): OpenOriginal {
    entry.shares += 1
    let open = true
    return {
      ...entry.original,
      [Symbol.dispose]() {
        if (open) give(entry)
        open = false
      },
    }
  }

  return {
    hold(source, original) {
      // Somebody else has opened it at the same time.
      if (find(source) !== null) return original
      const end = () => {
        if (entries.get(source) === entry) entries.delete(source)
        give(entry)
      }
      const timer = setTimeout(end, moment).unref()
      const until = performance.now() + moment
      const entry: Entry = { original, share: () => shareOf(entry), until, timer, shares: 1 }
      entries.set(source, entry)
      return shareOf(entry)
    },
    find,
    [Symbol.dispose]() {
      for (const entry of entries.values()) {
        clearTimeout(entry.timer)
        give(entry)
      }
      entries.clear()
    },
  }
}
