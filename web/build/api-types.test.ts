import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { apiTypes } from './api-types.ts'

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')

test('the player’s types of /api are those of docs/openapi.json (`npm run openapi` makes both)', async () => {
  assert.equal(await read('../api/schema.d.ts'), apiTypes(JSON.parse(await read('../../docs/openapi.json'))))
})

test('optional, nullable, literal and referenced parts become what they are in TypeScript', () => {
  const types = apiTypes({
    components: {
      schemas: {
        Thing: {
          type: 'object',
          required: ['id', 'of'],
          properties: {
            id: { type: 'string' },
            of: { anyOf: [{ $ref: '#/components/schemas/Thing' }, { type: 'null' }] },
            kinds: { type: 'array', items: { enum: ['a', 'b'] } },
            more: { type: 'object', additionalProperties: { type: 'integer' } },
          },
        },
      },
    },
    paths: { '/t/{id}': { get: { responses: { 204: {} } } } },
  })
  assert.match(types, /id: string; of: \(components\['schemas'\]\['Thing'\] \| null\)/)
  assert.match(
    types,
    /kinds\?: \('a' \| 'b'\)\[\] \| undefined; more\?: \{ \[name: string\]: number \} \| undefined/,
  )
  assert.match(types, /'\/t\/\{id\}': \{\n {4}get: .*204: .*content\?: never/)
})
