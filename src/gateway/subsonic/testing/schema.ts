import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import { z } from 'zod'

/** The public description of the API, which lies beside the repository and is no part of it. */
const path = join(import.meta.dirname, '../../../../../shared/opensubsonic/openapi.json')

const operation = z.object({ responses: z.looseObject({ 200: z.unknown() }) })
const document = z.looseObject({
  paths: z.record(z.string(), z.looseObject({ get: operation.optional(), post: operation.optional() })),
})

export interface SchemaChecker {
  /** The endpoints that are described with a JSON answer. */
  readonly described: ReadonlySet<string>
  /** Throws unless the answer is as described. */
  check(endpoint: string, body: unknown): void
}

export async function openSchemaChecker(): Promise<SchemaChecker> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new Error(`This test needs the OpenSubsonic description at ${path}`, { cause })
  })
  const raw: AnySchemaObject = z.looseObject({}).parse(JSON.parse(text))
  const { paths } = document.parse(raw)
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema(raw, 'api')
  const pointers = new Map<string, string>()
  for (const [path, { get, post }] of Object.entries(paths)) {
    const method = get === undefined ? 'post' : 'get'
    const response = JSON.stringify((get ?? post)?.responses[200] ?? '')
    const shared = /"\$ref":"#\/components\/responses\/(\w+)"/.exec(response)?.[1]
    const base =
      shared === undefined
        ? `/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method}/responses/200`
        : `/components/responses/${shared}`
    const isJson = shared === undefined ? response.includes('application/json') : shared !== 'BinaryResponse'
    if (isJson) pointers.set(path.slice('/rest/'.length), `${base}/content/application~1json/schema`)
  }
  return {
    described: new Set(pointers.keys()),
    check(endpoint, body) {
      const pointer = pointers.get(endpoint)
      if (pointer === undefined) throw new Error(`${endpoint} is not described`)
      const validate = ajv.getSchema(`api#${pointer}`)
      if (validate === undefined) throw new Error(`there is no schema at ${pointer}`)
      if (validate(body) !== true) {
        throw new Error(
          `${endpoint}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body).slice(0, 2_000)}`,
        )
      }
    },
  }
}
