import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type PodcastServer, startPodcastServer } from '../../../test/harness/podcast.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import { stationView } from '../../protocol/api/listening.ts'
import { problemDocument } from '../../protocol/api/problem.ts'
import { openTestGateway, type TestGateway } from '../testing/gateway.ts'
import { listen } from '../testing/listener.ts'
import type { Answer, Visitor } from '../testing/visitor.ts'

let edge: TestGateway
let guest: Visitor
let outside: PodcastServer
before(async () => {
  ;[edge, outside] = await Promise.all([openTestGateway(), startPodcastServer()])
  guest = await edge.person('guest')
})
after(async () => {
  await edge?.[Symbol.asyncDispose]()
  await outside?.[Symbol.asyncDispose]()
})

const codeOf = ({ body }: Answer) => problemDocument.parse(body).code
const stationsOf = async (visitor: Visitor) =>
  z.object({ items: z.array(stationView) }).parse((await visitor.get('/api/stations')).body).items
const mp3 = { 'content-type': 'audio/mpeg' }
const sound = Buffer.from('some sound, and more of it')

/** Adds a station and answers where it is heard, by others too: who has added it waits until it is there. */
async function streamOf(streamUrl: string): Promise<string> {
  const made = await edge.administrator.post('/api/stations', { name: 'Some', streamUrl })
  await stationsOf(edge.administrator)
  return `/api/stations/${stationView.parse(made.body).id}/stream`
}

test('administrators keep stations for everyone, and pages hear of it', async () => {
  const { administrator } = edge
  using page = await listen(edge.url, { authorization: `Bearer ${guest.token}` })
  const input = { name: 'Lagoon', streamUrl: 'https://radio.example/a', homePageUrl: 'https://radio.example' }
  const made = await administrator.post('/api/stations', input)
  assert.equal(made.status, 201)
  const { id } = stationView.parse(made.body)
  await page.expect('the stations', (message) => message.type === 'changed' && message.what === 'stations')
  assert.deepEqual(await stationsOf(guest), [{ id, ...input }])
  assert.match(
    (await guest.get(`/api/covers/station/${id}?size=64`)).headers.get('content-type') ?? '',
    /^image\//,
  )
  const changed = { name: 'Harbour', streamUrl: 'http://radio.example/b' }
  assert.deepEqual((await administrator.put(`/api/stations/${id}`, changed)).body, { id, ...changed })
  const refused = await Promise.all([
    guest.post('/api/stations', input),
    guest.put(`/api/stations/${id}`, input),
    guest.delete(`/api/stations/${id}`),
  ])
  assert.deepEqual(refused.map(codeOf), ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'])
  for (const wrong of [
    { ...input, name: '' },
    { ...input, streamUrl: 'ftp://radio.example' },
    { ...input, streamUrl: 'radio' },
    { ...input, homePageUrl: 'javascript:alert(1)' },
    { name: 'No address' },
  ])
    assert.equal(codeOf(await administrator.post('/api/stations', wrong)), 'BAD_REQUEST')
  assert.equal((await administrator.delete(`/api/stations/${id}`)).status, 204)
  assert.equal(codeOf(await administrator.delete(`/api/stations/${id}`)), 'NOT_FOUND')
  assert.equal(codeOf(await guest.get(`/api/stations/${randomUUID()}/stream`)), 'NOT_FOUND')
})

test('a stream is passed on as it comes, from behind lists and redirects, and ends with its listener', async () => {
  outside.put('/live', { bytes: sound, headers: mp3 })
  outside.put('/moved', { bytes: '', status: 302, headers: { location: '/live' } })
  outside.put('/list.pls', {
    bytes: `[playlist]\r\nFile1=${outside.url}/list.m3u\r\nTitle1=Lagoon\r\n`,
    headers: { 'content-type': 'audio/x-scpls' },
  })
  outside.put('/list.m3u', {
    bytes: `#EXTM3U\n#EXTINF:-1,Lagoon\n${outside.url}/moved\n`,
    headers: { 'content-type': 'audio/x-mpegurl; charset=utf-8' },
  })
  const path = await streamOf(`${outside.url}/list.pls`)
  const whole = await guest.get(path)
  assert.deepEqual([whole.status, whole.headers.get('content-type')], [200, 'audio/mpeg'])
  assert.deepEqual(whole.bytes, sound)
  assert.equal(whole.headers.get('cache-control'), 'no-store')
  assert.equal((await guest.fetch(path, { method: 'HEAD' })).status, 200)

  const held = outside.hold('/live')
  const before = outside.asked.length
  const leaving = new AbortController()
  const headers = { authorization: `Bearer ${guest.token}` }
  const response = await fetch(edge.url + path, { headers, signal: leaving.signal })
  const first = await response.body?.getReader().read()
  assert.deepEqual(Buffer.from(first?.value ?? []), sound.subarray(0, 13))
  leaving.abort()
  assert.equal(outside.asked.length, before + 4)
  await waitFor(() => /a station was heard no longer/.test(edge.log()), {
    what: 'the connection outside to end',
  })
  held.letGo()
})

test('what is no stream is refused in words: a page, HLS, lists in circles, a server that is away', async () => {
  outside.put('/page', { bytes: '<html>', headers: { 'content-type': 'text/html' } })
  outside.put('/silent', { bytes: 'x' })
  const m3u = { 'content-type': 'application/vnd.apple.mpegurl' }
  outside.put('/hls', { bytes: '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://a/b', headers: m3u })
  outside.put('/empty', { bytes: '#EXTM3U\n', headers: m3u })
  outside.put('/circle', { bytes: `${outside.url}/circle`, headers: m3u })
  outside.put('/long', { bytes: '#'.repeat(70_000), headers: m3u })
  for (const path of ['page', 'silent', 'hls', 'empty', 'circle', 'long']) {
    const refused = await guest.get(await streamOf(`${outside.url}/${path}`))
    assert.deepEqual([codeOf(refused), refused.status], ['STATION_UNPLAYABLE', 422], path)
  }
  assert.equal(codeOf(await guest.get(await streamOf(`${outside.url}/gone`))), 'SERVICE_UNAVAILABLE')
})

test('a station leads to nothing inside but what lies where it lies itself', async () => {
  await using elsewhere = await startPodcastServer()
  elsewhere.put('/secret', { bytes: sound, headers: mp3 })
  outside.put('/away', { bytes: '', status: 302, headers: { location: `${elsewhere.url}/secret` } })
  outside.put('/list', {
    bytes: `${elsewhere.url}/secret`,
    headers: { 'content-type': 'audio/x-mpegurl' },
  })
  outside.put('/cloud', { bytes: '', status: 302, headers: { location: 'http://169.254.169.254/latest' } })
  for (const path of ['away', 'list', 'cloud']) {
    assert.equal(codeOf(await guest.get(await streamOf(`${outside.url}/${path}`))), 'ADDRESS_FORBIDDEN', path)
  }
  assert.deepEqual(elsewhere.asked, [])
})

test('an account hears a few stations at once and no more, until it leaves one', async () => {
  outside.put('/long-play', { bytes: sound, headers: mp3 })
  const held = outside.hold('/long-play')
  const path = await streamOf(`${outside.url}/long-play`)
  const headers = { authorization: `Bearer ${guest.token}` }
  const leaving = new AbortController()
  const hear = () => fetch(edge.url + path, { headers, signal: leaving.signal })
  const heard = await Promise.all([hear(), hear(), hear(), hear()])
  assert.deepEqual(
    heard.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  const fifth = await guest.get(path)
  assert.deepEqual([codeOf(fifth), fifth.status], ['TOO_MANY_REQUESTS', 429])
  leaving.abort()
  held.letGo()
  await waitFor(async () => (await guest.get(path)).status === 200, { what: 'a place to be free' })
})
