import type { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../protocol/errors.ts'
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

/** The projections on one connection, with their statements. All of it runs inside the caller's transactions. */
export interface ChangeWriter {
  /** Applies each change whole or not at all; a fact that a projection cannot read harms no other. */
  apply(changes: Iterable<IndexedChange>): Applied
  /** To be called before each commit. */
  flush(): void
  /** To be called once, when everything is there and has been flushed. */
  filled(): void
}

/** After these, no other fact fares better: they concern the file, not the fact. */
const fatal = new Set<string>(['DISK_FULL', 'DISK_FAILED', 'DISK_READ_ONLY', 'STORE_CORRUPT', 'UNREACHABLE'])

export function createChanges(
  db: DatabaseSync,
  projections: readonly Projection[],
  purpose: Purpose,
  numbers: Numbers = ownNumbers,
): ChangeWriter {
  const appliers: { prefixes: readonly string[]; applier: Applier }[] = projections.map((projection) => ({
    prefixes: projection.prefixes,
    applier: projection.open(db, purpose, numbers),
  }))
  const statements = {
    savepoint: db.prepare('SAVEPOINT fact'),
    release: db.prepare('RELEASE fact'),
    undo: db.prepare('ROLLBACK TO fact'),
    keep: db.prepare(
      'INSERT INTO index_keys VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision',
    ),
    drop: db.prepare('DELETE FROM index_keys WHERE key = ?'),
  }

  function apply(change: IndexedChange, skipped: Skipped[]): void {
    statements.savepoint.run()
    try {
      for (const { prefixes, applier } of appliers) {
        if (prefixes.some((prefix) => change.key.startsWith(prefix))) applier.apply(change)
      }
    } catch (error) {
      const known = storeError(error)
      if (known instanceof CodedError && fatal.has(known.code)) throw known
      statements.undo.run()
      skipped.push({ key: change.key, reason: known instanceof Error ? known.message : String(known) })
    }
    if (change.value === null) statements.drop.run(change.key)
    else statements.keep.run(change.key, change.revision)
    statements.release.run()
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
