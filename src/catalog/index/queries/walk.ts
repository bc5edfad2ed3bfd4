import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { bytes, integer, listed, optional, text } from '../../../store/row.ts'
import { type Key, keyBytes, keyOf, keyOfHex } from '../keys.ts'
import { cursorOf, positionOf, seen, type View } from './view.ts'

/** A part of an ordered list. */
export interface Walk {
  readonly list: number
  readonly descending?: boolean | undefined
  /** Only entries from this key, and before that one. */
  readonly from?: Key | undefined
  readonly before?: Key | undefined
  /** Only items that fit: a table to join by its id, and a condition on it. Such a walk has no total. */
  readonly filter?: Filter | undefined
}

export interface Filter {
  readonly table: 'album' | 'artist' | 'track'
  /** SQL that begins with AND. */
  readonly condition: string
  readonly parameters: readonly (string | number | Uint8Array)[]
}

export interface Span {
  readonly cursor?: string | undefined
  readonly offset?: number | undefined
  readonly limit: number
}

export interface Found {
  readonly items: readonly number[]
  readonly next: string | undefined
  /** How many there are, where that is known; counted when it is asked. */
  total(): number | undefined
}

/** Where no item can fit. */
export const nothing: Found = { items: [], next: undefined, total: () => 0 }

/** The total of a walk that would have to go on to its end to know it. */
export function notCounted(): undefined {}

/**
 * A page of a list: after a cursor, or from the n-th entry on. Both take the same time wherever they are, since blocks
 * count the entries before. A cursor is the key of the last entry shown, so changes elsewhere do not move it.
 */
export function walk(db: DatabaseSync, view: View, steps: Walk, { cursor, offset = 0, limit }: Span): Found {
  const { list, from, before, filter } = steps
  const rankOf = openRanks(db, view, list)
  const low = from === undefined ? 0 : rankOf(from)
  const high = before === undefined ? countOf(db, view, list) : rankOf(before)
  const total = () => (filter === undefined ? high - low : undefined)
  if (cursor !== undefined) return { ...read(db, view, steps, { beyond: positionOf(cursor) }, limit), total }
  if (offset === 0 || filter !== undefined)
    return { ...read(db, view, steps, { skip: offset }, limit), total }
  const rank = steps.descending ? high - 1 - offset : low + offset
  const at = rank < low || rank >= high ? undefined : openPlaces(db, view, list)(rank)
  if (at === undefined) return { items: [], next: undefined, total }
  return { ...read(db, view, steps, { at }, limit), total }
}

/** How many entries the viewer sees in a list. */
export function countOf(db: DatabaseSync, view: View, list: number): number {
  const sum = db.prepare(`SELECT total(count) AS count FROM block WHERE list = ? ${seen(view, 'scope')}`)
  return integer(sum.get(list)?.count)
}

/** Some items of a list, spread evenly over it: runs of neighbours, of which `shift` chooses the first. */
export function sample(
  db: DatabaseSync,
  view: View,
  list: number,
  { runs, length, shift }: { runs: number; length: number; shift: number },
): number[] {
  const count = countOf(db, view, list)
  if (count <= runs * length) return [...read(db, view, { list }, { skip: 0 }, runs * length).items]
  const step = Math.floor(count / runs)
  const keyAt = openPlaces(db, view, list)
  return Array.from({ length: runs }, (_, run) => run * step + (shift % (step - length + 1))).flatMap(
    (rank) => {
      const at = keyAt(rank)
      return at === undefined ? [] : read(db, view, { list }, { at }, length).items
    },
  )
}

/** How many entries that the viewer sees come before each of these keys. */
export function ranksOf(db: DatabaseSync, view: View, list: number, keys: readonly Key[]): number[] {
  return keys.map(openRanks(db, view, list))
}

/** Answers the function that finds the key of the n-th entry. A long list has a thousand blocks. */
function openPlaces(db: DatabaseSync, view: View, list: number): (rank: number) => Key | undefined {
  const blocks = `FROM block WHERE list = ? ${seen(view, 'scope')} GROUP BY first ORDER BY first`
  const counts = listed(db.prepare(`SELECT sum(count) ${blocks}`))(list)
  const block = db.prepare(`SELECT first ${blocks} LIMIT 1 OFFSET ?`)
  const entry = db.prepare(
    `SELECT key FROM entry WHERE list = ? AND key >= ? ${seen(view, 'scope')} ORDER BY key LIMIT 1 OFFSET ?`,
  )
  return (rank) => {
    let left = rank
    const at = counts.findIndex(([count]) => {
      const own = integer(count)
      if (left < own) return true
      left -= own
      return false
    })
    const first = optional(bytes, at < 0 ? undefined : block.get(list, at)?.first)
    if (first === undefined) return undefined
    const row = entry.get(list, first, left)
    return row === undefined ? undefined : keyOf(bytes(row.key))
  }
}

/** Answers the function that counts the entries before a key. */
function openRanks(db: DatabaseSync, view: View, list: number): (key: Key) => number {
  const start = db.prepare('SELECT max(first) AS first FROM block WHERE list = ? AND first <= ?')
  const blocks = db.prepare(
    `SELECT total(count) AS count FROM block WHERE list = ? AND first < ? ${seen(view, 'scope')}`,
  )
  const entries = db.prepare(
    `SELECT count(*) AS count FROM entry WHERE list = ? AND key >= ? AND key < ? ${seen(view, 'scope')}`,
  )
  return (key) => {
    const first = optional(bytes, start.get(list, keyBytes(key))?.first) ?? new Uint8Array()
    const within = entries.get(list, first, keyBytes(key))
    return integer(blocks.get(list, first)?.count) + integer(within?.count)
  }
}

/** Where reading begins: at a key, beyond one, or at the start of the walk after some entries. */
type Start = { readonly at: Key } | { readonly beyond: Key } | { readonly skip: number }

function read(
  db: DatabaseSync,
  view: View,
  { list, descending = false, from, before, filter }: Walk,
  start: Start,
  limit: number,
): Omit<Found, 'total'> {
  const order = descending ? 'DESC' : 'ASC'
  const join = filter === undefined ? '' : `JOIN ${filter.table} ON ${filter.table}.id = entry.item`
  const statement = listed(
    db.prepare(
      `SELECT hex(entry.key), entry.item FROM entry ${join}
       WHERE entry.list = ? AND entry.key >= ? AND entry.key < ? ${seen(view, 'entry.scope')} ${filter?.condition ?? ''}
       ORDER BY entry.key ${order} LIMIT ? OFFSET ?`,
    ),
  )
  let low = from ?? ''
  let high = before ?? beyondAll
  if ('at' in start) {
    if (descending) high = least(high, successor(start.at))
    else low = most(low, start.at)
  }
  if ('beyond' in start) {
    if (descending) high = least(high, start.beyond)
    else low = most(low, successor(start.beyond))
  }
  const skip = 'skip' in start ? start.skip : 0
  const items: number[] = []
  let last: SQLOutputValue | undefined
  // Entries to be skipped are counted by SQLite, which sees one stretch at a time: then it has to be one.
  const pieces: Iterable<[Key, Key]> =
    skip > 0 ? [[low, high]] : stretches(db, view, { list, low, high, descending })
  for (const [first, end] of pieces) {
    if (first >= end) continue
    const bounds = [list, keyBytes(first), keyBytes(end), ...(filter?.parameters ?? [])]
    for (const [key, item] of statement(...bounds, limit + 1 - items.length, skip)) {
      if (items.length === limit) {
        return { items, next: last === undefined ? undefined : cursorOf(keyOfHex(text(last))) }
      }
      items.push(integer(item))
      last = key
    }
  }
  return { items, next: undefined }
}

/**
 * The stretches of keys to read. For someone who sees everything it is one; for someone who sees little, those blocks
 * in which there is something for them: the rest is not read.
 */
function* stretches(
  db: DatabaseSync,
  view: View,
  { list, low, high, descending }: { list: number; low: Key; high: Key; descending: boolean },
): Iterable<[Key, Key]> {
  if (view.scopes === null) {
    yield [low, high]
    return
  }
  const own = `total(iif(scope IN (${view.scopes.join(', ')}), count, 0))`
  const blocks = db
    .prepare(`SELECT first, ${own} AS count FROM block WHERE list = ? GROUP BY first ORDER BY first`)
    .all(list)
    .map((row) => ({ first: keyOf(bytes(row.first)), count: integer(row.count) }))
  const found = blocks
    .map(({ first, count }, at): [Key, Key, number] => [
      most(low, first),
      least(high, blocks[at + 1]?.first ?? beyondAll),
      count,
    ])
    .filter(([first, end, count]) => count > 0 && first < end)
  for (const [first, end] of descending ? found.reverse() : found) yield [first, end]
}

const beyondAll = '\xff'.repeat(64)

function successor(key: Key): Key {
  return `${key}\0`
}
function most(a: Key, b: Key): Key {
  return a > b ? a : b
}
function least(a: Key, b: Key): Key {
  return a < b ? a : b
}
