import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGateways } from './gateways.ts'

const home = 'http://home.example:4650'
const cellar = 'http://cellar.example:4650'

/** A network of gateways of which some are dead; notes what reaches each of those that live. */
function createNetwork() {
  const dead = new Set<string>()
  const arrived: string[] = []
  const network: typeof fetch = async (input, init) => {
    const request = new Request(
      new URL(input instanceof Request ? input.url : input, home),
      input instanceof Request ? input : init,
    )
    const { origin, pathname } = new URL(request.url)
    if (dead.has(origin)) throw new TypeError('fetch failed')
    const body = await request.text()
    const who = request.headers.get('authorization') ?? 'cookie'
    arrived.push(`${request.method} ${origin}${pathname} ${who}${body === '' ? '' : ` ${body}`}`)
    if (pathname !== '/api/session/pass') return new Response('ok')
    return Response.json({ pass: '~pass', expiresAt: 1, gateways: [{ name: 'cellar', url: cellar }] })
  }
  return { dead, arrived, network }
}

async function opened() {
  const net = createNetwork()
  const gateways = createGateways({ fetch: net.network, home })
  await gateways.refresh()
  net.arrived.length = 0
  const ask = (method: string, path: string, body?: string) =>
    gateways.fetch(
      new Request(home + path, { method, ...(body !== undefined && { body }) }),
      AbortSignal.timeout(60_000),
    )
  return { ...net, gateways, ask }
}

test('while its own gateway lives, a page asks that one, with its cookie', async () => {
  const { ask, arrived, gateways } = await opened()
  await ask('GET', '/api/albums')
  assert.deepEqual(arrived, [`GET ${home}/api/albums cookie`])
  assert.equal(gateways.address('/api/covers/album/1?size=64'), '/api/covers/album/1?size=64')
  assert.deepEqual(gateways.reach('/api/uploads'), { url: '/api/uploads', headers: {} })
})

test('[N1] when that dies, the same question is asked of another one, with the pass', async () => {
  const { ask, arrived, gateways, dead } = await opened()
  dead.add(home)
  assert.equal(await (await ask('PUT', '/api/queue', '{"tracks":[]}')).text(), 'ok')
  assert.deepEqual(arrived, [
    `GET ${cellar}/readyz Bearer ~pass`,
    `PUT ${cellar}/api/queue Bearer ~pass {"tracks":[]}`,
  ])
  assert.equal(gateways.address('/api/tracks/1/audio?v=a'), `${cellar}/api/tracks/1/audio?v=a&pass=~pass`)
  assert.deepEqual(gateways.reach('/api/uploads'), {
    url: `${cellar}/api/uploads`,
    headers: { authorization: 'Bearer ~pass' },
  })
})

test('what might be done twice is not sent again, but the next request goes to the living one', async () => {
  const { ask, arrived, dead } = await opened()
  dead.add(home)
  await assert.rejects(ask('POST', '/api/playlists', '{}'))
  await ask('POST', '/api/playlists', '{}')
  assert.deepEqual(arrived.slice(1), [`POST ${cellar}/api/playlists Bearer ~pass {}`])
})

test('many requests that fail at once look for another gateway once', async () => {
  const { ask, arrived, dead } = await opened()
  dead.add(home)
  await Promise.all(['a', 'b', 'c'].map((path) => ask('GET', `/api/${path}`)))
  assert.equal(arrived.filter((one) => one.includes('/readyz')).length, 1)
})

test('with all of them dead, the failure is told, and a later request finds the first that is back', async () => {
  const { ask, arrived, gateways, dead } = await opened()
  dead.add(home).add(cellar)
  await assert.rejects(ask('GET', '/api/albums'))
  dead.delete(cellar)
  await ask('GET', '/api/albums')
  assert.equal(gateways.base.get().origin, cellar)
  dead.delete(home)
  dead.add(cellar)
  await ask('GET', '/api/albums')
  assert.equal(gateways.base.get().origin, '', 'and home again')
  assert.equal(arrived.at(-1), `GET ${home}/api/albums cookie`)
})
