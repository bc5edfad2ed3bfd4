import { markKinds } from '../mark-kinds.ts'

/** An item's GUID as `guidOfHex` takes it. */
export function hexOf(table: 'track' | 'album' | 'artist'): string {
  return `lower(hex(${table}.guid))`
}

/** What everyone together thinks of something, out of five; null where nobody has rated it. */
export function averageOf(kind: keyof typeof markKinds): string {
  return `(SELECT avg(rating) FROM mark WHERE mark.kind = ${markKinds[kind]} AND mark.item = ${kind}.guid)`
}
