import type { DatabaseSync } from 'node:sqlite'
import type { Id } from '../../../protocol/ids.ts'
import { markKinds } from '../mark-kinds.ts'
import { rowsOfIds } from './items.ts'
import type { View } from './view.ts'

/** What `read` finds of these items, by their ids. */
export function byIds<Item extends { readonly id: Id }>(
  db: DatabaseSync,
  view: View,
  table: 'track' | 'album' | 'artist',
  ids: readonly Id[],
  read: (db: DatabaseSync, view: View, rows: readonly number[]) => Item[],
): Map<Id, Item> {
  const items = read(db, view, rowsOfIds(db, table, [...new Set(ids)]))
  return new Map(items.map((item) => [item.id, item]))
}

/** An item's GUID as `guidOfHex` takes it. */
export function hexOf(table: 'track' | 'album' | 'artist'): string {
  return `lower(hex(${table}.guid))`
}

/** What everyone together thinks of something, out of five; null where nobody has rated it. */
export function averageOf(kind: keyof typeof markKinds): string {
  return `(SELECT avg(rating) FROM mark WHERE mark.kind = ${markKinds[kind]} AND mark.item = ${kind}.guid)`
}
