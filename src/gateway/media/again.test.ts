import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { waitFor } from '../../../test/harness/wait.ts'
import { id, serveAgain } from './test-again.ts'

const music = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251))
const world = await serveAgain(async () => ({
  size: music.length,
  etag: '"one"',
  version: 'one',
  mediaType: 'audio/flac',
  async *open({ start, end }) {
    yield music.subarray(start, end)
  },
  [Symbol.dispose]() {},
}))
const { metrics, log, url } = world
after(() => world[Symbol.asyncDispose]())
beforeEach(() => Object.assign(world, { revision: world.revision + 1, signedIn: true, there: true, long: 0 }))

const ask = (range: string | null, more: Record<string, string> = {}, token = 'sesame') => {
  const headers = { authorization: `Bearer ${token}`, ...(range !== null && { range }), ...more }
  return fetch(`${url}/tracks/${id}/audio`, { headers })
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}

test('the next range is answered as the one before, without the hooks', async () => {
  const first = await ask('bytes=0-99')
  assert.ok((await bytesOf(first)).equals(music.subarray(0, 100)))
  const next = await ask('bytes=100-4099')
  assert.equal(next.status, 206)
  assert.ok((await bytesOf(next)).equals(music.subarray(100, 4_100)))
  assert.equal(next.headers.get('content-range'), 'bytes 100-4099/5000')
  assert.equal(world.long, 1)
  const own = ['date', 'x-request-id', 'content-range', 'content-length']
  const lasting = ({ headers }: Response) => [...headers].filter(([name]) => !own.includes(name))
  assert.deepEqual(lasting(next), lasting(first))
  assert.notEqual(next.headers.get('x-request-id'), first.headers.get('x-request-id'))
  assert.equal((await ask('bytes=9999-')).status, 416)
  assert.equal(world.long, 1)
})

test('it is counted and logged as the others', async () => {
  const read = async () => {
    const text = await metrics.registry.metrics()
    const of = (name: string) =>
      Number(new RegExp(`^${name}\\{[^}]*route="/tracks/:id/audio"[^}]*\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
    return { answers: of('hocket_http_request_seconds_count'), bytes: of('hocket_http_sent_bytes_total') }
  }
  const lines = () => log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered')
  const before = await read()
  const logged = lines().length
  for (const range of ['bytes=0-999', 'bytes=1000-1999']) await bytesOf(await ask(range))
  const written = await waitFor(() => (lines().length >= logged + 2 ? lines().slice(logged) : undefined), {
    what: 'both to be logged',
  })
  const now = await read()
  assert.deepEqual([world.long, now.answers - before.answers], [1, 2])
  assert.ok(now.bytes - before.bytes > 2_000)
  const [first, next] = written
  assert.deepEqual(Object.keys(next), Object.keys(first))
  assert.deepEqual([next.path, next.status, next.user], [`/tracks/${id}/audio`, 206, id])
  assert.notEqual(next.reqId, first.reqId)
})

test('[S3] whoever is not signed in any more is refused, whatever was answered before', async () => {
  await bytesOf(await ask('bytes=0-9'))
  world.signedIn = false
  assert.equal((await ask('bytes=10-19')).status, 401)
  assert.equal((await ask('bytes=10-19', {}, 'another')).status, 401)
})

test('what is not as before goes the long way', async () => {
  await bytesOf(await ask('bytes=0-9'))
  const others = [
    () => ask('bytes=10-19', { 'if-range': '"other"' }),
    () => ask('bytes=10-19', { origin: 'https://elsewhere.example' }),
    () => ask(null),
  ]
  for (const [index, other] of others.entries()) {
    await bytesOf(await other())
    assert.equal(world.long, index + 2)
  }
  world.revision += 1
  await bytesOf(await ask('bytes=10-19'))
  assert.equal(world.long, others.length + 2)
})

test('a file that cannot be opened any more is a coded problem', async () => {
  await bytesOf(await ask('bytes=0-9'))
  world.there = false
  const answer = await ask('bytes=10-19')
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.match((await bytesOf(answer)).toString(), /FILE_MISSING/)
})
