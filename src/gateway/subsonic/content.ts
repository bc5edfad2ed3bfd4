/** What an answer says, in the one form from which both JSON and XML are written. */
export interface Content {
  readonly [name: string]: Value | undefined
}
export type Scalar = string | number | boolean
export type Value = Scalar | Content | readonly (Scalar | Content)[] | Flow | Written

/** A list that has been written already, in pieces, in the format of the answer: see `Text` of `listing.ts`. */
export interface Written {
  readonly [text]: readonly Uint8Array[]
}
export const text: unique symbol = Symbol('written')

export function written(pieces: readonly Uint8Array[]): Written {
  return { [text]: pieces }
}

export function isWritten(value: Exclude<Value, Scalar>): value is Written {
  return text in value
}

/** A list that is too long to be held at once: its items come in runs, each asked for when the one before is written. */
export interface Flow extends AsyncIterable<readonly Content[] | Written> {}

export function isFlow(value: Exclude<Value, Scalar>): value is Flow {
  return Symbol.asyncIterator in value
}

export function isList(value: Value): value is readonly (Scalar | Content)[] {
  return Array.isArray(value)
}

/** A date as the API writes it. */
export function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

/** The date of what may not have happened yet. */
export function dateWhere(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : dateOf(milliseconds)
}

/** Whole seconds of milliseconds, never less than a track has. */
export function secondsOf(milliseconds: number): number {
  return Math.round(milliseconds / 1_000)
}
