import type { DatabaseSync } from 'node:sqlite'
import { integer, written } from '../../../store/row.ts'
import { cursorOf, seen, type View, valuesOf } from './view.ts'
import { countOf, type Filter, type Found, notCounted, type Span } from './walk.ts'

/** How many rows are tried for one page, where few of them fit. */
const mostTries = 20_000
/** Rows that are tried together, after as many as would do where all fit. */
const triesAtOnce = 1_000

/**
 * A page of a table in a random order, which follows from the seed: the n-th row is the one whose id is n, permuted.
 * No list need be made, any page takes as long as any other, and rows that come or go meanwhile move no other. Ids
 * above the `size` that the table had at the first page are not in the walk. Only a numeric offset has to look at what
 * comes before it, unless every id is a row. Whoever asks nothing of the rows is told how many there are, by the `list`
 * that has them all.
 */
export function walkRandomly(
  db: DatabaseSync,
  view: View,
  { table, condition, parameters }: Filter,
  { list, seed = 0 }: { readonly list: number; readonly seed?: number | undefined },
  { cursor, offset = 0, limit }: Span,
): Found {
  const start = cursor === undefined ? undefined : valuesOf(cursor, isPosition)
  const size =
    start?.[1] ?? integer(db.prepare(`SELECT coalesce(max(id), 0) AS size FROM ${table}`).get()?.size)
  const permute = openPermutation(size, seed)
  const read = db.prepare(
    `SELECT ${table}.id FROM json_each(?) AS wanted CROSS JOIN ${table} ON ${table}.id = wanted.value
     WHERE true ${seen(view, `${table}.scope`)} ${condition}`,
  )
  const total = condition === '' ? () => countOf(db, view, list) : notCounted
  let skip = 0
  let at = start?.[0] ?? 0
  if (start === undefined && offset > 0) {
    if (condition !== '') skip = offset
    else at = total() === size ? offset : placeOf(db, view, list, { permute, size, offset })
  }
  const items: number[] = []
  const last = Math.min(size, at + mostTries + 10 * skip)
  for (let tries = limit; at < last; tries = triesAtOnce) {
    const ids = Array.from({ length: Math.min(tries, last - at) }, (_, next) => permute(at + next) + 1)
    const fitting = new Set(read.all(JSON.stringify(ids), ...parameters).map((row) => integer(row.id)))
    for (const id of ids) {
      at += 1
      if (!fitting.has(id)) continue
      if (skip > 0) skip -= 1
      else if (items.push(id) === limit) return { items, next: cursorOf(JSON.stringify([at, size])), total }
    }
  }
  return { items, next: undefined, total }
}

/** Where the walk has met so many rows of a list that the viewer sees. */
function placeOf(
  db: DatabaseSync,
  view: View,
  list: number,
  { permute, size, offset }: { permute: (n: number) => number; size: number; offset: number },
): number {
  const items = db.prepare(
    `SELECT json_group_array(item) AS items FROM entry WHERE list = ? ${seen(view, 'scope')}`,
  )
  const isThere = new Uint8Array(size)
  for (const id of written<number[]>(items.get(list)?.items)) isThere[id - 1] = 1
  let at = 0
  for (let left = offset; left > 0 && at < size; at += 1) left -= isThere[permute(at)] ?? 0
  return at
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

/**
 * A permutation of the numbers below `size`: four rounds of a Feistel network over the next power of four, whose
 * halves are mixed with the seed; a result that is too large goes through it again, which ends within a few times.
 */
function openPermutation(size: number, seed: number): (n: number) => number {
  const half = 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2))
  const once = (n: number) => {
    let left = Math.floor(n / half)
    let right = n % half
    for (let round = 0; round < 4; round++) {
      const mixed = mix(right, seed, round) % half
      ;[left, right] = [right, (left + mixed) % half]
    }
    return left * half + right
  }
  return (n) => {
    let permuted = once(n)
    while (permuted >= size) permuted = once(permuted)
    return permuted
  }
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
