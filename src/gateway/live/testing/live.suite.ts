import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account } from '../../../protocol/api/accounts.ts'
import type { LiveMessage } from '../../../protocol/api/live.ts'
import { password } from '../../testing/gateway.ts'
import { listen } from '../../testing/listener.ts'
import { world } from '../../testing/shared.ts'
import type { Visitor } from '../../testing/visitor.ts'

const { edge } = world

const bearer = ({ token }: Visitor) => ({ authorization: `Bearer ${token}` })
const changed = (what: string) => (message: LiveMessage) =>
  message.type === 'changed' && message.what === what

test('a page is greeted with the revision, and told of the scan', async () => {
  using page = await listen(edge.url, bearer(edge.administrator))
  const hello = await page.expect('the greeting', ({ type }) => type === 'hello')
  assert.ok(hello.type === 'hello' && hello.revision > 0)
  await page.expect('the scan', ({ type }) => type === 'scan')
  assert.equal(page.messages[0]?.type, 'hello')
})

test('[S3] nobody listens without a session, nor from a page of another site', async () => {
  const cookie = `hocket_session=${edge.administrator.token}`
  const refused = [
    {},
    { authorization: 'Bearer wrong' },
    { cookie, origin: 'https://evil.example' },
    { cookie, origin: edge.url, 'sec-fetch-site': 'cross-site' },
  ]
  for (const headers of refused) await assert.rejects(listen(edge.url, headers), JSON.stringify(headers))
  using page = await listen(edge.url, { cookie, origin: edge.url })
  await page.expect('the greeting', ({ type }) => type === 'hello')
})

test('administrators hear of accounts, others do not', async () => {
  const plain = await edge.person('quiet')
  using theirs = await listen(edge.url, bearer(plain))
  using ours = await listen(edge.url, bearer(edge.administrator))
  await theirs.expect('the greeting', ({ type }) => type === 'hello')
  await ours.expect('the greeting', ({ type }) => type === 'hello')
  await edge.administrator.post('/api/users', { name: 'newcomer', password })
  await ours.expect('the news', changed('accounts'))
  assert.ok(!theirs.messages.some(changed('accounts')))
})

test('a session that ends takes its page with it', async () => {
  const person = await edge.person('leaver')
  using page = await listen(edge.url, bearer(person))
  await page.expect('the greeting', ({ type }) => type === 'hello')
  await person.delete('/api/session')
  assert.equal(await page.closed, 4401)
})

test('an account that is disabled hears nothing any more', async () => {
  const person = await edge.person('disabled')
  const { id } = account.parse((await person.get('/api/me')).body)
  using page = await listen(edge.url, bearer(person))
  await page.expect('the greeting', ({ type }) => type === 'hello')
  await edge.administrator.patch(`/api/users/${id}`, { disabled: true })
  assert.equal(await page.closed, 4401)
})

test('a page that speaks is sent away, and one that shouts too', async () => {
  for (const text of ['hello', 'x'.repeat(100_000)]) {
    using page = await listen(edge.url, bearer(edge.administrator))
    page.say(text)
    assert.ok([1003, 1009, 1006].includes(await page.closed))
  }
})

test('changes are batched: many in a moment are few messages', async () => {
  using page = await listen(edge.url, bearer(edge.administrator))
  await page.expect('the greeting', ({ type }) => type === 'hello')
  const started = performance.now()
  await Promise.all(
    Array.from({ length: 20 }, () => edge.administrator.post('/api/invitations', { note: 'many' })),
  )
  await page.expect('the news', changed('accounts'))
  const most = Math.ceil((performance.now() - started) / 250) + 1
  assert.ok(page.messages.filter(changed('accounts')).length <= most)
})

test('the server says goodbye to its pages when it ends', async () => {
  await using own = await edge.another({})
  const { url } = await own.listen()
  using page = await listen(url, bearer(edge.administrator))
  await page.expect('the greeting', ({ type }) => type === 'hello')
  await own[Symbol.asyncDispose]()
  assert.equal(await page.closed, 1001, 'it is told, and not cut off')
})
