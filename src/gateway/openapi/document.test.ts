import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { openTestGateway, type TestGateway } from '../testing/gateway.ts'

let edge: TestGateway
before(async () => {
  edge = await openTestGateway({}, { setUp: false })
})
after(() => edge[Symbol.asyncDispose]())

test('docs/openapi.json is what the server says of itself (else: npm run openapi)', async () => {
  const written = JSON.parse(await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'))
  const now = JSON.parse(JSON.stringify(edge.gateway.document))
  assert.deepEqual(
    { ...written, info: { ...written.info, version: '' } },
    { ...now, info: { ...now.info, version: '' } },
  )
})

test('every route under /api is in the document, with a summary, a tag and its problems', () => {
  const { paths } = edge.gateway.document
  const ids = new Set<string>()
  for (const { method, url } of edge.gateway.routes) {
    if (!url.startsWith('/api/') || method === 'HEAD' || method === 'OPTIONS') continue
    const operation = paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    assert.ok(operation, `${method} ${url}`)
    assert.ok(operation.summary.length > 5 && operation.tags.length === 1, `${method} ${url}`)
    assert.ok(operation.responses.default, `${method} ${url}`)
    assert.ok(!ids.has(operation.operationId), operation.operationId)
    ids.add(operation.operationId)
  }
})

test('every reference leads somewhere', () => {
  const text = JSON.stringify(edge.gateway.document)
  const { schemas, responses, headers } = edge.gateway.document.components
  const known = { schemas, responses, headers }
  for (const [, kind, name] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
    assert.ok(Object.hasOwn(Object(Object(known)[String(kind)]), String(name)), `${kind}/${name}`)
  }
})
