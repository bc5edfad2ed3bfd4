import { z } from 'zod'
import { Failure } from './failure.ts'

/** The parameters of a request as they came: each name with its values in their order. */
export type RawParameters = ReadonlyMap<string, readonly string[]>

/** Values of a parameter that are read: more are refused. */
const mostValues = 20_000

/** Reads the query, and the form where there is one; what is in both counts in both. */
export function readParameters(...texts: readonly string[]): RawParameters {
  const parameters = new Map<string, string[]>()
  for (const text of texts) {
    for (const [name, value] of new URLSearchParams(text)) {
      const values = parameters.get(name) ?? []
      values.push(value)
      parameters.set(name, values)
    }
  }
  return parameters
}

/** The first value of a parameter, or undefined. */
export function firstOf(parameters: RawParameters, name: string): string | undefined {
  return parameters.get(name)?.[0]
}

/** What a handler asks for, from what came. Failure 10 names the first parameter that is missing or wrong. */
export function parseParameters<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  parameters: RawParameters,
): z.output<z.ZodObject<Shape>> {
  const given: Record<string, readonly string[] | undefined> = {}
  for (const name of Object.keys(schema.shape)) given[name] = parameters.get(name)
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const name = String(issue?.path[0] ?? '')
  throw given[name] === undefined
    ? new Failure(10, `Required parameter '${name}' is missing`)
    : new Failure(10, `The parameter '${name}' is not valid: ${issue?.message}`)
}

const values = z.array(z.string()).max(mostValues, `more than ${mostValues} values`)

/** One value that must be there. */
export function required<Schema extends z.ZodType<unknown, string>>(schema: Schema) {
  return values.transform(([first = '']) => first).pipe(schema)
}

/** One value that may be left out; clients leave it empty as well. */
export function optional<Schema extends z.ZodType<unknown, string>>(schema: Schema) {
  return values
    .optional()
    .transform((given) => given?.[0] || undefined)
    .pipe(schema.optional())
}

/** Any number of values. */
export function many<Schema extends z.ZodType<unknown, string>>(schema: Schema) {
  return values
    .optional()
    .transform((given = []) => given)
    .pipe(z.array(schema))
}

/** Any text, as long as it is not absurd. */
export const text = z.string().max(10_000, 'longer than 10,000 characters')

/** The id of something. What cannot be one names nothing, which is another error than being malformed. */
export const itemId = z.string().transform((given) => given.toLowerCase())

/** A whole number from `least` on; what is larger than `most` is taken as that. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  return number(/^[+-]?\d{1,400}$/, 'not a whole number', least, most)
}

/** A place in a song. Players in browsers count in fractions and send them as they are: the whole part is meant. */
export function moment(most?: number) {
  return number(/^[+-]?\d{1,400}(?:\.\d{1,400})?$/, 'not a number', 0, most)
}

function number(form: RegExp, wrong: string, least: number, most: number = Number.MAX_SAFE_INTEGER) {
  return z
    .string()
    .regex(form, wrong)
    .transform((digits) => Math.min(Math.trunc(Number(digits)), most))
    .pipe(z.number().min(least, `less than ${least}`))
}

/** How many to answer: as many as `preset` where it is not said, and never more than `most`. */
export function count(preset: number, most = 500) {
  return optional(wholeNumber(0, most)).transform((given) => given ?? preset)
}

export const offset = optional(wholeNumber(0, 1_000_000_000)).transform((given) => given ?? 0)

/** `preset` where it is not said. */
export function flag(preset: boolean) {
  return optional(z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] })).transform(
    (given) => given ?? preset,
  )
}
