/**
 * The port to the store of facts: keys with revisions, changed only by compare-and-set transactions, watched in order.
 * `sqlite.ts` implements it for one machine and `etcd/` for several; both pass the same suite (`contract.ts`).
 *
 * Keys are printable paths (`catalog/albums/…`), at most 1,024 bytes, ordered bytewise; values are bytes, at most
 * 1 MiB. Every call takes an AbortSignal and rejects with its reason; every call has a deadline of its own besides
 * (TIMED_OUT). A store that cannot be reached rejects with UNREACHABLE.
 */
export interface Store extends AsyncDisposable {
  /** The current entry of `key`, or null. */
  get(key: string, signal?: AbortSignal): Promise<Entry | null>

  /**
   * A page of the entries whose keys begin with `prefix`, in key order, after the key `after` where one is given.
   * Pages of one walk need not show one moment: whoever needs that watches from the `revision` of the FIRST page, and
   * so meets every change that a later page may or may not have shown. At most 1,000 entries and about 2 MiB a page;
   * `more` says whether another follows.
   */
  list(prefix: string, options?: ListOptions, signal?: AbortSignal): Promise<Page>

  /**
   * Every change after `revision` to a key that begins with `prefix`, in order, without gaps, and then the changes
   * as they happen: one Batch per revision (a transaction's changes are never parted). Also yields empty batches, now
   * and then, so that a follower of a quiet prefix knows how far it has read. Throws COMPACTED where the history
   * after `revision` has been dropped: list again. Ends only by the signal, whose reason it throws.
   */
  watch(prefix: string, revision: number, signal: AbortSignal): AsyncIterable<Batch>

  /**
   * If every condition holds, makes all changes at once, durably (F1), and answers `{ ok: true, revision }`; else
   * changes nothing and answers `{ ok: false, revision }` (F2). At most 128 conditions and 128 changes, each key once,
   * and 4 MB of values in all: TOO_LARGE. A transaction that changes nothing makes no revision.
   */
  commit(transaction: Transaction, signal?: AbortSignal): Promise<Outcome>

  /** Makes a lease that ends `ttl` seconds after its last renewal, and takes the keys written under it with it. */
  grant(ttl: number, signal?: AbortSignal): Promise<string>
  /** Renews the lease; false where it has ended. */
  renew(lease: string, signal?: AbortSignal): Promise<boolean>
  /** Ends the lease and deletes its keys. */
  revoke(lease: string, signal?: AbortSignal): Promise<void>

  /** Forgets superseded values up to `revision`; watchers that stand before it get COMPACTED. */
  compact(revision: number, signal?: AbortSignal): Promise<void>

  /** Which store this is (a random id made with it) and how far it has come. */
  status(signal?: AbortSignal): Promise<{ id: string; revision: number; bytes: number }>
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  /** The revision of the key's last change; what a condition compares. */
  readonly revision: number
  /** The lease whose end deletes the key. */
  readonly lease?: string
}

export interface ListOptions {
  readonly after?: string
  readonly limit?: number
}

export interface Page {
  readonly entries: readonly Entry[]
  /** The store's revision when the page was read. */
  readonly revision: number
  readonly more: boolean
}

export interface Change {
  readonly key: string
  /** null: the key was deleted. */
  readonly value: Uint8Array | null
  /** The lease whose end deletes the key. */
  readonly lease?: string
}

/** A change that is to be made. */
export type Write = Change

export interface Batch {
  readonly revision: number
  readonly changes: readonly Change[]
}

export interface Condition {
  readonly key: string
  /** The revision that the key's last change must have; 0: the key must not exist. */
  readonly revision: number
}

export interface Transaction {
  readonly conditions: readonly Condition[]
  readonly writes: readonly Write[]
}

export interface Outcome {
  readonly ok: boolean
  /** The store's revision after the transaction; that of the transaction itself where it made one. */
  readonly revision: number
}
