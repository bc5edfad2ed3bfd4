import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { problemDocument } from '../protocol/api/problem.ts'
import { loggablePath } from './requests.ts'
import { openTestGateway, operatorToken, password, type TestGateway } from './testing/gateway.ts'

let edge: TestGateway
/** Takes five seconds to be answered, so it is asked first and looked at last. */
let farAway: Promise<Response>
before(async () => {
  edge = await openTestGateway()
  farAway = fetch(`${edge.url}/api/me`, {
    headers: { authorization: `Bearer ${edge.administrator.token}`, 'hocket-after': '999999999' },
  })
})
after(() => edge[Symbol.asyncDispose]())

/** Sends bytes as they are, and answers all that comes back until the connection ends. */
async function exchange(text: string): Promise<string> {
  const { hostname, port } = new URL(edge.url)
  const socket = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => undefined)
  socket.write(text)
  await once(socket, 'close', { signal: AbortSignal.timeout(60_000) })
  return Buffer.concat(chunks).toString('latin1')
}

async function problemOf(response: Response) {
  assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8')
  const problem = problemDocument.parse(await response.json())
  assert.equal(problem.status, response.status)
  return problem
}

function post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(edge.url + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

test('[S4] a field that is wrong is named, and told what is wrong with it', async () => {
  const problem = await problemOf(await post('/api/session', JSON.stringify({ name: 7 })))
  assert.equal(problem.code, 'BAD_REQUEST')
  assert.deepEqual(
    problem.fields?.map(({ path }) => path),
    ['body.name', 'body.password'],
  )
  assert.ok(problem.help.length > 10)
  const query = await problemOf(
    await fetch(`${edge.url}/api/albums?limit=many`, {
      headers: { authorization: `Bearer ${edge.administrator.token}` },
    }),
  )
  assert.deepEqual(
    query.fields?.map(({ path }) => path),
    ['query.limit'],
  )
})

test('[S4] whatever a body is, the answer is a coded problem and never a stack', async () => {
  const deep = '['.repeat(100_000)
  const bodies: readonly (readonly [body: string | Buffer, type: string, code: string])[] = [
    ['{"name":', 'application/json', 'BAD_REQUEST'],
    ['', 'application/json', 'BAD_REQUEST'],
    ['null', 'application/json', 'BAD_REQUEST'],
    ['"text"', 'application/json', 'BAD_REQUEST'],
    [deep, 'application/json', 'BAD_REQUEST'],
    ['{"__proto__":{"role":"administrator"},"name":"a","password":"b"}', 'application/json', 'BAD_REQUEST'],
    [Buffer.from([0xff, 0xfe, 0x00, 0x80]), 'application/json', 'BAD_REQUEST'],
    ['{"name":"a\u0000b","password":"x"}', 'application/json; charset=utf-16', 'BAD_REQUEST'],
    ['<xml/>', 'text/xml', 'CONTENT_TYPE_UNKNOWN'],
    ['a=b', 'application/x-www-form-urlencoded', 'CONTENT_TYPE_UNKNOWN'],
    ['{}', 'nonsense', 'CONTENT_TYPE_UNKNOWN'],
  ]
  for (const [body, type, code] of bodies) {
    const response = await post('/api/session', body, { 'content-type': type })
    const problem = await problemOf(response)
    assert.equal(problem.code, code, `${type}: ${String(body).slice(0, 40)}`)
    assert.doesNotMatch(JSON.stringify(problem), /node_modules|\.ts:|at Object/)
  }
})

test('[S4] a body of 100 MB is refused before it has arrived', async () => {
  const answer = await exchange(
    'POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Content-Length: 104857600\r\n\r\n{"name":"`,
  )
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /"code":"TOO_LARGE"/)
  const chunked = await post('/api/session', `{"name":"${'x'.repeat(3_000_000)}"}`).catch(() => null)
  if (chunked !== null) assert.equal(chunked.status, 413)
})

test('[S4] what is no HTTP, or too large a header, is answered and cut off', async () => {
  assert.match(await exchange('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*"code":"BAD_REQUEST"/)
  const heads = [
    ...[20_000, 300_000].map((length) => `GET /api/welcome HTTP/1.1\r\nX-Long: ${'x'.repeat(length)}`),
    `GET /api/welcome HTTP/1.1\r\n${'X: y\r\n'.repeat(10_000)}Z: y`,
    `GET /api/${'x'.repeat(20_000)} HTTP/1.1`,
  ]
  for (const head of heads) {
    const tooLarge = await exchange(`${head}\r\nHost: localhost\r\n\r\n`)
    assert.match(tooLarge, /^HTTP\/1\.1 413 [\s\S]*"code":"TOO_LARGE"/, head.slice(0, 60))
  }
})

test('[S4] unknown routes and odd paths are answered as problems with every header', async () => {
  const requests: readonly (readonly [method: string, path: string, code: string])[] = [
    ['GET', '/api/nothing', 'NOT_FOUND'],
    ['GET', '/api', 'NOT_FOUND'],
    ['GET', '/rest/ping/more', 'NOT_FOUND'],
    ['PUT', '/api/nothing', 'NOT_FOUND'],
    ['POST', '/api/albums/1/2/3', 'NOT_FOUND'],
    ['GET', '/%ff', 'BAD_REQUEST'],
    ['GET', '/api/%zz', 'BAD_REQUEST'],
    ['GET', `/api/invitations/${'x'.repeat(2_000)}`, 'NOT_FOUND'],
  ]
  for (const [method, path, code] of requests) {
    const response = await fetch(edge.url + path, { method })
    assert.equal((await problemOf(response)).code, code, `${method} ${path.slice(0, 60)}`)
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path)
    assert.ok(response.headers.get('x-request-id'), path)
  }
})

test('[S4] a method that a path does not take is refused with those that it takes', async () => {
  const requests: readonly (readonly [method: string, path: string, allow: string])[] = [
    ['PUT', '/api/welcome?from=here', 'GET, HEAD'],
    ['GET', '/api/setup', 'POST'],
    ['POST', '/api/albums', 'GET, HEAD'],
    ['DELETE', '/api/albums/no-id', 'GET, HEAD'],
    ['OPTIONS', '/api/albums', 'GET, HEAD'],
    ['PUT', '/api/session', 'DELETE, POST'],
    ['DELETE', '/', 'GET, HEAD'],
    ['POST', '/albums/a-page-of-the-player', 'GET, HEAD'],
    ['PUT', '/rest/ping', 'GET, HEAD, OPTIONS, POST'],
  ]
  for (const [method, path, allow] of requests) {
    const response = await fetch(edge.url + path, { method })
    assert.equal((await problemOf(response)).code, 'METHOD_NOT_ALLOWED', `${method} ${path}`)
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), allow, `${method} ${path}`)
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path)
  }
})

test('answers carry strict headers, and private ones are kept by nobody', async () => {
  const { headers } = await fetch(`${edge.url}/api/welcome`)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
  assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  assert.equal(headers.get('access-control-allow-origin'), null)
})

test('a sane request id is kept, any other replaced', async () => {
  const ask = async (id: string) =>
    (await fetch(`${edge.url}/api/welcome`, { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  assert.equal(await ask('proxy-17.a_B'), 'proxy-17.a_B')
  assert.notEqual(await ask('a b'), 'a b')
  assert.match((await ask('x'.repeat(65))) ?? '', /^[\w-]{8}-\w+$/)
})

test("[S3] another site's page can use neither the cookie nor the login", async () => {
  const cookie = `hocket_session=${edge.administrator.token}`
  const rename = (headers: Record<string, string>) =>
    fetch(`${edge.url}/api/me`, {
      method: 'PATCH',
      headers: { cookie, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ language: 'es' }),
    })
  const foreign = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `${edge.url}.evil.example` },
  ]
  for (const headers of foreign) {
    assert.equal((await problemOf(await rename(headers))).code, 'CROSS_SITE', JSON.stringify(headers))
  }
  for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { origin: edge.url }, {}]) {
    assert.equal((await rename(headers)).status, 200, JSON.stringify(headers))
  }
  const login = await post('/api/session', '{}', { origin: 'https://evil.example' })
  assert.equal((await problemOf(login)).code, 'CROSS_SITE')
})

test('the cookie is out of reach of scripts and of other sites, and secure behind https', async () => {
  const enter = (headers: Record<string, string> = {}) =>
    post('/api/session', JSON.stringify({ name: 'ada', password }), headers)
  const cookie = (await enter()).headers.get('set-cookie') ?? ''
  assert.match(cookie, /^hocket_session=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
  await using behindProxy = await edge.another({ trustedProxies: ['127.0.0.1'] })
  const { url } = await behindProxy.listen()
  const response = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-proto': 'https' },
    body: JSON.stringify({ name: 'ada', password }),
  })
  assert.match(response.headers.get('set-cookie') ?? '', /; Secure$/)
  assert.match(response.headers.get('strict-transport-security') ?? '', /^max-age=/)
})

test('no password, token, cookie or query ever stands in the log, and each line has its request id', async () => {
  const secret = 'a-very-secret-Password-1'
  await post('/api/session?token=query-secret', JSON.stringify({ name: 'ada', password: secret }), {
    authorization: 'Bearer bearer-secret',
    cookie: 'hocket_session=cookie-secret',
    'x-request-id': 'looked-for',
  })
  await fetch(`${edge.url}/api/invitations/invitation-secret?x=query-secret`)
  await fetch(`${edge.url}/invitation/invitation-secret`)
  await fetch(`${edge.url}/api/unknown?u=ada&p=query-secret`)
  await edge.anyone.enter('/api/session', { name: 'ada', password })
  const log = edge.log()
  for (const word of [
    secret,
    'bearer-secret',
    'cookie-secret',
    'query-secret',
    'invitation-secret',
    password,
  ]) {
    assert.ok(!log.includes(word), word)
  }
  assert.ok(!log.includes(edge.administrator.token ?? '-'))
  const answered = log.split('\n').flatMap((line) => (line.includes('"answered"') ? [JSON.parse(line)] : []))
  assert.ok(answered.length > 5)
  for (const line of answered) assert.equal(typeof line.reqId, 'string')
  assert.ok(answered.some(({ reqId }) => reqId === 'looked-for'))
  assert.equal(loggablePath('/x?y'), '/x')
})

test('[F4] a revision that is no number is a bad request', async () => {
  const response = await fetch(`${edge.url}/api/welcome`, { headers: { 'hocket-after': 'x' } })
  assert.equal((await problemOf(response)).code, 'BAD_REQUEST')
})

test('the command line of this machine may do what administrators may, but is nobody', async () => {
  const ask = (path: string, authorization: string) => fetch(edge.url + path, { headers: { authorization } })
  assert.equal((await ask('/api/users', `Bearer ${operatorToken}`)).status, 200)
  assert.equal((await ask('/api/me', `Bearer ${operatorToken}`)).status, 401)
  const cookie = `hocket_session=${operatorToken}`
  assert.equal((await fetch(`${edge.url}/api/users`, { headers: { cookie } })).status, 401)
})

test('[F4] a read that asks for a revision which is far away is told that it could not be had', async () => {
  assert.equal((await problemOf(await farAway)).code, 'BEHIND')
})
