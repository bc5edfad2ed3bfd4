import type { DatabaseSync } from 'node:sqlite'
import type { LetterSummary } from '../../../protocol/api/catalog.ts'
import { bytes, optional } from '../../../store/row.ts'
import { type Key, keyBytes, keyOf } from '../keys.ts'
import { seen, type View } from './view.ts'
import { countOf, ranksOf } from './walk.ts'

/** Letters that are told apart; scripts with thousands of them count as one, called by the first. */
const mostLetters = 120

/**
 * Where each first letter begins in a list ordered by name. Names that begin with no letter stand first and last, and
 * are called `#`.
 */
export function lettersOf(db: DatabaseSync, view: View, list: number): LetterSummary[] {
  const starts = startsOf(db, view, list)
  const total = countOf(db, view, list)
  const ranks = ranksOf(
    db,
    view,
    list,
    starts.map(({ key }) => key),
  )
  return starts
    .map(({ letter }, at) => {
      const offset = ranks[at] ?? total
      return { letter, offset, count: (ranks[at + 1] ?? total) - offset }
    })
    .filter(({ count }) => count > 0)
}

/** The first key of each run of names with the same first letter. */
function startsOf(db: DatabaseSync, view: View, list: number): { letter: string; key: Key }[] {
  const next = db.prepare(
    `SELECT key FROM entry WHERE list = ? AND key >= ? ${seen(view, 'scope')} ORDER BY key LIMIT 1`,
  )
  const starts: { letter: string; key: Key }[] = []
  let from: Key | undefined = ''
  while (from !== undefined && starts.length < mostLetters) {
    const found: Uint8Array | undefined = optional(bytes, next.get(list, keyBytes(from))?.key)
    if (found === undefined) break
    const key = keyOf(found)
    const first = firstCharacter(found)
    const letter = headingOf(first)
    const start = Buffer.from(first).toString('latin1')
    if (starts.at(-1)?.letter !== letter) starts.push({ letter, key: letter === '#' ? key : start })
    from =
      letter === '#' && key.startsWith('\xff') ? undefined : after(start === '' ? key.slice(0, 1) : start)
  }
  return starts
}

/** The heading under which a name stands that is sorted under this text. */
export function letterOf(sorted: string): string {
  const [first = ''] = sorted
  return headingOf(first)
}

function headingOf(first: string): string {
  return /\p{L}/u.test(first) ? first.toUpperCase() : '#'
}

function firstCharacter(key: Uint8Array): string {
  const [first = ''] = Buffer.from(key.subarray(0, 4)).toString()
  return first === '\ufffd' ? '' : first
}

/** The first key that does not begin with `start`. */
function after(start: Key): Key | undefined {
  for (let at = start.length - 1; at >= 0; at--) {
    const code = start.charCodeAt(at)
    if (code < 0xff) return start.slice(0, at) + String.fromCharCode(code + 1)
  }
  return undefined
}
