import type { DatabaseSync } from 'node:sqlite'
import type { MarkKind } from '../../../protocol/facts/listening.ts'
import { bytes, integer } from '../../../store/row.ts'
import { markKinds } from '../mark-kinds.ts'
import { cursorOf, seen, type View, valuesOf } from './view.ts'
import type { Filter, Found, Span } from './walk.ts'

/** The column of marks that each order goes by, the highest first. */
const markOrders = {
  played: 'played',
  mostPlayed: 'plays',
  rating: 'rating',
  starred: 'starred',
} as const
export type MarkOrder = keyof typeof markOrders

export function isMarkOrder(order: string): order is MarkOrder {
  return order in markOrders
}

/** A page of what the viewer has played, rated or starred. The cursor is the value and the item of the last one. */
export function walkMarked(
  db: DatabaseSync,
  view: View,
  kind: MarkKind,
  order: MarkOrder,
  filter: Omit<Filter, 'table'>,
  { cursor, offset = 0, limit }: Span,
): Found {
  const column = `mark.${markOrders[order]}`
  const start = cursor === undefined ? undefined : valuesOf(cursor, isPosition)
  const from = `FROM mark CROSS JOIN ${kind} ON ${kind}.guid = mark.item
     WHERE mark.listener = ? AND mark.kind = ${markKinds[kind]}
       AND ${order === 'mostPlayed' ? `${column} > 0` : `${column} IS NOT NULL`}
       ${seen(view, `${kind}.scope`)} ${filter.condition}`
  const rows = db
    .prepare(
      `SELECT ${kind}.id, mark.item, ${column} AS value ${from}
         ${start === undefined ? '' : `AND (${column}, mark.item) < (?, ?)`}
       ORDER BY ${column} DESC, mark.item DESC LIMIT ? OFFSET ?`,
    )
    .all(
      view.listener,
      ...filter.parameters,
      ...(start === undefined ? [] : [start[0], Buffer.from(start[1], 'hex')]),
      limit + 1,
      start === undefined ? offset : 0,
    )
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  const total = () =>
    integer(db.prepare(`SELECT count(*) AS total ${from}`).get(view.listener, ...filter.parameters)?.total)
  return {
    items: shown.map((row) => integer(row.id)),
    next:
      last === undefined
        ? undefined
        : cursorOf(JSON.stringify([last.value, Buffer.from(bytes(last.item)).toString('hex')])),
    total,
  }
}

function isPosition(value: unknown): value is [value: number, item: string] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    Number.isSafeInteger(value[0]) &&
    typeof value[1] === 'string' &&
    /^[0-9a-f]{32}$/.test(value[1])
  )
}
