import type { DatabaseSync } from 'node:sqlite'
import type { Numbers } from '../../index/numbers.ts'
import type { Id } from '../../protocol/ids.ts'
import { integer, text } from '../../store/row.ts'

export interface ScopeTotals {
  readonly tracks: number
  readonly albums: number
  readonly duration: number
  readonly bytes: number
}

export interface Scopes {
  /** The scope of a set of libraries. */
  of(libraries: Iterable<Id>): number
  /** The scope of everything that is in one of these scopes. */
  union(scopes: Iterable<number>): number
  /** Counts what stands in a scope, or no longer does (with negative figures). */
  count(scope: number, totals: Partial<ScopeTotals>): void
  flush(): void
}

/** The sets of libraries in which tracks stand. There are about as many as libraries, so they are kept in memory. */
export function openScopes(db: DatabaseSync, numbers: Numbers): Scopes {
  const find = db.prepare('SELECT id FROM scope WHERE libraries = ?')
  const make = db.prepare('INSERT INTO scope (id, libraries) VALUES (?, ?) RETURNING id')
  const read = db.prepare('SELECT libraries FROM scope WHERE id = ?')
  const write = db.prepare(
    `UPDATE scope SET tracks = tracks + ?, albums = albums + ?, duration = duration + ?, bytes = bytes + ?
     WHERE id = ?`,
  )
  const ids = new Map<string, number>()
  const libraries = new Map<number, readonly Id[]>()
  const totals = new Map<number, ScopeTotals>()

  function of(members: Iterable<Id>): number {
    const sorted = [...new Set(members)].sort()
    const name = sorted.join(' ')
    const known = ids.get(name)
    if (known !== undefined) return known
    const id = integer((find.get(name) ?? make.get(numbers.of('scope', name), name))?.id)
    ids.set(name, id)
    libraries.set(id, sorted)
    return id
  }

  function members(scope: number): readonly Id[] {
    const known = libraries.get(scope)
    if (known !== undefined) return known
    const found = text(read.get(scope)?.libraries)
      .split(' ')
      .filter((id) => id !== '')
    libraries.set(scope, found)
    return found
  }

  return {
    of,
    union(scopes) {
      const distinct = [...new Set(scopes)]
      const [only] = distinct
      return distinct.length === 1 && only !== undefined ? only : of(distinct.flatMap(members))
    },
    count(scope, { tracks = 0, albums = 0, duration = 0, bytes = 0 }) {
      const sum = totals.get(scope) ?? { tracks: 0, albums: 0, duration: 0, bytes: 0 }
      totals.set(scope, {
        tracks: sum.tracks + tracks,
        albums: sum.albums + albums,
        duration: sum.duration + duration,
        bytes: sum.bytes + bytes,
      })
    },
    flush() {
      for (const [scope, { tracks, albums, duration, bytes }] of totals) {
        write.run(tracks, albums, duration, bytes, scope)
      }
      totals.clear()
    },
  }
}
