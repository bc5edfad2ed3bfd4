import type { ScanStatus } from '../../protocol/api/catalog.ts'

/** The status of the scan, and who wants to know of it. */
export interface Progress {
  readonly status: ScanStatus
  subscribe(listener: (status: ScanStatus) => void): () => void
  start(): void
  phase(phase: ScanStatus['phase']): void
  set(values: Partial<ScanStatus>): void
  /** Adds to counters. */
  add(counts: Partial<Record<Counter, number>>): void
  /** How many tracks have not been read whole; null: that work rests. It shows as a phase when no scan runs. */
  hashing(unhashed: number | null): void
  finish(): ScanStatus
  fail(error: unknown): void
}

type Counter = 'toRead' | 'read' | 'added' | 'changed' | 'moved' | 'removed' | 'problems'

const none = { seen: 0, toRead: 0, read: 0, added: 0, changed: 0, moved: 0, removed: 0, problems: 0 }
/** Listeners are told at most ten times a second. */
const pauseMs = 100

export function createProgress(): Progress {
  const listeners = new Set<(status: ScanStatus) => void>()
  let status: ScanStatus = { phase: 'idle', ...none, unhashed: 0 }
  let isTelling = false
  let isHashing = false

  const shown = (): ScanStatus =>
    isHashing && status.phase === 'idle' ? { ...status, phase: 'hashing' } : status
  function tell() {
    isTelling = false
    for (const listener of listeners) listener(shown())
  }
  function set(values: Partial<ScanStatus>) {
    status = { ...status, ...values }
    if (isTelling) return
    isTelling = true
    setTimeout(tell, pauseMs).unref()
  }

  return {
    get status() {
      return shown()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start() {
      status = { phase: 'walking', ...none, unhashed: status.unhashed, startedAt: Date.now() }
      set({})
    },
    phase: (phase) => set({ phase }),
    set,
    add(counts) {
      const sums: Partial<Record<Counter, number>> = {}
      if (counts.toRead) sums.toRead = status.toRead + counts.toRead
      if (counts.read) sums.read = status.read + counts.read
      if (counts.added) sums.added = status.added + counts.added
      if (counts.changed) sums.changed = status.changed + counts.changed
      if (counts.moved) sums.moved = status.moved + counts.moved
      if (counts.removed) sums.removed = status.removed + counts.removed
      if (counts.problems) sums.problems = status.problems + counts.problems
      set(sums)
    },
    hashing(unhashed) {
      isHashing = unhashed !== null
      set(unhashed === null ? {} : { unhashed: Math.max(0, unhashed) })
    },
    finish() {
      set({ phase: 'idle', finishedAt: Date.now() })
      return status
    },
    fail(error) {
      set({
        phase: 'idle',
        finishedAt: Date.now(),
        error: error instanceof Error ? error.message : String(error),
      })
    },
  }
}
