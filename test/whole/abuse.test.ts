import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { importResult } from '../../src/protocol/api/listening.ts'
import { problemDocument } from '../../src/protocol/api/problem.ts'
import { type MusicFolder, makeMusicFolder } from '../fixtures/make.ts'
import { tracksOf } from '../harness/catalog.ts'
import { type Client, signIn } from '../harness/client.ts'
import { administrator, startNode, type TestNode } from '../harness/node.ts'
import { exchange, openSocket, request } from '../harness/raw.ts'
import { scanned } from '../harness/scan.ts'
import { createUpload } from '../harness/upload.ts'
import { waitFor } from '../harness/wait.ts'

/** What the network may send to a whole node. It answers with codes, spends little, tells nothing, and lives. */

let music: MusicFolder
let node: TestNode
let ada: Client
let track: string
before(async () => {
  music = await makeMusicFolder()
  for (let at = 0; at < 3; at++) await music.add(`${at}.mp3`, { title: `song ${at}` }, { hertz: 300 + at })
  node = await startNode({ music: [music.path], env: { HOCKET_LOG_LEVEL: 'trace' } })
  ada = await node.administrator()
  await scanned(ada)
  track = (await tracksOf(ada))[0]?.id ?? ''
})
after(async () => {
  assert.equal(await node.stop(), 0, 'the process has survived all of this, and ends in order')
  await node[Symbol.asyncDispose]()
  await music[Symbol.asyncDispose]()
})

const bearer = () => ({ authorization: `Bearer ${ada.token}` })
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024
}

test('three hundred slow clients delay nobody', async () => {
  const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(node.baseUrl)))
  for (const [at, socket] of sockets.entries()) {
    const start = at % 2 === 0 ? 'GET /api/albums HTTP/1.1\r\nHost: loc' : `${slowPost}{"name":"`
    socket.write(start)
  }
  for (let turn = 0; turn < 3; turn++) {
    for (const socket of sockets) socket.write('x')
    const answer = await ada.fetch(`/api/tracks/${track}/audio`, { signal: AbortSignal.timeout(120_000) })
    assert.equal(answer.status, 200)
    await answer.arrayBuffer()
  }
  for (const socket of sockets) socket.destroy()
})

const slowPost =
  'POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n'

test('[S4] bodies of 100 MB are refused and kept nowhere', async () => {
  const grown = await rssOf(node.pid)
  const location = await createUpload(ada, 'a.mp3', 1_000)
  const common = `Host: localhost\r\nAuthorization: Bearer ${ada.token}\r\n`
  const limited = [
    'POST /api/session HTTP/1.1\r\nContent-Type: application/json',
    'POST /api/playlists/import?name=x HTTP/1.1\r\nContent-Type: audio/x-mpegurl',
  ]
  for (const head of limited) {
    const announced = `${head}\r\n${common}Connection: close\r\nContent-Length: 104857600\r\n\r\n`
    assert.match(await exchange(node.baseUrl, announced), /"code":"TOO_LARGE"/, head)
  }
  const upload = `PATCH ${new URL(location, node.baseUrl).pathname} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream`
  for (const head of [...limited, upload]) {
    // What is still on its way when the node hangs up may reset the connection, and the refusal is lost with it.
    assert.match(await sendEndlessly(`${head}\r\n${common}`), /^(?:HTTP\/1\.1 4\d\d |$)/, head)
  }
  assert.ok((await rssOf(node.pid)) - grown < 80 * 1024 * 1024, 'the bodies lie in memory')
})

/** Sends up to 100 MB in chunks whose sum is not announced, until it is answered or cut off. */
async function sendEndlessly(head: string): Promise<string> {
  const socket = await openSocket(node.baseUrl)
  let answer = ''
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString('latin1')
  })
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`)
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1_048_576, 32), Buffer.from('\r\n')])
  for (let sent = 0; sent < 100 && answer === '' && socket.writable; sent++) {
    if (!socket.write(chunk)) await drained(socket)
  }
  await waitFor(() => answer !== '' || socket.closed, { what: 'an answer or the end' })
  socket.destroy()
  return answer
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const event of ['drain', 'close', 'data']) socket.once(event, () => resolve())
  })
}

test('[S4] floods of headers, endless addresses and nonsense are answered and cut off', async () => {
  const many = Array.from({ length: 5_000 }, (_, at) => `X-${at}: ${at}\r\n`).join('')
  const requests = [
    `GET /api/welcome HTTP/1.1\r\nHost: localhost\r\n${many}\r\n`,
    `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    `GET /api/welcome HTTP/1.1\r\nHost: localhost\r\nCookie: ${'a=b;'.repeat(20_000)}\r\n\r\n`,
    'GET /api/welcome HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /api/session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'GET /api/welcome HTTP/9.9\r\n\r\n',
    `${'\0'.repeat(1_000)}\r\n\r\n`,
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]
  for (const [at, each] of requests.entries()) {
    const status = statusOf(await exchange(node.baseUrl, Buffer.from(each, 'latin1')))
    assert.ok(status >= 400 && status < 500, `request ${at} answered ${status}`)
  }
})

test('broken ranges get the whole, a part, or 416: never an error of ours', async () => {
  const path = `/api/tracks/${track}/audio`
  const whole = await (await ada.fetch(path)).arrayBuffer()
  const ranges = [
    'bytes=abc',
    'bytes=5-1',
    'bytes=-0',
    'bytes=-',
    'bytes=',
    'bytes',
    'bytes=--5',
    'bytes=-1-5',
    'bytes=0x1-0x5',
    'bytes=1e3-',
    'bytes=99999999999999999999-',
    'bytes=0-99999999999999999999',
    'bytes=-99999999999999999999',
    `bytes=${Array.from({ length: 1_000 }, (_, at) => `${at}-${at}`).join(',')}`,
    'bytes=0-,0-,0-,0-,0-',
    'items=0-5',
    'bytes=0-5\t,',
    'bytes = 0 - 5',
  ]
  for (const range of ranges) {
    const answer = await ada.fetch(path, { headers: { range } })
    assert.ok([200, 206, 416].includes(answer.status), `${range}: ${answer.status}`)
    const { byteLength } = await answer.arrayBuffer()
    if (answer.status === 200) assert.equal(byteLength, whole.byteLength)
    if (answer.status === 206) assert.ok(byteLength <= whole.byteLength)
  }
  const conditions = { 'if-range': '"\u00ff', 'if-none-match': '*,,,W/', 'if-modified-since': 'yesterday' }
  const answer = await ada.fetch(path, { headers: { range: 'bytes=0-9', ...conditions } })
  assert.ok(answer.status < 500)
  await answer.arrayBuffer()
})

test('[S3] a flood of WebSockets that talk, send rubbish or never end costs nobody anything', async () => {
  const upgrade = [
    'GET /api/live HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ].join('\r\n')
  assert.equal(statusOf(await exchange(node.baseUrl, `${upgrade}\r\n\r\n`)), 401)
  const sockets = await Promise.all(Array.from({ length: 200 }, () => openSocket(node.baseUrl)))
  const open = new Set<Socket>(sockets)
  for (const [at, socket] of sockets.entries()) {
    socket.on('data', (bytes: Buffer) => {
      // Told to close (1003), as a client does.
      if (bytes.includes(Buffer.of(0x03, 0xeb))) socket.end()
    })
    socket.on('close', () => open.delete(socket))
    socket.write(`${upgrade}\r\nAuthorization: Bearer ${ada.token}\r\n\r\n`)
    // A text message, a frame of 2^62 bytes, one with reserved bits, and one that is not masked.
    const frames = ['818568656c6c6f0000000000', '81ff3fffffffffffffff00000000', 'f18000000000', '810161']
    socket.write(Buffer.from(frames[at % frames.length] ?? '', 'hex'))
  }
  await waitFor(() => open.size === 0, { what: 'every one of them to be closed' })
  assert.equal((await ada.get('/api/me')).status, 200)
})

const outside = [
  '..%2f..%2f..%2f..%2fetc%2fpasswd',
  '../../../../etc/passwd',
  '..\\..\\..\\etc\\passwd',
  '%2e%2e/%2e%2e/%2e%2e/etc/passwd',
  '%252e%252e%252fetc%252fpasswd',
  '....//....//etc/passwd',
  '/etc/passwd',
  '%00',
  '..%c0%af..%c0%afetc/passwd',
  'store.db',
  'a'.repeat(400),
  '00000000-0000-0000-0000-00000000000g',
  "1';DROP TABLE track;--",
]

test('[S3] no route with something in its path leads out of where it should, and none breaks', async () => {
  const document = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse((await ada.get('/openapi.json')).body)
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    path.includes('{') ? Object.keys(methods).map((method) => [method.toUpperCase(), path] as const) : [],
  )
  assert.ok(routes.length >= 20)
  const kinds = ['track', 'album', 'artist', 'playlist']
  for (const [method, path] of routes) {
    for (const [at, name] of outside.entries()) {
      const kind = kinds[at % kinds.length] ?? ''
      const filled = path.replace('{kind}', kind).replace(/\{\w+\}/, encodeSpaces(name))
      const answer = await request(node.baseUrl, method, filled, { ...bearer(), 'content-length': '0' })
      const status = statusOf(answer)
      assert.ok(status >= 400 && status < 500, `${method} ${filled} answered ${status}`)
      assert.doesNotMatch(answer, /root:x:|SQLite format|\/src\/|node_modules/, `${method} ${filled}`)
    }
  }
  for (const name of outside) {
    for (const start of ['/', '/assets/', '/docs/', '/%2e%2e/', '//']) {
      const answer = await request(node.baseUrl, 'GET', start + encodeSpaces(name))
      assert.ok(statusOf(answer) < 500, `${start}${name}`)
      assert.doesNotMatch(answer, /root:x:|SQLite format/, `${start}${name}`)
    }
  }
})

const encodeSpaces = (text: string) => text.replaceAll(' ', '%20')

test('[S4] paths in queries are looked up, never followed', async () => {
  const libraries = z.object({ items: z.array(z.object({ id: z.string() })) })
  const [library] = libraries.parse((await ada.get('/api/libraries')).body).items
  for (const name of [...outside, '\0', '\uf78f', '/proc/self/environ', 'a/../..']) {
    const path = encodeURIComponent(name)
    const folder = await ada.get(`/api/folders?library=${library?.id}&path=${path}`)
    assert.ok([400, 404].includes(folder.status), `${name}: ${folder.status}`)
    const server = await ada.get(`/api/server-folders?path=${path}`)
    assert.ok(server.status < 500, `${name}: ${server.status}`)
    if (server.status === 200) assert.doesNotMatch(JSON.stringify(server.body), /root:x:/)
    const added = await ada.call('POST', '/api/libraries', { path: name })
    assert.ok(added.status >= 400 && added.status < 500, `${name}: ${added.status}`)
  }
  for (const path of [
    node.data,
    `${node.data}/..`,
    `${music.path}/../music`,
    '/proc/self/cwd/../../etc/passwd',
  ])
    assert.ok((await ada.call('POST', '/api/libraries', { path })).status >= 400, path)
})

test('[S4] hostile playlist files are read as what they are: lists of lines', async () => {
  const files: ReadonlyArray<readonly [what: string, text: string | Buffer]> = [
    [
      'paths out of the library',
      `../../../../etc/passwd\n/etc/passwd\nfile:///etc/passwd\n${music.path}/../x\n`,
    ],
    [
      'addresses',
      'http://169.254.169.254/latest/meta-data\nhttps://example.org/a.mp3\n\\\\host\\share\\a.mp3\n',
    ],
    ['one endless line', 'a'.repeat(2_000_000)],
    ['nothing but remarks', '#EXTINF:-1,\n#EXTINF:999999999999999999999,a - b\n#EXTINF\n'.repeat(20_000)],
    ['zeros', Buffer.alloc(100_000)],
    ['no UTF-8', Buffer.from('ff'.repeat(50_000), 'hex')],
    ['markup', '<script>alert(1)</script>\n#PLAYLIST:<img src=x onerror=alert(1)>\n%s%n%x\n'],
    ['patterns', `${'%'.repeat(5_000)}\n_\n'; DROP TABLE file; --\n${'*'.repeat(5_000)}\n`],
    ['empty', '\n'],
  ]
  for (const [what, body] of files) {
    const answer = await ada.fetch('/api/playlists/import?name=hostile', {
      method: 'POST',
      headers: { 'content-type': 'audio/x-mpegurl' },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
    const text = await answer.text()
    if (answer.status !== 201) {
      assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`)
      problemDocument.parse(JSON.parse(text))
      continue
    }
    const made = importResult.parse(JSON.parse(text))
    assert.equal(made.playlist.trackCount, 0, what)
    assert.doesNotMatch(text, /root:x:/)
  }
  const tooMany = await ada.fetch('/api/playlists/import', {
    method: 'POST',
    headers: { 'content-type': 'audio/x-mpegurl' },
    body: 'a\n'.repeat(20_001),
  })
  assert.equal(problemDocument.parse(await tooMany.json()).code, 'TOO_LARGE')
})

test('[S4] hostile words are searched for like others, and quickly', async () => {
  const words = [
    '"',
    "' OR 1=1 --",
    'song" OR "',
    'NEAR(song, 5)',
    'title:song AND NOT song',
    '*',
    '^song',
    'song*',
    '-song',
    '(((((((((',
    '{a b}',
    '\0song',
    '\ud800',
    'Z̷̢̛͙̦̪͓a̵l̶g̷o̸'.repeat(20),
    '\u202esong',
    'ﷺ'.repeat(100),
    '👩‍👩‍👧‍👦'.repeat(30),
    'a '.repeat(150),
    'song '.repeat(60),
    '%',
    '_',
    '\\',
    'x'.repeat(10_000),
  ]
  for (const word of words) {
    // One that takes ten seconds is given up with 504, which is neither.
    const answer = await ada.get(`/api/search?q=${encodeURIComponent(word.toWellFormed())}`)
    assert.ok([200, 400].includes(answer.status), `${word.slice(0, 40)}: ${answer.status}`)
  }
  for (const raw of ['%ff%fe', '%', '%u0041', '%ed%a0%80'])
    assert.ok(statusOf(await request(node.baseUrl, 'GET', `/api/search?q=${raw}`, bearer())) < 500, raw)
})

test('[S3] names of accounts in any script are told apart as people do', async () => {
  const password = 'correct horse battery'
  const make = (name: string) => ada.call('POST', '/api/users', { name, password })
  for (const name of ['Ärger', 'Ωμέγα', '音楽家', 'עברית']) assert.equal((await make(name)).status, 201, name)
  await signIn(node.baseUrl, { name: 'ärgER', password })
  for (const name of ['ÄRGER', 'ωΜΈΓΑ', 'ＡＤＡ', 'Ada', 'ᴬᴰᴬ'])
    assert.equal(problemDocument.parse((await make(name)).body).code, 'NAME_TAKEN', name)
  const refused = [
    '',
    ' ',
    'a b',
    'a\u202eb',
    'a\0b',
    'a\nb',
    'a/b',
    '../a',
    'a\u200db',
    '<b>',
    '🎵',
    '\u0301',
    'a'.repeat(65),
    'ﷺ'.repeat(64),
    '\ud800',
  ]
  for (const name of refused) assert.equal((await make(name)).status, 400, JSON.stringify(name))
})

test('[S4] whatever is sent to any route, no answer is an error of ours', async () => {
  const mallory = { name: 'mallory', password: 'correct horse battery' }
  await ada.call('POST', '/api/users', { ...mallory, role: 'administrator' })
  const { token } = await signIn(node.baseUrl, mallory)
  const document = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse((await ada.get('/openapi.json')).body)
  const bodies = [
    'null',
    '[]',
    '{}',
    '7',
    '"x"',
    '{"id":{"$ne":null}}',
    `{"tracks":[${'"x",'.repeat(500)}"x"]}`,
  ]
  const queries = [
    '',
    '?limit=-1&offset=1e99',
    '?cursor=%00&order=;',
    '?limit=5&limit=6',
    '?q[]=a&__proto__[a]=b',
  ]
  const id = '00000000-0000-4000-8000-000000000000'
  for (const [path, methods] of Object.entries(document.paths)) {
    if (path === '/api/live' || path === '/api/session') continue
    const address = path.replace('{kind}', 'track').replace(/\{\w+\}/, id)
    for (const method of Object.keys(methods)) {
      const tries = method === 'get' ? queries : bodies
      for (const each of tries) {
        const answer = await fetch(node.baseUrl + address + (method === 'get' ? each : ''), {
          method: method.toUpperCase(),
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(method !== 'get' && { body: each }),
          signal: AbortSignal.timeout(60_000),
        })
        const text = await answer.text()
        assert.ok(
          answer.status < 500,
          `${method} ${address} with ${each.slice(0, 40)}: ${answer.status} ${text}`,
        )
      }
    }
  }
})

test('[S3] no token, password or query stands in the log, not even at its most talkative', async () => {
  const secret = 'S3cr3t-in-a-query'
  await fetch(`${node.baseUrl}/api/albums?token=${secret}&access_token=${ada.token}`)
  await fetch(`${node.baseUrl}/api/live?token=${secret}`)
  await fetch(`${node.baseUrl}/nowhere/x?password=${secret}#${secret}`)
  await exchange(
    node.baseUrl,
    `GET /api/welcome?${secret} HTTP/1.1\r\nHost: a\r\nX: ${secret}\r\n bad\r\n\r\n`,
  )
  await fetch(`${node.baseUrl}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"name":"ada","password":"${secret}"`,
  })
  await waitFor(() => node.logs().includes('/nowhere/x'), { what: 'the log to have it' })
  const words = [secret, ada.token, administrator.password]
  for (const word of words) assert.ok(!node.logs().includes(word), `the log has ${word}`)
})
