import type { RegisterOperation } from './register.ts'

/** A value that one client writes: the last that was acknowledged, and those of which no answer came. */
export interface Belief {
  acknowledged: string | undefined
  readonly doubtful: Set<string>
}

/** All that the clients were promised, to be held against what is there afterwards. */
export interface Ledger {
  /** Queues of accounts, which several clients replace knowing what they replace. By account. */
  readonly registers: Map<string, RegisterOperation[]>
  /** Comments of playlists, by the playlist's id; each is written by one client. */
  readonly comments: Map<string, Belief & { readonly account: string }>
  /** Ratings, by account and track; each is written by one client. */
  readonly ratings: Map<string, Belief & { readonly account: string; readonly track: string }>
  /** Playlists that were made, by name; with how many tracks. */
  readonly playlists: Map<string, { readonly account: string; readonly tracks: number }>
  /** How often each track was appended to a playlist that all clients change at once, by the playlist's id. */
  readonly appended: Map<string, Map<string, { acknowledged: number; doubtful: number }>>
  /** Uploads, by the track that they became: the SHA-256 of what was sent. */
  readonly uploads: Map<string, string>
  readonly counts: Counts
  /** What must not be, in words. */
  readonly violations: string[]
}

export interface Counts {
  acknowledged: number
  /** Of the acknowledged: uploads. */
  uploads: number
  /** Refused since another client was first. */
  conflicts: number
  /** No answer, or one that says that it may not have been done, by code. */
  readonly refusals: Map<string, number>
  /** Reads of what was just written, through another gateway: right, or refused. */
  readsOfOwn: number
  readsRefused: number
}

export function createLedger(): Ledger {
  return {
    registers: new Map(),
    comments: new Map(),
    ratings: new Map(),
    playlists: new Map(),
    appended: new Map(),
    uploads: new Map(),
    counts: {
      acknowledged: 0,
      uploads: 0,
      conflicts: 0,
      refusals: new Map(),
      readsOfOwn: 0,
      readsRefused: 0,
    },
    violations: [],
  }
}

export function believe<Key>(map: Map<Key, Belief>, key: Key): Belief
export function believe<Key, Rest extends object>(
  map: Map<Key, Belief & Rest>,
  key: Key,
  rest: Rest,
): Belief & Rest
export function believe<Key>(map: Map<Key, Belief>, key: Key, rest: object = {}): Belief {
  const known = map.get(key)
  if (known !== undefined) return known
  const fresh = { acknowledged: undefined, doubtful: new Set<string>(), ...rest }
  map.set(key, fresh)
  return fresh
}

/** Whether what was found is what its only writer was promised last, or something in doubt. */
export function isBelieved({ acknowledged, doubtful }: Belief, found: string | undefined): boolean {
  return found === acknowledged || (found !== undefined && doubtful.has(found))
}

export function count<Key>(map: Map<Key, number>, key: Key): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}
