import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import type { Response as Described, OpenApiDocument, Operation } from '../openapi/document.ts'

/** Holds live answers to the OpenAPI document, and remembers which of its operations have been exercised. */
export interface Checker {
  /** Throws unless the document foresees this answer; `body` is the answer's, read whole. */
  check(request: { readonly method: string; readonly url: string }, response: Response, body: Buffer): void
  /** The operations that were answered as they should be, at least once with success. */
  readonly exercised: ReadonlySet<string>
}

interface Route {
  readonly method: string
  readonly path: string
  readonly pattern: RegExp
  readonly operation: Operation
}

/** What a document says, ready for use. To make it takes as long as most of what starts with a gateway. */
export interface Description {
  readonly ajv: Ajv2020
  readonly routes: readonly Route[]
}

export function readDocument(document: OpenApiDocument): Description {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema(asSchema(document), 'openapi')
  return { ajv, routes: routesOf(document) }
}

export function createChecker({ ajv, routes }: Description): Checker {
  const exercised = new Set<string>()

  function checkBody(pointer: string, type: string, body: Buffer): void {
    const value: unknown = type.endsWith('json') ? JSON.parse(body.toString('utf8')) : body.toString('utf8')
    const validate = ajv.getSchema(`openapi#${pointer}`)
    if (validate === undefined) throw new Error(`the document has no schema at ${pointer}`)
    if (validate(value) !== true) {
      throw new Error(
        `the answer is not as described: ${ajv.errorsText(validate.errors)}\n${body.subarray(0, 2_000)}`,
      )
    }
  }

  return {
    exercised,
    check({ method, url }, response, body) {
      const { pathname } = new URL(url)
      const route = routes.find(
        (each) => each.method === (method === 'HEAD' ? 'GET' : method) && each.pattern.test(pathname),
      )
      if (route === undefined) throw new Error(`the document does not know ${method} ${pathname}`)
      const status =
        route.operation.responses[response.status] === undefined ? 'default' : String(response.status)
      const described: Described | undefined = route.operation.responses[status]
      if (described === undefined || (status === 'default' && response.status < 400)) {
        throw new Error(
          `${method} ${pathname} answered ${response.status}, which the document does not foresee`,
        )
      }
      if (response.status < 400) exercised.add(route.operation.operationId)
      if (
        described.headers?.['Hocket-Revision'] !== undefined &&
        !/^\d+$/.test(response.headers.get('hocket-revision') ?? '')
      ) {
        throw new Error(`${method} ${pathname} answered without Hocket-Revision`)
      }
      const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim() ?? ''
      const declared = Object.keys(described.content ?? {}).find((pattern) => matches(pattern, type))
      if (body.length === 0 || method === 'HEAD') return
      if (declared === undefined)
        throw new Error(
          `${method} ${pathname} answered ${response.status} with ${type}, which the document does not foresee`,
        )
      if (described.content?.[declared]?.schema === undefined) return
      const steps = [
        'paths',
        route.path,
        route.method.toLowerCase(),
        'responses',
        status,
        'content',
        declared,
        'schema',
      ]
      checkBody(
        steps
          .map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`)
          .map(encodeURI)
          .join(''),
        type,
        body,
      )
    },
  }
}

function routesOf(document: OpenApiDocument): readonly Route[] {
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
      operation,
    })),
  )
  // Paths without parameters come first: `/playlists/preview` is no playlist.
  return routes.sort((one, other) => Number(one.path.includes('{')) - Number(other.path.includes('{')))
}

function matches(pattern: string, type: string): boolean {
  return pattern === type || (pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)))
}

/** Ajv resolves `#/components/…` within the whole document, of which it reads only the schemas. */
function asSchema(document: OpenApiDocument): AnySchemaObject {
  return { ...document }
}
