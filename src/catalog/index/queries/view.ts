import type { StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { CodedError } from '../../../protocol/errors.ts'
import type { Id } from '../../../protocol/ids.ts'
import { integer, optional, text } from '../../../store/row.ts'

/** Who asks, as `Viewer` of `catalog.ts`, and perhaps for some libraries only: where both are said, both count. */
export interface Ask {
  readonly user: Id
  readonly administrator: boolean
  readonly library?: Id | undefined
  readonly libraries?: readonly Id[] | undefined
}

/** What someone sees. */
export interface View {
  readonly user: Id
  /** The scopes of what they see; null: everything there is, so that nothing need be compared. */
  readonly scopes: readonly number[] | null
  /** Rows of libraries that they see. */
  readonly libraries: ReadonlyMap<Id, number>
  /** The row of the user in the table of marks; 0 where they have none. */
  readonly listener: number
}

/** A connection, or whatever keeps its statements. */
export interface Statements {
  prepare(sql: string): StatementSync
}

export function viewOf(db: Statements, { user, administrator, library: only, libraries: some }: Ask): View {
  const libraries = new Map<Id, number>()
  for (const row of db
    .prepare('SELECT id, guid, visible_to FROM library WHERE visible_to IS NOT NULL')
    .all()) {
    const id = text(row.guid)
    const visibleTo = text(row.visible_to)
    const visible = administrator || visibleTo === 'everyone' || visibleTo.includes(user)
    const asked = (only === undefined || only === id) && (some === undefined || some.includes(id))
    if (visible && asked) libraries.set(id, integer(row.id))
  }
  let everything = true
  const scopes: number[] = []
  for (const row of db.prepare('SELECT id, libraries, tracks FROM scope').all()) {
    const visible = text(row.libraries)
      .split(' ')
      .some((id) => libraries.has(id))
    if (visible) scopes.push(integer(row.id))
    else if (integer(row.tracks) > 0) everything = false
  }
  const listener = db.prepare('SELECT id FROM listener WHERE guid = ?').get(user)?.id
  return { user, scopes: everything ? null : scopes, libraries, listener: optional(integer, listener) ?? 0 }
}

/** A condition that holds for what the viewer sees, to be put after others: `AND scope IN (…)`, or nothing. */
export function seen(view: View, column: string): string {
  return view.scopes === null ? '' : `AND ${column} IN (${view.scopes.join(', ')})`
}

export function sees(view: View, scope: number): boolean {
  return view.scopes === null || view.scopes.includes(scope)
}

/** Where a walk stands, as an opaque word that carries a checksum of itself. */
export function cursorOf(position: string): string {
  const bytes = Buffer.from(position, 'latin1')
  return Buffer.concat([checksumOf(bytes), bytes]).toString('base64url')
}

/** What a cursor says. CURSOR_UNKNOWN where it is none that `cursorOf` gave. */
export function positionOf(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url')
  const position = bytes.subarray(checksumBytes)
  if (!bytes.subarray(0, checksumBytes).equals(checksumOf(position))) throw new CodedError('CURSOR_UNKNOWN')
  return position.toString('latin1')
}

/** A position that counts entries. CURSOR_UNKNOWN where it is one of another list. */
export function countOfCursor(cursor: string): number {
  const position = positionOf(cursor)
  if (!/^\d{1,15}$/.test(position)) throw new CodedError('CURSOR_UNKNOWN')
  return Number(position)
}

/** A position of several values, as `cursorOf(JSON.stringify(values))` wrote it. CURSOR_UNKNOWN where it is another. */
export function valuesOf<Values>(cursor: string, isPosition: (value: unknown) => value is Values): Values {
  const position = positionOf(cursor)
  let values: unknown
  try {
    values = JSON.parse(position)
  } catch (cause) {
    throw new CodedError('CURSOR_UNKNOWN', undefined, { cause })
  }
  if (!isPosition(values)) throw new CodedError('CURSOR_UNKNOWN')
  return values
}

const checksumBytes = 4

function checksumOf(bytes: Uint8Array): Buffer {
  const checksum = Buffer.alloc(checksumBytes)
  checksum.writeUInt32BE(crc32(bytes))
  return checksum
}
