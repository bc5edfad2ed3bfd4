/** What an answer says, in the one form from which both JSON and XML are written. */
export interface Content {
  readonly [name: string]: Value | undefined
}
export type Scalar = string | number | boolean
export type Value = Scalar | Content | readonly (Scalar | Content)[]

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
