import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { password } from '../../testing/gateway.ts'
import { envelope, openClient, searchOf } from './client.ts'
import { world } from './shared.ts'
import { parseXml } from './xml.ts'

const { edge, administrator: client } = world

const common = { v: '1.16.1', c: 'test', f: 'json' }
async function codeOf(query: Parameters<typeof searchOf>[0], endpoint = 'ping'): Promise<number | undefined> {
  const response = await fetch(`${edge.url}/rest/${endpoint}?${searchOf({ ...common, ...query })}`)
  assert.equal(response.status, 200)
  return envelope.parse(await response.json())['subsonic-response'].error?.code
}
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

test('an answer comes in XML unless it is asked for otherwise, under either name', async () => {
  for (const endpoint of ['ping', 'ping.view']) {
    const response = await client.fetch(endpoint)
    assert.equal(response.status, 200)
    const { name, attributes } = parseXml(await response.text())
    assert.equal(name, 'subsonic-response')
    assert.deepEqual(attributes, {
      xmlns: 'http://subsonic.org/restapi',
      status: 'ok',
      version: '1.16.1',
      type: 'hocket',
      serverVersion: '0.0.0-test',
      openSubsonic: 'true',
    })
  }
})

test('JSONP calls an identifier back, and nothing else', async () => {
  const response = await client.fetch('ping', { f: 'jsonp', callback: 'app.answers[0]' })
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  assert.equal(envelope.parse(await response.json())['subsonic-response'].error?.code, 10)
  const called = await client.fetch('ping', { f: 'jsonp', callback: 'app.answered' })
  assert.match(called.headers.get('content-type') ?? '', /^text\/javascript/)
  assert.match(await called.text(), /^app\.answered\(\{"subsonic-response":\{"status":"ok".*\}\);\n$/)
  for (const callback of ['', 'alert(1)//', 'a b', '1a', 'a'.repeat(201)]) {
    assert.equal(
      (await (await client.fetch('ping', { f: 'jsonp', callback })).text()).includes('"code":10'),
      true,
    )
  }
  assert.match(await (await client.fetch('ping', { f: 'nonsense' })).text(), /^<\?xml.*code="10"/s)
})

test('[S2] a secret works as API key, in clear, encoded and as a token; the login password never does', async () => {
  const { secret } = client
  const salt = 'c19b2d'
  assert.equal(await codeOf({ apiKey: secret }), undefined)
  assert.equal(await codeOf({ u: 'ada', p: secret }), undefined)
  assert.equal(await codeOf({ u: 'ADA', p: secret }), undefined)
  assert.equal(await codeOf({ u: 'ada', p: `enc:${Buffer.from(secret).toString('hex')}` }), undefined)
  assert.equal(await codeOf({ u: 'ada', t: md5(secret + salt), s: salt }), undefined)
  assert.equal(await codeOf({ u: 'ada', t: md5(secret + salt).toUpperCase(), s: salt }), undefined)

  assert.equal(await codeOf({ u: 'ada', p: password }), 40)
  assert.equal(await codeOf({ u: 'ada', t: md5(password + salt), s: salt }), 40)
  assert.equal(await codeOf({ u: 'ada', p: 'enc:zz' }), 40)
  assert.equal(await codeOf({ u: 'nobody', p: secret }), 40)
  assert.equal(await codeOf({ apiKey: 'wrong' }), 44)
  assert.equal(await codeOf({ apiKey: secret, u: 'ada' }), 43)
  assert.equal(await codeOf({ u: 'ada', p: secret, t: md5(secret + salt), s: salt }), 43)
})

test('what is missing is named', async () => {
  const u = 'ada'
  const p = client.secret
  const wanted: [Parameters<typeof searchOf>[0], string][] = [
    [{ p, v: '1.16.1', c: 'x' }, 'u'],
    [{ u, v: '1.16.1', c: 'x' }, 'p'],
    [{ u, t: 'x', v: '1.16.1', c: 'x' }, 's'],
    [{ u, s: 'x', v: '1.16.1', c: 'x' }, 't'],
    [{ u, p, c: 'x' }, 'v'],
    [{ u, p, v: '1.16.1' }, 'c'],
    [{ u, p, v: 'one', c: 'x' }, 'v'],
  ]
  for (const [query, name] of wanted) {
    const response = await fetch(`${edge.url}/rest/ping?${searchOf({ ...query, f: 'json' })}`)
    const { error } = envelope.parse(await response.json())['subsonic-response']
    assert.equal(error?.code, 10)
    assert.match(error.message, new RegExp(`'${name}'`))
  }
  assert.equal(await codeOf({ u, p, v: '0.9.0' }), 20)
  assert.equal(await codeOf({ u, p, v: '2.0.0' }), 30)
})

test('a revoked secret is refused at once', async () => {
  const person = await edge.person('rita')
  const revoked = await openClient(edge.url, person, 'rita')
  await revoked.ask('ping')
  const { body } = await person.get('/api/devices')
  const [, id] = /"id":"([^"]+)"/.exec(JSON.stringify(body)) ?? []
  assert.equal((await person.delete(`/api/devices/${id}`)).status, 204)
  assert.equal(await codeOf({ u: 'rita', p: revoked.secret }), 40)
  assert.equal(await codeOf({ apiKey: revoked.secret }), 44)
})

test('a form works as the query does, and both together', async () => {
  const form = searchOf({ u: 'ada', p: client.secret, v: '1.16.1', c: 'x', f: 'json' })
  const post = (url: string, body: string | URLSearchParams, type?: string) =>
    fetch(edge.url + url, { method: 'POST', body, ...(type && { headers: { 'content-type': type } }) })
  const whole = await post('/rest/ping.view', form)
  assert.equal(envelope.parse(await whole.json())['subsonic-response'].status, 'ok')
  const mixed = await post(
    `/rest/ping?${form}`,
    'x=1',
    'application/x-www-form-urlencoded; charset=ISO-8859-1',
  )
  assert.equal(envelope.parse(await mixed.json())['subsonic-response'].status, 'ok')
  const huge = await post(`/rest/ping?${form}`, new URLSearchParams({ x: 'y'.repeat(3_000_000) }))
  assert.equal(envelope.parse(await huge.json())['subsonic-response'].error?.code, 10)
  const strange = await post(`/rest/ping?${form}`, '<a/>', 'text/xml')
  assert.equal(envelope.parse(await strange.json())['subsonic-response'].error?.code, 10)
})

test('an answer that is as long as the library is sent in every format, and only its head where that is all', async () => {
  const xml = parseXml(await (await client.fetch('getArtists')).text())
  const names = ({ children }: typeof xml): string[] =>
    children.flatMap((child) => [child.attributes['name'] ?? '', ...names(child)])
  const answer = await client.fetch('getArtists', { f: 'jsonp', callback: 'took' })
  assert.equal(answer.headers.get('content-length'), null)
  const script = /^took\((\{.*\})\);\n$/s.exec(await answer.text())?.[1] ?? ''
  const { artists } = envelope.parse(JSON.parse(script))['subsonic-response']
  for (const name of names(xml).filter((each) => each !== '')) {
    assert.ok(JSON.stringify(artists).includes(JSON.stringify(name)), name)
  }
  assert.ok(names(xml).includes('The Ana'))
  const head = await client.fetch('getArtists', {}, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  const refused = await client.fetch('getArtists', { f: 'json', musicFolderId: 'none' })
  assert.equal(envelope.parse(await refused.json())['subsonic-response'].error?.code, 70)
})

test('pages of other sites may use the API, and nothing else of the server', async () => {
  const foreign = { origin: 'https://player.example', 'sec-fetch-site': 'cross-site' }
  for (const method of ['GET', 'POST']) {
    const response = await client.fetch('ping', {}, { method, headers: foreign })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    assert.equal(response.headers.get('cross-origin-resource-policy'), 'cross-origin')
    assert.match(await response.text(), /status="ok"/)
  }
  const headers = {
    ...foreign,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'range',
  }
  const preflight = await fetch(`${edge.url}/rest/stream.view`, { method: 'OPTIONS', headers })
  assert.equal(preflight.status, 204)
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /GET/)
  const refused = await fetch(`${edge.url}/rest/ping`, { headers: foreign })
  assert.equal(refused.headers.get('access-control-allow-origin'), '*')
  const elsewhere = await fetch(`${edge.url}/api/welcome`, { headers: foreign })
  assert.equal(elsewhere.headers.get('access-control-allow-origin'), null)
  const closed = await fetch(`${edge.url}/api/welcome`, { method: 'OPTIONS', headers })
  assert.notEqual(closed.status, 204)
})

test('[S3] extensions are told to anyone, everything else to nobody', async () => {
  const response = await fetch(`${edge.url}/rest/getOpenSubsonicExtensions?f=json`)
  assert.match(await response.text(), /"formPost","versions":\[1\]/)
  const unknown = await client.fetch('getNonsense', { f: 'json' })
  assert.equal(unknown.status, 404)
  assert.equal(envelope.parse(await unknown.json())['subsonic-response'].status, 'failed')
})

test('secrets are in no log', () => {
  assert.ok(!edge.log().includes(client.secret))
})
