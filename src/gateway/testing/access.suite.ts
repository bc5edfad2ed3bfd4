import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { isCoded } from '../../protocol/errors.ts'
import { publicRoutes } from '../authentication.ts'
import { isSetupCode } from '../setup-code.ts'
import { openTestGateway, password } from './gateway.ts'
import { world } from './shared.ts'

const { edge } = world

const addressOf = (url: string) =>
  url
    .replace(/:(?:id|invitation)/g, () => randomUUID())
    .replace(':kind', 'album')
    .replace('*', 'some/page')

test('[S3] every route but those of one visible list refuses who is not signed in', async () => {
  assert.ok(edge.gateway.routes.length > 80)
  for (const { method, url } of edge.gateway.routes) {
    const isPublic = publicRoutes.has(`${method === 'HEAD' ? 'GET' : method} ${url}`)
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { cookie: 'hocket_session=wrong' }]) {
      const response = await fetch(edge.url + addressOf(url), { method, headers, redirect: 'manual' })
      await response.body?.cancel()
      const { status } = response
      if (!isPublic) assert.equal(status, 401, `${method} ${url}`)
    }
  }
})

test('[S3] the list of public routes names only routes that exist', () => {
  const known = new Set(edge.gateway.routes.map(({ method, url }) => `${method} ${url}`))
  for (const route of publicRoutes) assert.ok(known.has(route), route)
})

test("administrators' routes refuse everyone else", async () => {
  const plain = await edge.person('plain')
  const routes = edge.gateway.routes.filter(({ administrator }) => administrator)
  assert.ok(routes.length >= 15)
  for (const { method, url } of routes) {
    const response = await fetch(edge.url + addressOf(url), {
      method,
      headers: { authorization: `Bearer ${plain.token}` },
    })
    assert.equal(response.status, 403, `${method} ${url}`)
  }
})

test('/metrics is for this machine, or for an administrator', async () => {
  const plain = await edge.person('curious')
  const ask = (headers: Record<string, string>) => statusOf('/metrics', headers)
  assert.equal(await ask({}), 200)
  assert.equal(await ask({ 'x-forwarded-for': '192.0.2.1' }), 401)
  assert.equal(await ask({ host: 'music.example' }), 401)
  assert.equal(await ask({ host: 'music.example', authorization: `Bearer ${plain.token}` }), 403)
  assert.equal(await ask({ host: 'music.example', authorization: `Bearer ${edge.administrator.token}` }), 200)
})

test('the first account is made here without a code, from elsewhere only with it, and only once', async () => {
  await using fresh = await openTestGateway({}, { setUp: false })
  const code = fresh.gateway.setupCode ?? ''
  assert.match(code, /^[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}$/)
  const welcome = async (headers: Record<string, string>) =>
    JSON.parse(await ask(fresh.url, 'GET', '/api/welcome', headers))
  assert.deepEqual(await welcome({}), { needsSetup: true, needsSetupCode: false, version: '0.0.0-test' })
  const elsewhere = { host: 'rebound.example' }
  assert.equal((await welcome(elsewhere)).needsSetupCode, true)
  assert.equal((await welcome({ 'x-forwarded-for': '192.0.2.1' })).needsSetupCode, true)
  assert.equal((await welcome({ origin: 'http://rebound.example' })).needsSetupCode, true)

  const setUp = async (code?: string, headers: Record<string, string> = elsewhere) =>
    JSON.parse(
      await ask(fresh.url, 'POST', '/api/setup', headers, { name: 'eve', password, ...(code && { code }) }),
    )
  assert.equal((await setUp()).code, 'WRONG_SETUP_CODE')
  assert.equal((await setUp('AAAA-AAAA-AAAA')).code, 'WRONG_SETUP_CODE')
  assert.equal((await setUp(code.toLowerCase().replaceAll('-', ' '))).account.role, 'administrator')
  assert.equal((await setUp(code)).code, 'SETUP_DONE')
  assert.equal((await setUp(undefined, {})).code, 'SETUP_DONE')
  assert.equal(fresh.gateway.setupCode, null)
})

test('a setup code is compared without its dashes', () => {
  assert.ok(isSetupCode('AB2C-DEFG-HJKL', 'ab2cdefghjkl'))
  assert.ok(!isSetupCode('AB2C-DEFG-HJKL', 'ab2cdefghjk'))
  assert.ok(!isSetupCode('AB2C-DEFG-HJKL', undefined))
})

/** `fetch` does not let us choose `Host`; this does. */
async function exchange(
  baseUrl: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<string> {
  const { host, port } = new URL(baseUrl)
  const content = body === undefined ? '' : JSON.stringify(body)
  const all = {
    host,
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(content)),
    ...headers,
  }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n${content}`)
  return text(socket)
}

async function ask(...request: Parameters<typeof exchange>): Promise<string> {
  return (await exchange(...request)).split('\r\n\r\n').slice(1).join('\r\n\r\n')
}

async function statusOf(path: string, headers: Record<string, string>): Promise<number> {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await exchange(edge.url, 'GET', path, headers))?.[1])
}

test('a port that is taken, or an address that is not ours, is told in plain words', async () => {
  const port = Number(new URL(edge.url).port)
  await using taken = await edge.another({ port })
  await assert.rejects(taken.listen(), (error) => isCoded(error, 'PORT_IN_USE'))
  await using foreign = await edge.another({ host: '192.0.2.1' })
  await assert.rejects(foreign.listen(), (error) => isCoded(error, 'ADDRESS_UNUSABLE'))
})
