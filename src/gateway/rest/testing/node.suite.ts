import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeStatus } from '../../../protocol/api/node.ts'
import { errorCodes } from '../../../protocol/errors.ts'
import { operatorToken } from '../../testing/gateway.ts'
import { world } from '../../testing/shared.ts'

const { edge } = world

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(edge.url + path, { headers, redirect: 'manual' })

test('an administrator, or the command line, sees how the server is', async () => {
  const status = nodeStatus.parse((await edge.administrator.get('/api/status')).body)
  assert.ok(status.store !== null && status.store.revision > 0)
  assert.ok(status.memory.rss > 0 && status.disk.total > status.disk.free)
  assert.ok(Date.now() - status.startedAt < 60_000)
  assert.equal((await ask('/api/status', { authorization: `Bearer ${operatorToken}` })).status, 200)
})

test('a backup arrives as a file while it is made', async () => {
  const backup = await edge.administrator.post('/api/backup')
  assert.equal(backup.headers.get('content-type'), 'application/x-tar')
  assert.match(
    backup.headers.get('content-disposition') ?? '',
    /^attachment; filename="hocket-\d{4}-\d\d-\d\d\.tar"$/,
  )
  assert.equal(backup.bytes.toString(), 'the bytes of an archive')
})

test('health is told to anyone', async () => {
  assert.deepEqual([(await ask('/livez')).status, (await ask('/readyz')).status], [200, 200])
})

test('the interface is described to programs and to people, without any third party', async () => {
  assert.deepEqual(
    await (await ask('/openapi.json')).json(),
    JSON.parse(JSON.stringify(edge.gateway.document)),
  )
  assert.equal((await ask('/docs')).headers.get('location'), '/docs/')
  const page = await ask('/docs/')
  assert.doesNotMatch(await page.text(), /https?:/)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, /script-src 'self';.*connect-src 'self';/)
  assert.doesNotMatch(policy, /unsafe-eval|https?:|\*/)
  const script = await ask('/docs/js/scalar.js')
  assert.match(await script.text(), /createApiReference/)
  const start = await (await ask('/docs/js/start.js')).text()
  assert.match(start, /"withDefaultFonts":false/)
})

test('[S4] every code has its place on the page that problems point to', async () => {
  const page = await (await ask('/docs/errors')).text()
  for (const code of Object.keys(errorCodes)) assert.ok(page.includes(`id="${code}"`), code)
})
