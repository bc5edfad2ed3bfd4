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
  const [user = '', session = '', , place = '', proof = ''] = pass.slice(1).split('.')
  const later = (Date.now() + 9e9).toString(36)
  for (const forged of [
    `~${user}.${session}.${later}.${place}.${proof}`,
    `~${session}.${user}.${pass.split('.')[2]}.${place}.${proof}`,
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

test('a page goes on here from wherever it was served, with the pass that it was given there, and without cookies', async () => {
  const home = 'http://nas.local:4650'
  const preflight = {
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization',
  }
  const allowed = await ask('/api/queue', { origin: home, ...preflight }, 'OPTIONS')
  assert.equal(allowed.status, 204)
  assert.match(allowed.headers.get('access-control-allow-methods') ?? '', /PUT/)
  const made = await ada.fetch('/api/session/pass', { method: 'POST', headers: { origin: home } })
  const proof = { authorization: `Bearer ${roaming.parse(made.body).pass}` }
  for (const path of ['/api/sessions', '/readyz']) {
    const answered = await ask(path, { origin: home, ...proof })
    assert.equal(answered.status, 200)
    assert.equal(answered.headers.get('access-control-allow-origin'), home)
    assert.equal(answered.headers.get('access-control-allow-credentials'), null, 'cookies have no part in it')
    const elsewhere = await ask(path, { origin: 'http://evil.example', ...proof })
    assert.equal(elsewhere.headers.get('access-control-allow-origin'), null, 'it is good for that page only')
    const unproven = await ask(path, { origin: home })
    assert.equal(unproven.headers.get('access-control-allow-origin'), null)
  }
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
