import type { RouteOptions } from 'fastify'
import { z } from 'zod'
import { liveMessage } from '../../protocol/api/live.ts'
import { problemDocument } from '../../protocol/api/problem.ts'
import { errorCodes } from '../../protocol/errors.ts'
import { publicRoutes } from '../authentication.ts'
import { problemType } from '../problems.ts'
import { type Components, createComponents, type JsonSchema } from './components.ts'
import { type Answer, answersOf, tags } from './operation.ts'

export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: Readonly<Record<string, unknown>>
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly security: readonly unknown[]
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: Readonly<Record<string, unknown>> & { readonly schemas: Record<string, JsonSchema> }
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly description?: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Record<string, Response>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Content
}

type Content = Record<string, { schema?: JsonSchema }>

/** One OpenAPI 3.1 document from the routes' own schemas: what is checked is what is described. */
export function describeRoutes(routes: readonly RouteOptions[], version: string): OpenApiDocument {
  const components = createComponents()
  const paths: OpenApiDocument['paths'] = {}
  for (const route of routes) {
    if (route.schema?.operationId === undefined) continue
    const path = route.url.replace(/:(\w+)/g, '{$1}')
    const operations = paths[path] ?? {}
    for (const method of [route.method].flat()) {
      if (method !== 'HEAD') operations[method.toLowerCase()] = describeRoute(route, method, components)
    }
    paths[path] = operations
  }
  const problem = components.describe(problemDocument, 'output')
  components.describe(liveMessage, 'output')
  return {
    openapi: '3.1.1',
    info: {
      title: 'Hocket',
      version,
      description:
        'The interface of a Hocket server. An answer to a write carries `Hocket-Revision`; a read that presents it as ' +
        '`Hocket-After` sees that write. Errors are problem documents (RFC 9457) with a `code` of `docs/errors.md`.',
      license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' },
    },
    tags,
    security: [{ cookie: [] }, { bearer: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      responses: {
        Problem: { description: 'What went wrong', content: { [problemType]: { schema: problem } } },
      },
      parameters: { HocketAfter: hocketAfter },
      headers: { HocketRevision: hocketRevision },
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: 'hocket_session', description: 'For browsers' },
        bearer: { type: 'http', scheme: 'bearer', description: 'For programs: the token of a session' },
      },
    },
  }
}

const hocketAfter = {
  name: 'Hocket-After',
  in: 'header',
  required: false,
  description: 'Wait until the server has caught up with this revision (of an earlier Hocket-Revision)',
  schema: { type: 'integer', minimum: 0 },
} as const

const hocketRevision = {
  description: 'The revision of the change; present it as Hocket-After to see it',
  schema: { type: 'integer' },
} as const

function describeRoute(route: RouteOptions, method: string, components: Components): Operation {
  const { operationId = '', summary = '', description, tag } = route.schema ?? {}
  const writes = method !== 'GET' && route.schema?.changesNothing !== true
  const open = publicRoutes.has(`${method} ${route.url}`)
  const parameters = parametersOf(route, method, components)
  const body = bodyOf(route, components)
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    tags: tag === undefined ? [] : [tag],
    ...(open && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: body } }),
    responses: {
      ...Object.fromEntries(
        answersOf(route.schema?.response).map((answer) => [
          String(answer.status),
          describeAnswer(answer, writes, components),
        ]),
      ),
      ...problemsOf(route, open, parameters.length > 0 || body !== undefined),
    },
  }
}

function parametersOf(route: RouteOptions, method: string, components: Components): readonly Parameter[] {
  const found = [
    ...parametersIn('path', route.schema?.params, components),
    ...parametersIn('query', route.schema?.querystring, components),
  ]
  return method === 'GET' && route.url.startsWith('/api/') ? [...found, hocketAfter] : found
}

function parametersIn(place: 'path' | 'query', schema: unknown, components: Components): Parameter[] {
  if (!(schema instanceof z.ZodType)) return []
  const json = components.describe(schema, 'input')
  return Object.entries(json.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === 'boolean') return []
    const { description, ...rest } = property
    const required = place === 'path' || (json.required ?? []).includes(name)
    return [{ name, in: place, required, ...(description !== undefined && { description }), schema: rest }]
  })
}

function bodyOf(route: RouteOptions, components: Components): Content | undefined {
  const body = route.schema?.body
  if (!(body instanceof z.ZodType)) return undefined
  const types = route.schema?.consumes ?? ['application/json']
  return Object.fromEntries(types.map((type) => [type, { schema: components.describe(body, 'input') }]))
}

function describeAnswer(answer: Answer, writes: boolean, components: Components): Response {
  const content = answer.content.map(([type, schema]): [string, { schema?: JsonSchema }] => [
    type,
    schema instanceof z.ZodUnknown ? {} : { schema: components.describe(schema, 'output') },
  ])
  return {
    description: answer.description,
    ...(writes &&
      answer.status < 300 && {
        headers: { 'Hocket-Revision': { $ref: '#/components/headers/HocketRevision' } },
      }),
    ...(content.length > 0 && { content: Object.fromEntries(content) }),
  }
}

/** The problems that follow from what the route is; any other comes as `default`. */
function problemsOf(route: RouteOptions, open: boolean, takesInput: boolean): Record<string, Response> {
  const codes = [
    ...(takesInput ? (['BAD_REQUEST'] as const) : []),
    ...(open ? [] : (['NOT_SIGNED_IN'] as const)),
    ...(route.config?.administrator === true ? (['FORBIDDEN'] as const) : []),
    ...(route.url.includes(':') ? (['NOT_FOUND'] as const) : []),
  ]
  const problem = { $ref: '#/components/schemas/ProblemDocument' }
  const content = { [problemType]: { schema: problem } }
  return {
    ...Object.fromEntries(
      codes.map((code) => [
        String(errorCodes[code].status),
        { description: errorCodes[code].title, content },
      ]),
    ),
    default: { description: 'Another problem; its code says which', content },
  }
}
