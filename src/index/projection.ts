import type { DatabaseSync } from 'node:sqlite'
import type { Numbers } from './numbers.ts'

/**
 * A part of the index: tables that are a function of the facts below some prefixes (law F3).
 *
 * A projection is a module, named by URL, that exports `const projection: Projection`. It is loaded in the index's
 * writer thread, the only place where these tables are written; everyone else reads them.
 */
export interface Projection {
  /** The name of the role or folder that owns it. Begin the names of tables with it: all projections share a file. */
  readonly name: string
  /** Raise it with every change of `schema` or of what `open` does: the whole index is then built anew. */
  readonly version: number
  /** The facts that it wants: every key that begins with one of these, in no order but that of the store. */
  readonly prefixes: readonly string[]
  /** The DDL of its tables, and of the indexes that `open` needs, run once on an empty file. */
  readonly schema: string
  /** The DDL of the other indexes, each `IF NOT EXISTS`. Making them once from full tables costs a tenth of keeping them while they fill. */
  readonly indexes?: string
  /** How several threads fill an empty index together; without it one does. At most one projection has this. */
  readonly parts?: Parts
  /** Prepares the statements, once for a connection, and answers the functions that use them. */
  open(db: DatabaseSync, purpose: Purpose, numbers: Numbers): Applier
}

export interface Parts {
  /**
   * The facts that are divided among the parts, which no other projection wants: those whose keys are the same up to the
   * first slash after this prefix stay together. All others come when the parts have been put together.
   */
  readonly prefix: string
  /**
   * Adds the tables of the parts to those of `main`, which are empty and have no indexes but those that constraints make.
   * The connection is opened anew afterwards. `index` makes all indexes: to be called when the rows are there. Throws where the parts do not fit together: a fact that moved while it was
   * listed may be in two of them.
   */
  merge(db: DatabaseSync, parts: readonly Attached[], index: () => void): void | Promise<void>
}

/** A part of an index: the name under which its file is attached. */
export interface Attached {
  readonly name: string
  readonly path: string
}

/**
 * `follow`: changes come for as long as the node runs, and after each commit the tables must say all that there is to
 * be said. `fill`: an empty file, which nobody reads yet, takes every fact once, and `filled` ends it: what sums up
 * many facts may be left until then. `part`: the same for a part of the facts, with the `numbers` that all parts share;
 * when it is `filled`, its tables say what can be added up. `rest`: the parts are together, the other facts come, and
 * what both have left is done when it is `filled`.
 */
export type Purpose = 'fill' | 'part' | 'rest' | 'follow'

export interface Applier {
  /**
   * Makes the tables say what the fact says now. It runs inside a transaction of many changes, so it only reads and
   * writes `db`. The same change may come twice, and after a rebuild an older one may come after a newer one and be
   * followed by the newer again: what counts is the last, so write with upserts and deletes, never with increments.
   * A fact from a newer version (FACT_NEWER), or one that is damaged (FACT_DAMAGED), must be met before anything is written
   * or remembered of it: it is counted as skipped, and the next one follows. Where it throws anything else, the whole
   * transaction is undone, and done again by another applier without this fact.
   */
  apply(change: IndexedChange): void
  /**
   * Called before each commit, after the changes of one or more whole store transactions have been applied: the place
   * to make anew what sums up many facts (an album, an artist, a count).
   */
  flush?(): void
  /** Called once, when `fill` has taken the last fact and has flushed; `indexes` are made after it. */
  filled?(): void
}

export interface IndexedChange {
  readonly key: string
  /** null: the fact was deleted. */
  readonly value: Uint8Array | null
  /** The store's revision of this change; a collection needs it to write the fact again. */
  readonly revision: number
}
