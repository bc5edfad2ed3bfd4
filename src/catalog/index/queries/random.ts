import type { DatabaseSync } from 'node:sqlite'
import { integer } from '../../../store/row.ts'
import type { IdSet } from '../members.ts'
import { cursorOf, valuesOf } from './view.ts'
import { type Filter, type Found, notCounted, type Span } from './walk.ts'

/** How many rows are tried for one page, where few of them fit. */
const mostTries = 20_000
/** Rows that are tried together at most, after as many as would do where all fit. */
const triesAtOnce = 1_000
/** To put one member in order takes as long as to try so many ids, as measured with a million of them. */
const triesForOne = 4

/** What is walked: some items, or those of them that fit. */
export interface RandomWalk {
  readonly members: IdSet
  readonly filter: Filter
  readonly seed?: number | undefined
}

/**
 * A page of items in a random order, which follows from the seed: the n-th id is n, permuted, and those that are no
 * members are passed over. Items that come or go meanwhile move no other, and those above the highest id of the first
 * page are not in the walk. A cursor is a place in the permutation; only a numeric offset has to look at what comes
 * before it, or at the ids that are missing.
 */
export function walkRandomly(
  db: DatabaseSync,
  { members, filter, seed = 0 }: RandomWalk,
  { cursor, offset = 0, limit }: Span,
): Found {
  const [start, size] = cursor === undefined ? ([0, members.highest] as const) : valuesOf(cursor, isPosition)
  const permutation = openPermutation(size, seed)
  // To know where the missing ones would be says where the n-th member is, and takes less where they are fewer.
  const isCounted = filter.condition === '' && 2 * (members.highest - members.count) < offset
  const from = cursor === undefined && isCounted ? placeOfRank(members, permutation, offset) : start
  let skip = cursor === undefined && !isCounted ? offset : 0
  const walk = { members, permutation, size, from }
  const total = filter.condition === '' ? () => members.count : notCounted
  const items: number[] = []
  for (const { id, at } of fitting(db, filter, placesOf(walk, skip + limit), skip + limit)) {
    if (skip > 0) skip -= 1
    else if (items.push(id) === limit) return { items, next: cursorOf(JSON.stringify([at + 1, size])), total }
  }
  return { items, next: undefined, total }
}

/** The place of the member that comes after as many others. */
function placeOfRank(members: IdSet, permutation: Permutation, rank: number): number {
  const gaps = members.missing().map((id) => permutation.placeOf(id - 1))
  let place = rank
  for (const gap of gaps.sort((a, b) => a - b)) {
    if (gap > place) break
    place += 1
  }
  return place
}

/** A member, and its place in the permutation. */
interface Place {
  readonly id: number
  readonly at: number
}

interface Walk {
  readonly members: IdSet
  readonly permutation: Permutation
  readonly size: number
  readonly from: number
}

/**
 * The members in the order of the permutation. Where they are rare, all are put in order, which costs less than to meet
 * as many of them as are wanted.
 */
function* placesOf({ members, permutation, size, from }: Walk, wanted: number): Iterable<Place> {
  if (triesForOne * members.count ** 2 < wanted * size) {
    const places = members
      .all()
      .filter((id) => id <= size)
      .map((id) => ({ id, at: permutation.placeOf(id - 1) }))
    yield* places.filter(({ at }) => at >= from).sort((a, b) => a.at - b.at)
    return
  }
  for (let at = from; at < size; at += 1) {
    const id = permutation.at(at) + 1
    if (members.has(id)) yield { id, at }
  }
}

/** Those whose rows fit; they are read many at a time, and no more than `mostTries` beside as many as are wanted. */
function* fitting(
  db: DatabaseSync,
  { table, condition, parameters }: Filter,
  places: Iterable<Place>,
  wanted: number,
): Iterable<Place> {
  if (condition === '') return yield* places
  const read = db.prepare(
    `SELECT ${table}.id FROM json_each(?) AS wanted CROSS JOIN ${table} ON ${table}.id = wanted.value
     WHERE true ${condition}`,
  )
  function* those(batch: readonly Place[]): Iterable<Place> {
    const ids = JSON.stringify(batch.map(({ id }) => id))
    const fit = new Set(read.all(ids, ...parameters).map((row) => integer(row.id)))
    yield* batch.filter(({ id }) => fit.has(id))
  }
  let batch: Place[] = []
  let tried = 0
  for (const place of places) {
    if (tried === mostTries + wanted) break
    tried += 1
    if (batch.push(place) < (tried <= wanted ? Math.min(wanted, triesAtOnce) : triesAtOnce)) continue
    yield* those(batch)
    batch = []
  }
  yield* those(batch)
}

function isPosition(value: unknown): value is [at: number, size: number] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every(Number.isSafeInteger) &&
    value[0] >= 0 &&
    value[1] >= 1 &&
    value[1] <= 2 ** 40
  )
}

interface Permutation {
  at(place: number): number
  placeOf(permuted: number): number
}

/**
 * A permutation of the numbers below `size`, both ways: four rounds of a Feistel network over the next power of four,
 * whose halves are mixed with the seed; a result that is too large goes through it again, which ends within a few times.
 */
function openPermutation(size: number, seed: number): Permutation {
  const half = 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2))
  const rounds = [0, 1, 2, 3]
  const forth = (n: number) => {
    let left = Math.floor(n / half)
    let right = n % half
    for (const round of rounds) {
      const mixed = mix(right, seed, round) % half
      ;[left, right] = [right, (left + mixed) % half]
    }
    return left * half + right
  }
  const back = (n: number) => {
    let left = Math.floor(n / half)
    let right = n % half
    for (const round of rounds.toReversed()) {
      const mixed = mix(left, seed, round) % half
      ;[left, right] = [(right - mixed + half) % half, left]
    }
    return left * half + right
  }
  const below = (step: (n: number) => number) => (n: number) => {
    let found = step(n)
    while (found >= size) found = step(found)
    return found
  }
  return { at: below(forth), placeOf: below(back) }
}

function mix(value: number, seed: number, round: number): number {
  let mixed = Math.imul(
    value ^ Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b),
    0xc2b2ae35,
  )
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x27d4eb2f)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x165667b1)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
