import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { roaming } from '../protocol/api/accounts.ts'
import { withGateways } from './roaming.ts'
import { playerPolicy } from './security.ts'
import { openTestGateway, type TestGateway } from './testing/gateway.ts'
import type { Visitor } from './testing/visitor.ts'

const other = { name: 'cellar', url: 'http://cellar.example:4650' }

let edge: TestGateway
let ada: Visitor
let pass: string
before(async () => {
  edge = await openTestGateway({}, { others: [other] })
  ada = await edge.person('ada')
  // The key that passes are signed with is there from the first device on, and in a cluster from the start.
  await ada.post('/api/devices', { label: 'phone' })
  pass = roaming.parse((await ada.post('/api/session/pass')).body).pass ?? ''
})
after(() => edge[Symbol.asyncDispose]())

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(edge.url + path, { method, headers, redirect: 'manual' })
const anywhere = '00000000-0000-4000-8000-000000000000'

test('a pass stands for its session, in the header and in addresses of what browsers load themselves', async () => {
  const me = await ask('/api/sessions', { authorization: `Bearer ${pass}` })
  assert.equal(me.status, 200)
  for (const path of [`/api/tracks/${anywhere}/audio`, `/api/covers/album/${anywhere}`]) {
    assert.equal(
      (await ask(`${path}?pass=${encodeURIComponent(pass)}`)).status,
      404,
      `${path} asks no more who it is`,
    )
    assert.equal((await ask(path)).status, 401)
  }
  assert.equal((await ask(`/api/sessions?pass=${encodeURIComponent(pass)}`)).status, 401, 'nowhere else')
})

test('[S3] a pass that was changed, is too old, or whose session has ended opens nothing', async () => {
  const bearer = (token: string) => ask('/api/sessions', { authorization: `Bearer ${token}` })
  const [user = '', session = '', , proof = ''] = pass.slice(1).split('.')
  const later = (Date.now() + 9e9).toString(36)
  for (const forged of [
    `~${user}.${session}.${later}.${proof}`,
    `~${session}.${user}.${pass.split('.')[2]}.${proof}`,
    `${pass.slice(0, -4)}AAAA`,
    '~',
    `~${'.'.repeat(3)}`,
  ]) {
    assert.equal((await bearer(forged)).status, 401, forged)
  }
  const eve = await edge.person('eve')
  const hers = roaming.parse((await eve.post('/api/session/pass')).body).pass ?? ''
  assert.equal((await bearer(hers)).status, 200)
  assert.equal((await eve.delete('/api/session')).status, 204)
  assert.equal((await bearer(hers)).status, 401)
})

test('pages of the other gateways may ask, those of other sites may not', async () => {
  const preflight = {
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization',
  }
  const allowed = await ask('/api/queue', { origin: other.url, ...preflight }, 'OPTIONS')
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), other.url)
  assert.match(allowed.headers.get('access-control-allow-methods') ?? '', /PUT/)
  const foreign = await ask('/api/queue', { origin: 'http://evil.example', ...preflight }, 'OPTIONS')
  assert.equal(foreign.headers.get('access-control-allow-origin'), null)
  const answered = await ask('/api/sessions', { origin: other.url, authorization: `Bearer ${pass}` })
  assert.equal(answered.headers.get('access-control-allow-origin'), other.url)
  assert.equal(answered.headers.get('access-control-allow-credentials'), null, 'cookies have no part in it')
})

test('the page may load from the other gateways, and from nobody else', () => {
  const policy = withGateways(playerPolicy, [other])
  assert.match(policy, /media-src 'self' blob: http:\/\/cellar\.example:4650(;|$)/)
  assert.match(policy, /connect-src 'self' http:\/\/cellar\.example:4650 ws:\/\/cellar\.example:4650(;|$)/)
  assert.match(policy, /script-src 'self'(;|$)/)
  assert.equal(withGateways(playerPolicy, []), playerPolicy)
})

test('a pass is in no log', () => {
  assert.ok(!edge.log().includes(pass))
})
