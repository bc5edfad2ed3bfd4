/**
 * Writes the types of `/api` out of its OpenAPI document, in the shape that openapi-fetch reads (`paths`, `components`).
 * `npm run openapi` does it; a test holds both files together. (openapi-typescript cannot run with TypeScript 7: ADR 0080.)
 */
export function apiTypes(document: Described): string {
  const components = Object.entries(document.components.schemas)
  const paths = Object.entries(document.paths)
  return [
    '// Made from docs/openapi.json by `npm run openapi`. Changes here are lost.',
    '',
    'export interface components {',
    '  schemas: {',
    ...components.map(([name, schema]) => `    ${quoted(name)}: ${typeOf(schema)}`),
    '  }',
    '}',
    '',
    'export interface paths {',
    ...paths.flatMap(([path, item]) => [`  ${quoted(path)}: {`, ...methodsOf(item), '  }']),
    '}',
    '',
  ].join('\n')
}

/** The parts of an OpenAPI 3.1 document that are read. */
export interface Described {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}
interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { required?: boolean; content: Content }
  responses: Record<string, { content?: Content }>
}
type Content = Record<string, { schema?: Schema }>
export interface Schema {
  $ref?: string
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
}

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head'] as const
const places = ['query', 'header', 'path', 'cookie'] as const

function methodsOf(item: Record<string, Operation>): string[] {
  return methods.flatMap((method) => {
    const operation = item[method]
    return operation === undefined ? [] : [`    ${method}: ${operationOf(operation)}`]
  })
}

function operationOf({ parameters = [], requestBody, responses }: Operation): string {
  const given = places.map((place) => {
    const here = parameters.filter((parameter) => parameter.in === place)
    if (here.length === 0) return `${place}?: never`
    const optional = here.every(({ required }) => required !== true)
    const fields = here.map(({ name, required, schema }) => field(name, schema, required === true))
    return `${place}${optional ? '?' : ''}: { ${fields.join('; ')} }`
  })
  const body =
    requestBody === undefined
      ? 'requestBody?: never'
      : `requestBody${requestBody.required === true ? '' : '?'}: { content: ${contentOf(requestBody.content)} }`
  const answers = Object.entries(responses).map(
    ([status, { content }]) =>
      `${status}: { headers: { [name: string]: unknown }; content${content === undefined ? '?: never' : `: ${contentOf(content)}`} }`,
  )
  return `{ parameters: { ${given.join('; ')} }; ${body}; responses: { ${answers.join('; ')} } }`
}

function contentOf(content: Content): string {
  const types = Object.entries(content).map(
    ([type, { schema }]) => `${quoted(type)}: ${typeOf(schema ?? {})}`,
  )
  return `{ ${types.join('; ')} }`
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return `components['schemas']['${schema.$ref.split('/').at(-1) ?? ''}']`
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ')
  const either = schema.anyOf ?? schema.oneOf
  if (either !== undefined) return `(${either.map(typeOf).join(' | ')})`
  if (schema.allOf !== undefined) return `(${schema.allOf.map(typeOf).join(' & ')})`
  switch (schema.type) {
    case 'object':
      return objectOf(schema)
    case 'array':
      return `${parenthesised(typeOf(schema.items ?? {}))}[]`
    case 'integer':
      return 'number'
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return schema.type
    default:
      return 'unknown'
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): string {
  const fields = Object.entries(properties).map(([name, schema]) =>
    field(name, schema, required.includes(name)),
  )
  if (typeof additionalProperties === 'object') fields.push(`[name: string]: ${typeOf(additionalProperties)}`)
  return fields.length === 0 ? 'Record<string, never>' : `{ ${fields.join('; ')} }`
}

/** An optional field may also be given as undefined, as fields of the zod schemas may. */
function field(name: string, schema: Schema, required: boolean): string {
  return required ? `${quoted(name)}: ${typeOf(schema)}` : `${quoted(name)}?: ${typeOf(schema)} | undefined`
}

function parenthesised(type: string): string {
  return type.includes(' | ') && !type.startsWith('{') && !type.startsWith('(') ? `(${type})` : type
}

function quoted(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value)
}
