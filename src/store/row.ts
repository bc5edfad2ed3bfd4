import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'

/** What SQLite answers is typed by the row, not by our schema: these say which type a column has, and hold it to it. */
export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`expected text in a column, got ${kind(value)}`)
  return value
}

export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw new TypeError(`expected a number in a column, got ${kind(value)}`)
  return value
}

export function bytes(value: SQLOutputValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`expected bytes in a column, got ${kind(value)}`)
  return value
}

/**
 * What a projection has put into a column as JSON. Projections alone write these columns, each in its own version's form,
 * so that is what vouches for the type: schemas would cost the thread that reads them more than all that it reads.
 */
export function written<Value>(value: SQLOutputValue | undefined): Value {
  return JSON.parse(text(value))
}

export function optional<Value>(
  read: (value: SQLOutputValue | undefined) => Value,
  value: SQLOutputValue | undefined,
): Value | undefined {
  return value === null || value === undefined ? undefined : read(value)
}

/** Answers the function that reads the rows as lists: of many, half the work of objects with forty names. */
export function listed(
  statement: StatementSync,
): (...parameters: readonly SQLInputValue[]) => readonly SQLOutputValue[][] {
  statement.setReturnArrays(true)
  return (...parameters) => {
    const rows: readonly unknown[] = statement.all(...parameters)
    return rows.filter(isList)
  }
}

function isList(row: unknown): row is SQLOutputValue[] {
  return Array.isArray(row)
}

function kind(value: SQLOutputValue | undefined): string {
  return value === null ? 'null' : typeof value
}

/** The numbers of a column that holds several, separated by commas. */
export function idsOf(column: string): number[] {
  return column === '' ? [] : column.split(',').map(Number)
}
