import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { listen } from '../../test/harness/listen.ts'
import { isCoded } from '../protocol/errors.ts'
import type { Resolve } from './connect.ts'
import { createFetch, fetchOutward, readWhole } from './fetch.ts'

const closed: string[] = []
const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/found': (response) => void response.end('found'),
  '/led': (response) => void response.writeHead(301, { location: 'then?a=1' }).end(),
  '/then?a=1': (response) => void response.writeHead(302, { location: '/found' }).end(),
  '/round': (response) => void response.writeHead(307, { location: '/round' }).end(),
  '/nowhere': (response) => void response.writeHead(302, { location: 'http://[' }).end(),
  '/file': (response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/short': (response) =>
    void response.writeHead(200, { 'content-length': '10' }).write('abc', () => response.destroy()),
  '/silent': (response) => void response.write('a'),
  '/long': (response) => void response.writeHead(200, { 'content-length': '1000' }).end('x'.repeat(1_000)),
  '/endless': (response) => {
    const more = () => {
      while (response.write('x'.repeat(1_024)));
    }
    response.on('drain', more)
    more()
  },
}
const server = createServer(({ url = '' }, response) => {
  response.on('close', () => closed.push(url))
  answers[url]?.(response)
})
let url = ''
before(async () => {
  url = `http://127.0.0.1:${await listen(server)}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const anywhere = () => ({ mayInside: true, mayPlain: true })
const signal = () => AbortSignal.timeout(30_000)
const wanted = (path: string) => ({ url: url + path, reach: anywhere, mostBytes: 100, deadlineMs: 20_000 })

async function textOf(path: string): Promise<string> {
  using found = await fetchOutward(wanted(path), signal())
  return String(await readWhole(found))
}

test('redirects lead to what is wanted, each of them checked, and none leads round for ever', async () => {
  const targets: string[] = []
  const reach = (target: URL) => {
    targets.push(target.pathname + target.search)
    return anywhere()
  }
  using found = await fetchOutward({ ...wanted('/led'), reach }, signal())
  assert.equal(String(await readWhole(found)), 'found')
  assert.deepEqual([found.status, found.url], [200, `${url}/found`])
  assert.deepEqual(targets, ['/led', '/then?a=1', '/found'])
  const first = {
    ...wanted('/led'),
    reach: (target: URL) => ({ mayInside: target.pathname === '/led', mayPlain: true }),
  }
  await assert.rejects(fetchOutward(first, signal()), (error) => isCoded(error, 'ADDRESS_FORBIDDEN'))
  for (const path of ['/round', '/nowhere'])
    await assert.rejects(textOf(path), (error) => isCoded(error, 'SERVICE_UNAVAILABLE'), path)
  await assert.rejects(textOf('/file'), (error) => isCoded(error, 'ADDRESS_FORBIDDEN'))
})

test('a name that leads inside is refused as the connection is made', async () => {
  const resolve: Resolve = (_name, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }])
  const { port } = new URL(url)
  const request = { ...wanted(''), url: `http://pod.example:${port}/found` }
  const outsideOnly = () => ({ mayInside: false, mayPlain: true })
  await assert.rejects(createFetch(resolve)({ ...request, reach: outsideOnly }, signal()), (error) =>
    isCoded(error, 'ADDRESS_FORBIDDEN'),
  )
  using found = await createFetch(resolve)(request, signal())
  assert.equal(found.status, 200)
})

test('what is too large, breaks off or stands still is an error, and no connection is left of it', async () => {
  for (const path of ['/long', '/endless'])
    await assert.rejects(textOf(path), (error) => isCoded(error, 'TOO_LARGE'), path)
  await assert.rejects(textOf('/short'), (error) => isCoded(error, 'SERVICE_UNAVAILABLE'))
  const late = { ...wanted('/silent'), deadlineMs: 200 }
  using silent = await fetchOutward(late, signal())
  await assert.rejects(
    readWhole(silent),
    (error) => isCoded(error, 'SERVICE_UNAVAILABLE') && /in time/.test(error.message),
  )
  const leaving = new AbortController()
  using left = await fetchOutward(wanted('/silent'), leaving.signal)
  leaving.abort(new Error('enough'))
  await assert.rejects(readWhole(left), /enough/)
  using unread = await fetchOutward(wanted('/silent'), signal())
  unread[Symbol.dispose]()
  const end = performance.now() + 20_000
  while (closed.filter((path) => path === '/silent').length < 3 && performance.now() < end)
    await new Promise((resolve) => setImmediate(resolve))
  assert.equal(closed.filter((path) => path === '/silent').length, 3)
  assert.ok(closed.includes('/endless'))
})
