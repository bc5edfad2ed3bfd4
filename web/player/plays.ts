import type { Clock } from './clock.ts'
import { readItem, type Storage, writeItem } from './settings.ts'

/** A play that counts. `play` is made here, so that reporting it twice counts once. */
export interface Play {
  play: string
  track: string
  at: number
}

/** What became of a report: taken, never to be taken (the track is gone), or worth another try. */
export type ReportOutcome = 'taken' | 'refused' | 'unreachable'

export interface PlayReports {
  report(track: string): void
  /** Tries again what could not be sent. */
  flush(): Promise<void>
}

/** A play counts once this much of a track has sounded: half of it, or four minutes. */
export function countsAfterMs(durationMs: number): number {
  return Math.min(durationMs / 2, 240_000)
}

/** Reports wait in the browser's storage until the server has taken them: a play on a train counts too. */
export function createPlayReports(parts: {
  send(play: Play): Promise<ReportOutcome>
  storage: Storage
  clock: Clock
  newId(): string
}): PlayReports {
  const storageKey = 'hocket.plays'
  const most = 500
  let waiting = parsePlays(readItem(parts.storage, storageKey))
  let sending = false

  function keep(plays: Play[]) {
    waiting = plays.slice(-most)
    writeItem(parts.storage, storageKey, JSON.stringify(waiting))
  }

  async function flush() {
    if (sending) return
    sending = true
    try {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        const sent = first.play
        if ((await parts.send(first)) === 'unreachable') break
        keep(waiting.filter((play) => play.play !== sent))
      }
    } finally {
      sending = false
    }
  }

  return {
    report(track) {
      keep([...waiting, { play: parts.newId(), track, at: parts.clock.now() }])
      void flush()
    },
    flush,
  }
}

function parsePlays(text: string | null): Play[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(value) ? value.filter(isPlay) : []
  } catch {
    return []
  }
}

function isPlay(value: unknown): value is Play {
  return (
    typeof value === 'object' &&
    value !== null &&
    'play' in value &&
    typeof value.play === 'string' &&
    'track' in value &&
    typeof value.track === 'string' &&
    'at' in value &&
    typeof value.at === 'number'
  )
}
