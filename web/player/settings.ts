import type { Levelling } from './loudness.ts'
import type { Repeat } from './queue.ts'

/** What the player remembers in this browser. */
export interface Settings {
  /** The slider's place, 0…1. */
  volume: number
  muted: boolean
  levelling: Levelling
  repeat: Repeat
  shuffled: boolean
}

/** The part of `localStorage` that is used. */
export interface Storage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

const storageKey = 'hocket.player'
const defaults: Settings = { volume: 0.8, muted: false, levelling: 'off', repeat: 'off', shuffled: false }

/** Reads what an earlier visit left. Anything that does not fit is as if it were not there. */
export function loadSettings(storage: Storage): Settings {
  const stored = parseObject(readItem(storage, storageKey))
  return {
    volume:
      typeof stored.volume === 'number' && stored.volume >= 0 && stored.volume <= 1
        ? stored.volume
        : defaults.volume,
    muted: stored.muted === true,
    levelling: stored.levelling === 'track' || stored.levelling === 'album' ? stored.levelling : 'off',
    repeat: stored.repeat === 'all' || stored.repeat === 'one' ? stored.repeat : 'off',
    shuffled: stored.shuffled === true,
  }
}

export function saveSettings(storage: Storage, settings: Settings): void {
  writeItem(storage, storageKey, JSON.stringify(settings))
}

/** Storage may be forbidden or full; the player then forgets, and plays all the same. */
export function readItem(storage: Storage, key: string): string | null {
  try {
    return storage.getItem(key)
  } catch {
    return null
  }
}

export function writeItem(storage: Storage, key: string, value: string): void {
  try {
    storage.setItem(key, value)
  } catch {
    // See readItem.
  }
}

function parseObject(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
