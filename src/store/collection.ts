import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { CodedError } from '../protocol/errors.ts'
import { decodeEnvelope, encodeEnvelope } from './envelope.ts'
import type { Condition, Entry, Outcome, Store, Write } from './store.ts'

/** A fact as it was read: its value, upgraded to the present version, and what a condition needs to replace it. */
export interface Fact<Value> {
  /** The key without the collection's prefix. */
  readonly id: string
  readonly value: Value
  readonly revision: number
}

export interface FactPage<Value> {
  readonly facts: readonly Fact<Value>[]
  /** Facts of this page that cannot be read here: FACT_NEWER or FACT_DAMAGED. They are left as they are. */
  readonly unreadable: readonly { readonly id: string; readonly error: Error }[]
  readonly revision: number
  readonly more: boolean
  /** What `after` must be for the next page. */
  readonly last: string | undefined
}

/** What one fact adds to a transaction. Join several with `join(…)` and give them to `store.commit`. */
export interface Operation {
  readonly conditions: readonly Condition[]
  readonly writes: readonly Write[]
}

export interface Collection<Value> {
  readonly prefix: string
  key(id: string): string
  /** The id in a key of this collection; throws where the key is of another. */
  id(key: string): string
  /** The bytes as they are stored. Throws BAD_REQUEST where the value does not fit the schema. */
  encode(value: Value): Uint8Array
  /** Throws FACT_NEWER or FACT_DAMAGED. */
  decode(bytes: Uint8Array): Value
  /**
   * The same without checking the value against the schema, which `encode` has done: for the index, which reads a
   * million facts at once. An older form is upgraded as ever (law F5).
   */
  decodeWritten(bytes: Uint8Array): Value
  get(store: Store, id: string, signal?: AbortSignal): Promise<Fact<Value> | null>
  list(
    store: Store,
    options?: { under?: string; after?: string; limit?: number },
    signal?: AbortSignal,
  ): Promise<FactPage<Value>>
  /** Every fact below `under`, a page at a time. Throws at an unreadable one, unless `skip` takes note of it. */
  walk(
    store: Store,
    options?: { under?: string; skip?: (id: string, error: Error) => void },
    signal?: AbortSignal,
  ): AsyncIterable<Fact<Value>>
  /** Writes a fact that must not exist yet. */
  create(id: string, value: Value, lease?: string): Operation
  /** Replaces the fact that was read at `revision` (0: that did not exist). */
  replace(id: string, revision: number, value: Value, lease?: string): Operation
  /** Deletes the fact that was read at `revision`. */
  remove(id: string, revision: number): Operation
  /** Holds only if the fact is still the one read at `revision` (0: still does not exist). */
  expect(id: string, revision: number): Operation
}

export interface CollectionDefinition<Schema extends z.ZodType> {
  /** Ends in `/`. */
  readonly prefix: string
  /** Raise it with every change of the schema, an optional field included: an older node would drop it (F5). */
  readonly version: number
  readonly schema: Schema
  /** For each older version, the function that makes of its data what the next version has, with all its fields. */
  readonly upgrades?: Readonly<Record<number, (data: unknown) => unknown>>
  /** Compress with zstd what has more than some hundred bytes. Reading takes both forms. */
  readonly compress?: boolean
}

/** Facts of one kind below one prefix, in one schema, with the upgrades of their older forms. */
export function defineCollection<Schema extends z.ZodType>(
  definition: CollectionDefinition<Schema>,
): Collection<z.output<Schema>> {
  const { prefix, version, schema, upgrades = {}, compress = false } = definition
  for (let older = 1; older < version; older += 1) {
    if (upgrades[older] === undefined) throw new Error(`${prefix} lacks the upgrade of version ${older}`)
  }

  const key = (id: string) => prefix + id

  function idOf(full: string): string {
    if (!full.startsWith(prefix)) throw new Error(`${full} is not a key of ${prefix}`)
    return full.slice(prefix.length)
  }

  function encode(value: z.output<Schema>): Uint8Array {
    const checked = schema.safeParse(value)
    if (!checked.success) throw new CodedError('BAD_REQUEST', explain(checked.error))
    return encodeEnvelope({ version, data: checked.data }, compress)
  }

  /** The data of a fact in the present form. */
  function read(bytes: Uint8Array): unknown {
    const envelope = decodeEnvelope(bytes)
    if (envelope.version > version) {
      throw new CodedError(
        'FACT_NEWER',
        `${prefix} in form ${envelope.version}; this version knows ${version}`,
      )
    }
    let data = envelope.data
    for (let older = envelope.version; older < version; older += 1) data = upgrades[older]?.(data)
    return data
  }

  function decode(bytes: Uint8Array): z.output<Schema> {
    const data = read(bytes)
    const checked = schema.safeParse(data)
    if (!checked.success) throw new CodedError('FACT_DAMAGED', `${prefix}: ${explain(checked.error)}`)
    return checked.data
  }

  function decodeWritten(bytes: Uint8Array): z.output<Schema> {
    const data = read(bytes)
    if (!isWritten<z.output<Schema>>(data)) throw new CodedError('FACT_DAMAGED', `${prefix} holds no object`)
    return data
  }

  const factOf = (entry: Entry): Fact<z.output<Schema>> => ({
    id: idOf(entry.key),
    value: decode(entry.value),
    revision: entry.revision,
  })

  async function list(
    store: Store,
    options: { under?: string; after?: string; limit?: number } = {},
    signal?: AbortSignal,
  ): Promise<FactPage<z.output<Schema>>> {
    const { under = '', after, limit } = options
    const page = await store.list(
      prefix + under,
      { ...(after === undefined ? {} : { after: key(after) }), ...(limit === undefined ? {} : { limit }) },
      signal,
    )
    const facts: Fact<z.output<Schema>>[] = []
    const unreadable: { id: string; error: Error }[] = []
    for (const entry of page.entries) {
      try {
        facts.push(factOf(entry))
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        unreadable.push({ id: idOf(entry.key), error })
      }
    }
    const last = page.entries.at(-1)
    return {
      facts,
      unreadable,
      revision: page.revision,
      more: page.more,
      last: last === undefined ? undefined : idOf(last.key),
    }
  }

  return {
    prefix,
    key,
    id: idOf,
    encode,
    decode,
    decodeWritten,
    list,
    async get(store, id, signal) {
      const entry = await store.get(key(id), signal)
      return entry === null ? null : factOf(entry)
    },
    async *walk(store, { under = '', skip } = {}, signal) {
      let after: string | undefined
      for (let more = true; more; ) {
        const page = await list(store, after === undefined ? { under } : { under, after }, signal)
        for (const { id, error } of page.unreadable) {
          if (skip === undefined) throw error
          skip(id, error)
        }
        yield* page.facts
        after = page.last
        more = page.more
      }
    },
    create: (id, value, lease) => operation(key(id), 0, encode(value), lease),
    replace: (id, revision, value, lease) => operation(key(id), revision, encode(value), lease),
    remove: (id, revision) => operation(key(id), revision, null),
    expect: (id, revision) => ({ conditions: [{ key: key(id), revision }], writes: [] }),
  }
}

/** Nothing but `encode` writes facts, and it has checked them: that, and little else here, vouches for the type. */
function isWritten<Value>(data: unknown): data is Value {
  return typeof data === 'object' && data !== null
}

function operation(key: string, revision: number, value: Uint8Array | null, lease?: string): Operation {
  return {
    conditions: [{ key, revision }],
    writes: [lease === undefined ? { key, value } : { key, value, lease }],
  }
}

const explain = (error: z.ZodError) => z.prettifyError(error).slice(0, 500)

/** One transaction of several operations: all of them or none. */
export function join(...operations: readonly Operation[]): Operation {
  return {
    conditions: operations.flatMap((each) => each.conditions),
    writes: operations.flatMap((each) => each.writes),
  }
}

const attempts = 20

/**
 * Reads a fact, lets `change` say what it becomes, and writes that if nobody else has written meanwhile; otherwise
 * again, at most twenty times (then CONFLICT). `change` gets null where there is no fact, and answers null to delete
 * it, or the very value that it got to leave it as it is. It may throw, which ends it; it may be called many times.
 */
export async function update<Value>(
  store: Store,
  collection: Collection<Value>,
  id: string,
  change: (value: Value | null) => Value | null,
  signal?: AbortSignal,
): Promise<{ value: Value | null; revision: number }> {
  return await transact(
    store,
    async () => {
      const fact = await collection.get(store, id, signal)
      const before = fact?.value ?? null
      const revision = fact?.revision ?? 0
      const value = change(before)
      if (value === before) return { operation: collection.expect(id, revision), value }
      const operation =
        value === null ? collection.remove(id, revision) : collection.replace(id, revision, value)
      return { operation, value }
    },
    signal,
  )
}

/** Writes a fact under an id that was drawn just now: nothing is read before it. CONFLICT where there is one already. */
export async function create<Value>(
  store: Store,
  collection: Collection<Value>,
  id: string,
  value: Value,
  signal?: AbortSignal,
): Promise<{ revision: number }> {
  const { ok, revision } = await store.commit(collection.create(id, value), signal)
  if (!ok) throw new CodedError('CONFLICT', `${collection.prefix}${id} is there already`)
  return { revision }
}

/**
 * Prepares an operation from what it reads, and commits it; when a condition no longer holds, prepares it anew, at
 * most twenty times (then CONFLICT).
 */
export async function transact<Value>(
  store: Store,
  prepare: () => Promise<{ operation: Operation; value: Value }>,
  signal?: AbortSignal,
): Promise<{ value: Value; revision: number }> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { operation, value } = await prepare()
    const outcome: Outcome = await store.commit(operation, signal)
    if (outcome.ok) return { value, revision: outcome.revision }
    // Rivals that fail together would fail together again: each waits a random, growing moment.
    if (attempt > 0) await pause(Math.random() * Math.min(2 ** attempt, 100), undefined, { signal })
  }
  throw new CodedError('CONFLICT', `after ${attempts} attempts`)
}
