import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import * as accounts from '../../protocol/api/accounts.ts'
import * as catalog from '../../protocol/api/catalog.ts'
import * as listening from '../../protocol/api/listening.ts'
import * as live from '../../protocol/api/live.ts'
import * as node from '../../protocol/api/node.ts'
import * as outbox from '../../protocol/api/outbox.ts'
import * as podcasts from '../../protocol/api/podcasts.ts'
import * as problem from '../../protocol/api/problem.ts'
import * as uploads from '../../protocol/api/uploads.ts'

export type JsonSchema = z.core.JSONSchema.BaseSchema

/** The schemas of a document under `#/components/schemas`, and the way to refer to them. */
export interface Components {
  readonly schemas: Record<string, JsonSchema>
  /** The JSON Schema of `schema` as a reader (`output`) or a writer (`input`) meets it; named ones become references. */
  describe(schema: z.ZodType, direction: 'input' | 'output'): JsonSchema
}

/**
 * Components are called like the exports of `src/protocol/api`, capitalised: `albumSummary` is `AlbumSummary`. A schema
 * that looks different to readers and writers (because of a default) must not be used for both: generation throws.
 */
export function createComponents(): Components {
  const names = namedSchemas()
  const schemas: Record<string, JsonSchema> = {}

  function keep(name: string, json: JsonSchema): JsonSchema {
    const known = schemas[name]
    if (known !== undefined && !isDeepStrictEqual(known, json)) {
      throw new Error(`${name} differs between requests and answers: give each a schema of its own`)
    }
    schemas[name] = json
    return { $ref: `#/components/schemas/${name}` }
  }

  return {
    schemas,
    describe(schema, direction) {
      const { $schema: _dialect, $defs, ...json } = withoutNoise(schema, names, direction)
      for (const [name, definition] of Object.entries($defs ?? {})) keep(name, definition)
      const name = names.get(schema)?.id
      return name === undefined || json.$ref !== undefined ? json : keep(name, json)
    },
  }
}

function namedSchemas() {
  const names = z.registry<{ id: string }>()
  for (const module of [accounts, catalog, listening, live, node, outbox, podcasts, problem, uploads]) {
    for (const [name, value] of Object.entries(module)) {
      if (value instanceof z.ZodType && !/(Query|Path|Order)$/.test(name)) {
        names.add(value, { id: name.charAt(0).toUpperCase() + name.slice(1) })
      }
    }
  }
  return names
}

function withoutNoise(
  schema: z.ZodType,
  names: ReturnType<typeof namedSchemas>,
  direction: 'input' | 'output',
): JsonSchema {
  const json = z.toJSONSchema(schema, {
    metadata: names,
    io: direction,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const description = z.globalRegistry.get(zodSchema)?.description
      if (description !== undefined) jsonSchema.description ??= description
      // Answers may gain fields, so readers must not rely on their absence.
      delete jsonSchema.additionalProperties
      delete jsonSchema.id
      if (jsonSchema.format === 'uuid') delete jsonSchema.pattern
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'))
}
