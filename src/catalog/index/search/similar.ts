import type { DatabaseSync } from 'node:sqlite'
import { integer, optional, text } from '../../../store/row.ts'

/** A word that may have been meant. */
export interface Meant {
  readonly term: string
  readonly prefix: boolean
}

/** Shorter words are taken as they are: too many others are one letter away. */
const shortest = 4
/** From this length on, what has been typed may also be the start of a word. */
const shortestStart = 5
/** From this length on, two errors are forgiven, where the first letters are right. */
const shortestForTwo = 7
const sureLetters = 3
const mostMeant = 8
/** Terms with the same first letters that are compared letter by letter. */
const mostCompared = 2_000

const alphabets = [
  'abcdefghijklmnopqrstuvwxyz0123456789',
  'абвгдежзийклмнопрстуфхцчшщъыьэюя',
  'αβγδεζηθικλμνξοπρστυφχψω',
]

/** Words of the catalog that differ from a typed one by a small error, the likeliest first. */
export function similarTerms(db: DatabaseSync, typed: string): Meant[] {
  if (typed.length < shortest || typed.length > 30) return []
  const variants = [...new Set(variantsOf(typed))].filter((variant) => variant !== typed)
  const whole = db
    .prepare(
      `SELECT term.term FROM json_each(?) AS variant CROSS JOIN term ON term.term = variant.value
       ORDER BY term.uses DESC LIMIT ${mostMeant}`,
    )
    .all(JSON.stringify(variants))
    .map((row) => ({ term: text(row.term), prefix: false }))
  const starts = typed.length < shortestStart ? [] : startsOf(db, variants)
  const twice = typed.length < shortestForTwo ? [] : twoErrorsAway(db, typed)
  const meant = new Map<string, Meant>()
  for (const each of [...whole, ...starts, ...twice]) if (!meant.has(each.term)) meant.set(each.term, each)
  return [...meant.values()].slice(0, mostMeant)
}

/** Those of the variants with which a word of the catalog begins. */
function startsOf(db: DatabaseSync, variants: readonly string[]): Meant[] {
  return db
    .prepare(
      `SELECT variant.value AS term, (SELECT term FROM term WHERE term > variant.value ORDER BY term LIMIT 1) AS next
       FROM json_each(?) AS variant`,
    )
    .all(JSON.stringify(variants))
    .filter((row) => optional(text, row.next)?.startsWith(text(row.term)))
    .map((row) => ({ term: text(row.term), prefix: true }))
}

function twoErrorsAway(db: DatabaseSync, typed: string): Meant[] {
  const start = typed.slice(0, sureLetters)
  return db
    .prepare('SELECT term, uses FROM term WHERE term >= ? AND term < ? LIMIT ?')
    .all(start, `${start}\u{10ffff}`, mostCompared)
    .map((row) => ({ term: text(row.term), uses: integer(row.uses) }))
    .filter(({ term }) => term !== typed && distance(typed, term.slice(0, typed.length + 1), 2) <= 2)
    .sort((a, b) => b.uses - a.uses)
    .map(({ term }) => ({ term, prefix: false }))
}

/** Every text that is one error away: a letter left out, put in, exchanged, or two that have changed places. */
function* variantsOf(typed: string): Iterable<string> {
  const letters = [...typed]
  const alphabet = alphabets.find((each) => letters.some((letter) => each.includes(letter))) ?? ''
  for (let at = 0; at <= letters.length; at++) {
    const before = letters.slice(0, at).join('')
    const after = letters.slice(at).join('')
    const rest = letters.slice(at + 1).join('')
    if (at < letters.length) yield before + rest
    if (at + 1 < letters.length)
      yield `${before}${letters[at + 1]}${letters[at]}${letters.slice(at + 2).join('')}`
    for (const letter of alphabet) {
      yield before + letter + after
      if (at < letters.length) yield before + letter + rest
    }
  }
}

/** How many letters are left out, put in, exchanged or have changed places between two texts; above `most`: more. */
export function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1)
      row.push(least)
    }
    if (Math.min(...row) > most) return most + 1
    beforeLast = last
    last = row
  }
  return last[b.length] ?? most + 1
}
