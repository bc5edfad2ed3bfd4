import type { DatabaseSync } from 'node:sqlite'
import { type MarkKind, marksDefinition } from '../../protocol/facts/listening.ts'
import type { Id } from '../../protocol/ids.ts'
import { defineCollection } from '../../store/collection.ts'
import { integer } from '../../store/row.ts'
import { guidBytes } from './guid.ts'
import { markKinds } from './mark-kinds.ts'

const marks = defineCollection(marksDefinition)

export interface Marks {
  readonly prefix: string
  /** Makes the table say what the fact says, and answers the item that it is of. */
  apply(key: string, value: Uint8Array | null): { kind: MarkKind; item: Uint8Array } | undefined
  /** How often an item is played by all users; a star counts as four plays. */
  popularity(kind: MarkKind, item: Uint8Array): number
}

export function openMarks(db: DatabaseSync): Marks {
  const listener = db.prepare('SELECT id FROM listener WHERE guid = ?')
  const makeListener = db.prepare('INSERT INTO listener (guid) VALUES (?) RETURNING id')
  const put = db.prepare(
    `INSERT OR REPLACE INTO mark (listener, kind, item, starred, rating, plays, played) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const drop = db.prepare('DELETE FROM mark WHERE listener = ? AND kind = ? AND item = ?')
  const sum = db.prepare(
    'SELECT total(plays) + 4 * count(starred) AS popularity FROM mark WHERE kind = ? AND item = ?',
  )
  const any = db.prepare('SELECT 1 FROM mark LIMIT 1')
  // In a catalog that nobody has listened to yet, as in one that is filled, there is nothing to look up.
  let none: boolean | undefined
  const row = (user: Id) => integer((listener.get(user) ?? makeListener.get(user))?.id)

  return {
    prefix: marks.prefix,
    apply(key, value) {
      const [user, name, id] = marks.id(key).split('/')
      const kind = kindOf(name)
      if (user === undefined || kind === undefined || id === undefined) return undefined
      const item = guidBytes(id)
      none = undefined
      if (value === null) drop.run(row(user), markKinds[kind], item)
      else {
        const { starredAt, rating, playCount, playedAt } = marks.decodeWritten(value)
        put.run(
          row(user),
          markKinds[kind],
          item,
          starredAt ?? null,
          rating ?? null,
          playCount,
          playedAt ?? null,
        )
      }
      return { kind, item }
    },
    popularity(kind, item) {
      none ??= any.get() === undefined
      return none ? 0 : integer(sum.get(markKinds[kind], item)?.popularity)
    },
  }
}

function kindOf(name: string | undefined): MarkKind | undefined {
  return name === 'track' || name === 'album' || name === 'artist' ? name : undefined
}
