import type { Playable } from './playable.ts'

/** A track at its place in the queue. The same track may stand there twice; `key` tells the places apart. */
export interface Entry {
  readonly key: string
  readonly track: Playable
}

export type Repeat = 'off' | 'all' | 'one'

/**
 * What plays, in the order in which it plays. Shuffling reorders what is to come and keeps what was, so "previous" is
 * always what was heard before; `original` remembers the order to go back to when shuffling ends.
 */
export interface Queue {
  readonly entries: readonly Entry[]
  /** Index into `entries`; -1 when the queue is empty. */
  readonly current: number
  readonly original: readonly string[]
  readonly shuffled: boolean
  readonly repeat: Repeat
}

/** Where chance and names come from; tests put in their own. */
export interface Chance {
  /** 0 ≤ x < 1 */
  random(): number
  newKey(): string
}

export const emptyQueue: Queue = { entries: [], current: -1, original: [], shuffled: false, repeat: 'off' }

export function currentEntry(queue: Queue): Entry | undefined {
  return queue.entries[queue.current]
}

/** Replaces the queue. With shuffling on, the track at `start` comes first and the others follow in random order. */
export function replaceWith(queue: Queue, tracks: readonly Playable[], start: number, chance: Chance): Queue {
  const entries = entriesOf(tracks, chance)
  const current = entries.length === 0 ? -1 : clamp(start, 0, entries.length - 1)
  const next = { ...queue, entries, current, original: entries.map((entry) => entry.key) }
  if (!queue.shuffled || current < 0) return next
  const first = entries.slice(current, current + 1)
  const others = shuffle([...entries.slice(0, current), ...entries.slice(current + 1)], chance)
  return { ...next, entries: [...first, ...others], current: 0 }
}

export function addNext(queue: Queue, tracks: readonly Playable[], chance: Chance): Queue {
  const key = currentEntry(queue)?.key
  const place = key === undefined ? 0 : queue.original.indexOf(key) + 1
  return insert(queue, entriesOf(tracks, chance), queue.current + 1, place)
}

export function addLast(queue: Queue, tracks: readonly Playable[], chance: Chance): Queue {
  return insert(queue, entriesOf(tracks, chance), queue.entries.length, queue.original.length)
}

function insert(queue: Queue, added: readonly Entry[], at: number, originalAt: number): Queue {
  if (added.length === 0) return queue
  return {
    ...queue,
    entries: queue.entries.toSpliced(at, 0, ...added),
    original: queue.original.toSpliced(originalAt, 0, ...added.map((entry) => entry.key)),
    current: queue.current < 0 ? 0 : queue.current,
  }
}

/** Takes one out. When it is the current one, what followed it becomes current (or what came before, at the end). */
export function removeAt(queue: Queue, index: number): Queue {
  const gone = queue.entries[index]
  if (gone === undefined) return queue
  const entries = queue.entries.toSpliced(index, 1)
  const current = index < queue.current ? queue.current - 1 : Math.min(queue.current, entries.length - 1)
  return { ...queue, entries, current, original: queue.original.filter((key) => key !== gone.key) }
}

/** Moves an entry; the current one stays the current one. */
export function move(queue: Queue, from: number, to: number): Queue {
  const moved = queue.entries[from]
  if (moved === undefined || to < 0 || to >= queue.entries.length || from === to) return queue
  const entries = queue.entries.toSpliced(from, 1).toSpliced(to, 0, moved)
  const key = currentEntry(queue)?.key
  return {
    ...queue,
    entries,
    current: entries.findIndex((entry) => entry.key === key),
    original: queue.shuffled ? queue.original : entries.map((entry) => entry.key),
  }
}

/** Takes out everything but the current track. */
export function clearOthers(queue: Queue): Queue {
  const entry = currentEntry(queue)
  if (entry === undefined) return { ...queue, entries: [], original: [], current: -1 }
  return { ...queue, entries: [entry], original: [entry.key], current: 0 }
}

export function setShuffled(queue: Queue, shuffled: boolean, chance: Chance): Queue {
  if (shuffled === queue.shuffled) return queue
  if (shuffled) {
    const heard = queue.entries.slice(0, queue.current + 1)
    const coming = shuffle(queue.entries.slice(queue.current + 1), chance)
    return { ...queue, shuffled, entries: [...heard, ...coming] }
  }
  const key = currentEntry(queue)?.key
  const place = new Map(queue.original.map((name, index) => [name, index]))
  const entries = queue.entries.toSorted((a, b) => (place.get(a.key) ?? 0) - (place.get(b.key) ?? 0))
  return { ...queue, shuffled, entries, current: entries.findIndex((entry) => entry.key === key) }
}

/** What plays after the current one by itself; undefined at the end. `skip`: a person asked, so "repeat one" lets go. */
export function indexAfter(queue: Queue, skip = false): number | undefined {
  if (queue.current < 0) return undefined
  if (queue.repeat === 'one' && !skip) return queue.current
  if (queue.current + 1 < queue.entries.length) return queue.current + 1
  return queue.repeat === 'all' || (queue.repeat === 'one' && queue.entries.length > 1) ? 0 : undefined
}

export function indexBefore(queue: Queue): number | undefined {
  if (queue.current > 0) return queue.current - 1
  return queue.repeat === 'all' && queue.entries.length > 0 ? queue.entries.length - 1 : undefined
}

function entriesOf(tracks: readonly Playable[], chance: Chance): Entry[] {
  return tracks.map((track) => ({ key: chance.newKey(), track }))
}

/** Fisher–Yates. */
function shuffle<T>(items: readonly T[], chance: Chance): T[] {
  const rest = [...items]
  const mixed: T[] = []
  while (rest.length > 0) mixed.push(...rest.splice(Math.floor(chance.random() * rest.length), 1))
  return mixed
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
