import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { exchange, openSocket } from '../../../../test/harness/raw.ts'
import { endpoints } from '../routes.ts'
import { envelope, searchOf } from './client.ts'
import { everything } from './requests.ts'
import { world } from './shared.ts'

/** What clients send by mistake, and others on purpose. */
const oddities = ['', '-1', '99999999999999999999', '../../etc/passwd\0', "' OR 1=1 --", '%ff\u{1f3b5}']
const names = [
  'id',
  'albumId',
  'artistId',
  'query',
  'size',
  'count',
  'offset',
  'songCount',
  'songOffset',
  'artistOffset',
]
const others = [
  'type',
  'genre',
  'fromYear',
  'toYear',
  'musicFolderId',
  'ifModifiedSince',
  'maxBitRate',
  'timeOffset',
]
const rest = [
  'rating',
  'time',
  'position',
  'current',
  'currentIndex',
  'playlistId',
  'songIndexToRemove',
  'username',
  'name',
]
const last = [
  'format',
  'bitRate',
  'since',
  'message',
  'title',
  'artist',
  'any',
  'mediaId',
  'transcodeParams',
  'submission',
]

test('a form of a hundred megabytes is refused before it is read, and others are still served', async () => {
  const socket = await openSocket(world.edge.url)
  const bytes = 100 * 1_024 * 1_024
  const head = `POST /rest/ping HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\nconnection: close\r\n`
  socket.write(`${head}content-type: application/x-www-form-urlencoded\r\n\r\nf=json&x=`)
  const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })
  assert.match(String(answer), /^HTTP\/1\.1 200 .*code/s)
  socket.destroy()

  // Without a length it is read as far as a form may be long.
  const endless = await openSocket(world.edge.url)
  const chunked = 'POST /rest/ping HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n'
  endless.write(`${chunked}content-type: application/x-www-form-urlencoded\r\n\r\n`)
  const chunk = `100000\r\n${'y'.repeat(1_048_576)}\r\n`
  const answered = once(endless, 'data', { signal: AbortSignal.timeout(10_000) })
  for (let sent = 0; sent < 4 && !endless.destroyed; sent += 1) endless.write(chunk)
  assert.match(String((await answered)[0]), /^HTTP\/1\.1 200 .*code="10"/s)
  endless.destroy()
  await world.guest.ask('ping')
})

test('headers and parameters in odd encodings are no reason to stumble', async () => {
  const { name: u, secret: p } = world.guest
  const path = `/rest/ping?${searchOf({ u, p, v: '1.16.1', c: 'x', f: 'json' })}`
  const send = (headers: string, target = path) => {
    const text = `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`
    return exchange(world.edge.url, Buffer.from(text, 'latin1'))
  }
  for (const odd of ['\xe9\xff\xfe', '\xc3\x28', '\xf0\x9f\x8e', '=?utf-8?Q?x?=', 'x'.repeat(4_000)]) {
    for (const header of ['user-agent', 'origin', 'referer', 'accept-language', 'range', 'x-odd']) {
      assert.match(await send(`${header}: ${odd}\r\n`), /"status":"ok"/, `${header}: ${odd}`)
    }
  }
  assert.match(await send('x-odd: \0\r\n'), /^HTTP\/1\.1 400 /)
  assert.match(await send('', `${path}&c=%ff%fe%00&u2=%C3%28&%=%%%`), /"status":"ok"/)
  assert.match(await send('', `/rest/ping?u=%ff&p=%00&v=1.16.1&c=%ff&f=json`), /"code":40/)
  assert.match(await send('', '/rest/search3?query=\xe9'.padEnd(60, 'x')), /^HTTP\/1\.1 (?:200|400) /)
})

test('what a client calls itself changes no answer', async () => {
  for (const endpoint of ['search3', 'getArtists', 'getUser']) {
    const answers = new Set<string>()
    for (const c of ['DSub', 'Symfonium', 'play:Sub', 'SubMusic', 'Hocket', '\u{1f3b5}', '../..', '<b>']) {
      const query = { c, query: '', username: 'guest', songCount: 500 }
      answers.add(JSON.stringify(await world.guest.ask(endpoint, query)))
    }
    assert.equal(answers.size, 1, endpoint)
  }
})

test('whatever the parameters are, the answer is one of the API, and nothing breaks inside', async () => {
  const song = (await everything(world.guest)).song[0]?.id ?? ''
  async function ask(endpoint: string, query: Record<string, string>): Promise<void> {
    const response = await world.guest.fetch(endpoint, { ...query, f: 'json' })
    const what = `${endpoint} ${JSON.stringify(query['size'])}`
    assert.equal(response.status, 200, what)
    const text = await response.text()
    if (!response.headers.get('content-type')?.startsWith('application/json')) return
    const { error } = envelope.parse(JSON.parse(text))['subsonic-response']
    assert.notEqual(error?.code, 0, `${what}: ${error?.message}`)
  }

  const all = [...names, ...others, ...rest, ...last]
  for (const endpoint of endpoints.keys()) {
    await Promise.all(
      oddities.flatMap((oddity) => {
        const odd = Object.fromEntries(all.map((name) => [name, oddity]))
        return [odd, { ...odd, id: song, type: 'newest', genre: 'Rock', mediaId: song }].map((query) =>
          ask(endpoint, query),
        )
      }),
    )
  }
  assert.doesNotMatch(world.edge.log(), /failed inside the server/)
})
