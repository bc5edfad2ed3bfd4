import { CodedError } from '../protocol/errors.ts'
import type { Transaction } from './store.ts'

/**
 * What every driver accepts, so that a program that works on one works on the others. 128 operations is etcd's own
 * limit; 4 MiB is the size up to which etcd's gRPC takes a message as it comes.
 */
export const limits = {
  keyBytes: 1_024,
  valueBytes: 1_048_576,
  transactionBytes: 4_000_000,
  operations: 128,
  pageEntries: 1_000,
  /** A page ends after the entry that reaches this. */
  pageBytes: 2_097_152,
} as const

/** Throws BAD_REQUEST or TOO_LARGE where no driver would take the transaction. */
export function checkTransaction({ conditions, writes }: Transaction): void {
  if (conditions.length > limits.operations || writes.length > limits.operations) {
    throw new CodedError('TOO_LARGE', `a transaction has at most ${limits.operations} conditions and changes`)
  }
  checkKeys(conditions.map((condition) => condition.key))
  checkKeys(writes.map((write) => write.key))
  let size = 0
  for (const { key, value } of writes) {
    const length = value?.length ?? 0
    if (length > limits.valueBytes) {
      throw new CodedError(
        'TOO_LARGE',
        `a value has at most ${limits.valueBytes} bytes; ${key} has ${length}`,
      )
    }
    size += length
  }
  if (size > limits.transactionBytes) {
    throw new CodedError(
      'TOO_LARGE',
      `the values of a transaction have at most ${limits.transactionBytes} bytes`,
    )
  }
}

function checkKeys(keys: readonly string[]): void {
  for (const key of keys) checkKey(key)
  if (new Set(keys).size !== keys.length) {
    throw new CodedError('BAD_REQUEST', 'a transaction names each key once')
  }
}

/** Printable, well-formed Unicode of 1 to 1,024 bytes. */
export function checkKey(key: string): void {
  if (key.length === 0 || !key.isWellFormed() || /\p{Cc}/u.test(key)) {
    throw new CodedError('BAD_REQUEST', `not a key: ${JSON.stringify(key.slice(0, 100))}`)
  }
  if (Buffer.byteLength(key) > limits.keyBytes) {
    throw new CodedError('TOO_LARGE', `a key has at most ${limits.keyBytes} bytes`)
  }
}
