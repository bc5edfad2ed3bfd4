import type { Index } from '../index/index.ts'
import { isCoded } from '../protocol/errors.ts'
import { type Operation, transact } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import type { Written } from './accounts.ts'
import type { Passwords } from './password.ts'
import type { Rows } from './rows.ts'

/** What the parts of the accounts share. */
export interface Context {
  readonly store: Store
  readonly index: Index
  readonly rows: Rows
  readonly passwords: Passwords
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

/**
 * Writes what `prepare` says (again, if another write came between), and waits until the index has it. If the index
 * needs longer than it should, the write is done all the same: its revision lets the next read wait (law F4).
 */
export async function change<Value>(
  { store, index }: Context,
  prepare: () => Promise<{ operation: Operation; value: Value }>,
  signal?: AbortSignal,
): Promise<Written<Value>> {
  const written = await transact(store, prepare, signal)
  await index.waitFor(written.revision, signal).catch((error) => {
    if (!isCoded(error, 'BEHIND')) throw error
  })
  return written
}
