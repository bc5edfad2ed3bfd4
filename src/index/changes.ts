import type { DatabaseSync } from 'node:sqlite'
import { CodedError, isCoded } from '../protocol/errors.ts'
import { storeError } from '../store/sqlite-errors.ts'
import { type Numbers, ownNumbers } from './numbers.ts'
import type { Applier, IndexedChange, Projection, Purpose } from './projection.ts'

/** A fact that no projection could make sense of. */
export interface Skipped {
  readonly key: string
  readonly reason: string
}

export interface Applied {
  readonly applied: number
  readonly skipped: readonly Skipped[]
}

export const nothing: Applied = { applied: 0, skipped: [] }

export function sum(...all: readonly Applied[]): Applied {
  return {
    applied: all.reduce((total, { applied }) => total + applied, 0),
    skipped: all.flatMap(({ skipped }) => skipped),
  }
}

/** The projections on one connection, with their statements. All of it runs inside the caller's transactions. */
export interface ChangeWriter {
  /**
   * Applies each change whole or not at all; a fact that a projection cannot read harms no other. One with which a
   * projection fails when it may have remembered something of it is noted as `refused`, and FACT_DAMAGED thrown: what has
   * been written since the last commit is then to be undone, this writer thrown away, and all begun anew.
   */
  apply(changes: Iterable<IndexedChange>): Applied
  /** To be called before each commit. */
  flush(): void
  /** To be called once, when everything is there and has been flushed. */
  filled(): void
}

/** The facts with which a projection has failed half-way, and why: they are skipped, this time without trying. */
export type Refused = Map<string, string>

/** After these, no other fact fares better: they concern the file, not the fact. */
const fatal = new Set<string>(['DISK_FULL', 'DISK_FAILED', 'DISK_READ_ONLY', 'STORE_CORRUPT', 'UNREACHABLE'])

export function createChanges(
  db: DatabaseSync,
  projections: readonly Projection[],
  purpose: Purpose,
  numbers: Numbers = ownNumbers,
  refused: Refused = new Map(),
): ChangeWriter {
  const appliers: { prefixes: readonly string[]; applier: Applier }[] = projections.map((projection) => ({
    prefixes: projection.prefixes,
    applier: projection.open(db, purpose, numbers),
  }))
  const statements = {
    keep: db.prepare(
      'INSERT INTO index_keys VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision',
    ),
    drop: db.prepare('DELETE FROM index_keys WHERE key = ?'),
  }

  /** Answers why the fact was skipped, if it was. */
  function take(change: IndexedChange): string | undefined {
    let taken = 0
    try {
      for (const { prefixes, applier } of appliers) {
        if (!prefixes.some((prefix) => change.key.startsWith(prefix))) continue
        applier.apply(change)
        taken += 1
      }
      return undefined
    } catch (error) {
      const known = storeError(error)
      if (known instanceof CodedError && fatal.has(known.code)) throw known
      const reason = known instanceof Error ? known.message : String(known)
      const isUnread = isCoded(known, 'FACT_NEWER') || isCoded(known, 'FACT_DAMAGED')
      if (isUnread && taken === 0) return reason
      refused.set(nameOf(change), reason)
      throw new CodedError('FACT_DAMAGED', `${change.key}: ${reason}`, { cause: known })
    }
  }

  function apply(change: IndexedChange, skipped: Skipped[]): void {
    const reason = refused.get(nameOf(change)) ?? take(change)
    if (reason !== undefined) skipped.push({ key: change.key, reason })
    if (change.value === null) statements.drop.run(change.key)
    else statements.keep.run(change.key, change.revision)
  }

  return {
    apply(changes) {
      const skipped: Skipped[] = []
      let applied = 0
      for (const change of changes) {
        apply(change, skipped)
        applied += 1
      }
      return { applied, skipped }
    },
    flush() {
      for (const { applier } of appliers) applier.flush?.()
    },
    filled() {
      for (const { applier } of appliers) applier.filled?.()
    },
  }
}

/** The same key may change again in the same transaction, and then be readable. */
const nameOf = ({ key, revision }: IndexedChange) => `${revision} ${key}`

export async function loadProjection(url: string): Promise<Projection> {
  const module: { projection?: Projection } = await import(url)
  if (module.projection === undefined) throw new Error(`${url} exports no projection`)
  return module.projection
}

/** Notes that an index is complete as of `revision`. */
export function writeRevision(db: DatabaseSync, revision: number): void {
  const write = db.prepare('UPDATE index_meta SET value = ? WHERE name = ?')
  write.run(revision, 'revision')
  write.run(1, 'filled')
}
