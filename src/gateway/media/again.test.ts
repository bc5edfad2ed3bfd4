import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import Fastify, { LogController } from 'fastify'
import { waitFor } from '../../../test/harness/wait.ts'
import type { Authenticated } from '../../accounts/accounts.ts'
import type { OpenOriginal } from '../../media/originals.ts'
import { CodedError } from '../../protocol/errors.ts'
import { createMetrics, createStoreTimes, measureRequests } from '../metrics.ts'
import { answerProblems } from '../problems.ts'
import { createRequestIds, logRequests } from '../requests.ts'
import { secureHeaders } from '../security.ts'
import { createAgain } from './again.ts'
import { sendStored } from './audio.ts'
import { trackSource } from './test-source.ts'

const music = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251))
const id = '00000000-0000-4000-8000-000000000001'
const ada: Authenticated = {
  user: { id, name: 'ada', role: 'user', disabled: false, createdAt: 0 },
  session: { id, user: id, client: 'a player', createdAt: 0, lastSeenAt: 0, expiresAt: 1 },
}
const source = trackSource({ id, size: music.length })

/** What the world is like, and how many requests have taken the long way. */
const world = { revision: 1, signedIn: true, there: true, long: 0 }
beforeEach(() => Object.assign(world, { revision: world.revision + 1, signedIn: true, there: true, long: 0 }))

const none = { added: 0, changed: 0, moved: 0, removed: 0 }
const scan = { phase: 'idle' as const, seen: 0, toRead: 0, read: 0, ...none, problems: 0, unhashed: 0 }
const log: string[] = []
const app = Fastify({
  logger: { level: 'debug', stream: { write: (line: string) => void log.push(line) } },
  logController: new LogController({ disableRequestLogging: true }),
})
const metrics = createMetrics({
  index: { progress: { state: 'following', revision: 0, storeRevision: 0, applied: 0, skipped: 0 } },
  scan: () => scan,
  pages: () => 0,
  transcodes: () => ({ running: 0, waiting: 0 }),
  storeTimes: createStoreTimes(),
  figures: [],
})
const accounts = { authenticate: (token: string) => (world.signedIn && token === 'sesame' ? ada : null) }
const tracks = {
  async open(): Promise<OpenOriginal> {
    if (!world.there) throw new CodedError('FILE_MISSING')
    return {
      size: music.length,
      etag: '"one"',
      version: 'one',
      mediaType: 'audio/flac',
      async *open({ start, end }) {
        yield music.subarray(start, end)
      },
      [Symbol.dispose]() {},
    }
  },
}
const again = createAgain({
  accounts,
  index: {
    get revision() {
      return world.revision
    },
  },
  tracks,
  metrics,
  nameRequest: createRequestIds(),
  log: app.log,
})
answerProblems(app)
logRequests(app)
measureRequests(app, metrics)
secureHeaders(app)
app.decorateRequest('signedIn', null)
app.addHook('onRequest', async (request) => {
  request.signedIn = accounts.authenticate(request.headers.authorization?.slice(7) ?? '')
  if (request.signedIn === null) throw new CodedError('NOT_SIGNED_IN')
})
app.get<{ Params: { id: string } }>('/tracks/:id/audio', async (request, reply) => {
  world.long += 1
  again.remember(request, reply, source, undefined)
  const streams = metrics.streams
  const renditions = { transcode: () => assert.fail('nothing is converted') }
  await sendStored({ tracks, renditions, streams }, request, reply, source, { v: undefined })
})
await app.ready()
again.goBefore(app.server)
const url = await app.listen({ host: '127.0.0.1', port: 0 })
after(async () => {
  again.stop()
  await app.close()
  metrics[Symbol.dispose]()
})

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
