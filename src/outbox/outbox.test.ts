import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { shareOutboxStore, trackOf } from '../../test/fixtures/outbox.ts'
import { startLastfm, startListenBrainz, startReceiver } from '../../test/harness/services.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { isCoded } from '../protocol/errors.ts'
import { join } from '../store/collection.ts'
import { deliverOutbox } from './deliver.ts'
import { eventTrack } from './event.ts'
import { entries, entryId } from './facts.ts'
import type { Mandate } from './lane.ts'
import { signatureOf } from './services/lastfm.ts'
import { retryAfterMs } from './services/service.ts'

const openTestOutbox = shareOutboxStore()

const soon = () => AbortSignal.timeout(10_000)
const titles = (listens: readonly { readonly title: string }[]) => listens.map(({ title }) => title)
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `Song ${at + 1}`)

test('ListenBrainz: a play is one listen, a backlog one import in order, and short tracks do not count', async () => {
  await using service = await startListenBrainz()
  await using it = await openTestOutbox()
  const input = { kind: 'listenbrainz', url: `${service.url}/`, token: 'good token' } as const
  await assert.rejects(it.outbox.connect(it.ada, { ...input, token: 'bad token' }, soon()), {
    code: 'SERVICE_REFUSED',
  })
  const { value } = await it.outbox.connect(it.ada, input, soon())
  assert.deepEqual([value.connection.account, value.connection.url], ['ada', service.url])
  assert.ok(!JSON.stringify(value).includes('good token'), 'the token is never shown again')
  for (const title of numbered(150)) await it.play(it.ada, title)
  await it.play(it.ada, 'Jingle', 30_000)
  await it.play(it.guest, 'Of somebody who has connected nothing')
  assert.equal((await it.connected(it.ada)).waiting, 150)
  await using _ = it.deliver()
  await waitFor(() => service.listens.length === 150, { what: 'the backlog' })
  assert.deepEqual(titles(service.listens), numbered(150))
  assert.deepEqual(service.submissions, [{ kind: 'import', count: 150 }])
  await it.play(it.ada, 'One more')
  await waitFor(() => service.listens.length === 151, { what: 'one more' })
  assert.deepEqual(service.submissions.at(-1), { kind: 'single', count: 1 })
  const after = await waitFor(
    async () => (await it.connected(it.ada)).waiting === 0 && (await it.connected(it.ada)),
    {
      what: 'it to be marked',
    },
  )
  assert.ok(after.deliveredAt)
  assert.deepEqual([after.needsAttention, after.trouble, after.dropped], [false, undefined, 0])
})

test('a token that is taken back stops delivery until the user connects again, and nothing is lost', async () => {
  await using service = await startListenBrainz()
  await using it = await openTestOutbox()
  const input = { kind: 'listenbrainz', url: service.url, token: 'good token' } as const
  const { value: first } = await it.outbox.connect(it.ada, input, soon())
  await using _ = it.deliver()
  service.tokens.clear()
  for (const title of numbered(3)) await it.play(it.ada, title)
  const refused = await waitFor(
    async () => {
      const one = await it.connected(it.ada)
      return one.needsAttention && one
    },
    { what: 'it to need attention' },
  )
  assert.deepEqual([refused.trouble?.code, refused.waiting], ['SERVICE_REFUSED', 3])
  await assert.rejects(it.outbox.check(it.ada, refused.id, soon()), { code: 'SERVICE_REFUSED' })
  service.tokens.set('new token', 'ada')
  const { value: second } = await it.outbox.connect(it.ada, { ...input, token: 'new token' }, soon())
  assert.equal(second.connection.id, first.connection.id)
  await waitFor(() => service.listens.length === 3, { what: 'what has waited' })
  assert.deepEqual(titles(service.listens), numbered(3))
})

test('trouble is waited out, for as long as the service says, and what it took without saying so comes again', async () => {
  await using service = await startListenBrainz()
  await using it = await openTestOutbox()
  await it.outbox.connect(it.ada, { kind: 'listenbrainz', url: service.url, token: 'good token' }, soon())
  const asked: number[] = []
  service.disturb(() => {
    asked.push(performance.now())
    if (asked.length === 1) return { status: 503, headers: { 'retry-after': '2' } }
    if (asked.length === 2) return { status: 502, taken: true }
    return undefined
  })
  await using _ = it.deliver()
  await it.play(it.ada, 'Song')
  await waitFor(() => asked.length === 1, { what: 'the first attempt' })
  const waiting = await waitFor(
    async () => {
      const one = await it.connected(it.ada)
      return one.trouble && one
    },
    { what: 'the trouble to be noted' },
  )
  assert.equal(waiting.trouble?.code, 'SERVICE_UNAVAILABLE')
  assert.match(waiting.trouble?.detail ?? '', /503/)
  await waitFor(async () => (await it.connected(it.ada)).deliveredAt, { what: 'it to be delivered' })
  assert.ok((asked[1] ?? 0) - (asked[0] ?? 0) >= 1_990, 'Retry-After was not honoured')
  assert.deepEqual(titles(service.listens), ['Song', 'Song'], 'at least once')
  assert.equal((await it.connected(it.ada)).trouble, undefined)
})

test('one listen that is refused does not keep the others from being taken', async () => {
  await using service = await startListenBrainz()
  await using it = await openTestOutbox()
  await it.outbox.connect(it.ada, { kind: 'listenbrainz', url: service.url, token: 'good token' }, soon())
  service.unwanted.add('Song 3')
  for (const title of numbered(6)) await it.play(it.ada, title)
  await using _ = it.deliver()
  await waitFor(() => service.listens.length === 5, { what: 'the others' })
  assert.deepEqual(titles(service.listens), ['Song 1', 'Song 2', 'Song 4', 'Song 5', 'Song 6'])
  await waitFor(async () => (await it.connected(it.ada)).waiting === 0, { what: 'nothing to wait' })
  assert.equal((await it.connected(it.ada)).dropped, 1)
})

test('Last.fm: a session by the token of its page, signed batches of fifty, and a full day waits for the next', async () => {
  await using service = await startLastfm()
  await using it = await openTestOutbox()
  const input = { kind: 'lastfm', token: 'allowed token' } as const
  await assert.rejects(it.outbox.connect(it.ada, input, soon()), { code: 'SERVICE_NOT_SET_UP' })
  const { apiKey, sharedSecret, url: apiUrl } = service
  const settings = { apiUrl, authorizeUrl: 'https://www.last.fm/api/auth/', apiKey }
  assert.deepEqual((await it.outbox.setService({ ...settings, sharedSecret }, soon())).value, settings)
  await assert.rejects(it.outbox.connect(it.ada, { ...input, token: 'guessed' }, soon()), {
    code: 'SERVICE_REFUSED',
  })
  const { value } = await it.outbox.connect(it.ada, input, soon())
  assert.equal(value.connection.account, 'ada')
  await it.outbox.check(it.ada, value.connection.id, soon())
  service.allowance = 118
  for (const title of numbered(120)) await it.play(it.ada, title)
  await using _ = it.deliver()
  await waitFor(() => service.scrobbles.length === 118, { what: 'the scrobbles of the day' })
  assert.deepEqual(titles(service.scrobbles), numbered(118))
  assert.deepEqual(service.batches, [50, 50, 20])
  await waitFor(async () => (await it.connected(it.ada)).waiting === 2, { what: 'the rest to wait' })
  const { retryAt = 0, dropped } = await it.connected(it.ada)
  assert.ok(retryAt > Date.now() + 60_000)
  assert.equal(dropped, 0)
  service.allowance = 10
  await it.outbox.check(it.ada, value.connection.id, soon())
  await waitFor(() => service.scrobbles.length === 120, { what: 'the rest' })
  service.sessions.clear()
  await it.play(it.ada, 'After the session was ended there')
  await waitFor(async () => (await it.connected(it.ada)).needsAttention, { what: 'it to need attention' })
})

test('a signature of Last.fm is the MD5 of names and values in the order of ASCII, and the secret', () => {
  // printf 'api_keyxxxartist[10]bartist[1]amethodtrack.scrobblesecret' | md5sum
  const parameters = { method: 'track.scrobble', 'artist[1]': 'a', api_key: 'xxx', 'artist[10]': 'b' }
  assert.equal(signatureOf(parameters, 'secret'), '98be9bfce57990b59de8c41474ad71af')
})

test('a webhook: signed, one by one in order, the same id when it is sent again, and the receiver may end it', async () => {
  await using receiver = await startReceiver()
  await using it = await openTestOutbox()
  const input = {
    kind: 'webhook',
    url: receiver.url,
    events: ['play.finished', 'library.scanned', 'cluster.changed'],
  } as const
  const mutable = { ...input, events: [...input.events] }
  for (const event of ['library.scanned', 'cluster.changed'] as const) {
    const asked = it.outbox.connect(it.guest, { ...mutable, events: [event] }, soon())
    await assert.rejects(asked, { code: 'FORBIDDEN' })
  }
  await assert.rejects(it.outbox.connect(it.guest, { ...mutable, events: ['play.finished'] }, soon()), {
    code: 'ADDRESS_FORBIDDEN',
  })
  const { value } = await it.outbox.connect(it.ada, mutable, soon())
  receiver.secret = value.secret
  assert.match(value.secret ?? '', /^whsec_/)
  assert.deepEqual(
    receiver.received.map(({ type }) => type),
    ['test'],
  )
  let failing = 2
  receiver.disturb(() => {
    failing -= 1
    return failing >= 0 ? { status: 500, taken: true } : undefined
  })
  await using _ = it.deliver()
  const plays = [await it.play(it.ada, 'Jingle', 10_000), await it.play(it.ada, 'Song')]
  const scan = {
    type: 'library.scanned',
    id: plays[0] ?? '',
    at: 5,
    added: 1,
    changed: 0,
    moved: 0,
    removed: 0,
  } as const
  await it.outbox.announce(scan, soon())
  const news = (['silent', 'repaired', 'returned'] as const).map((kind) => {
    return { type: 'cluster.changed', id: randomUUID(), at: 6, kind } as const
  })
  await it.store.commit(join(...(await it.outbox.announcing(news, soon()))))
  await waitFor(() => receiver.received.length === 9, { what: 'all of them' })
  const [, ...received] = receiver.received
  assert.deepEqual(
    received.map(({ type, id }) => [type, id]),
    [
      ...[1, 2, 3].map(() => ['play.finished', plays[0]]),
      ['play.finished', plays[1]],
      ['library.scanned', plays[0]],
      ...news.map(({ id }) => ['cluster.changed', id]),
    ],
  )
  assert.deepEqual(
    received.slice(-3).map(({ data }) => data),
    [{ kind: 'silent' }, { kind: 'repaired' }, { kind: 'returned' }],
  )
  assert.equal(receiver.forged, 0)
  receiver.disturb(() => ({ status: 410 }))
  await it.play(it.ada, 'Unwanted')
  await waitFor(async () => (await it.connected(it.ada)).needsAttention, { what: 'it to end' })
})

test('what is played now is told at once, and not kept for a service that is away', async () => {
  await using service = await startListenBrainz()
  await using it = await openTestOutbox()
  await it.outbox.connect(it.ada, { kind: 'listenbrainz', url: service.url, token: 'good token' }, soon())
  const track = trackOf('Now', 200_000)
  const say = (told: typeof track) => it.outbox.playing(it.ada, told.id, async () => told)
  say(track)
  say(track)
  say(trackOf('Jingle', 5_000))
  await it.outbox.settled()
  assert.deepEqual(service.playing, ['Now'])
  service.disturb(() => ({ status: 503 }))
  say(trackOf('Lost', 200_000))
  await it.outbox.settled()
  assert.equal((await it.store.list('outbox/entries/')).entries.length, 0)
})

test('[N2] who has lost the office marks nothing as delivered: the next one delivers again', async () => {
  await using service = await startListenBrainz()
  await using it = await openTestOutbox()
  await it.outbox.connect(it.ada, { kind: 'listenbrainz', url: service.url, token: 'good token' }, soon())
  await it.play(it.ada, 'Song')
  const answers = Promise.withResolvers<void>()
  const errors: unknown[] = []
  const slow = {
    ...it.options,
    onError: (error: unknown) => errors.push(error),
    async send(...asked: Parameters<typeof it.options.send>) {
      const answer = await it.options.send(...asked)
      await answers.promise
      return answer
    },
  }
  await using _ = it.deliver(async (term: Mandate) => {
    // Its clock stands still: it does not hear that the office was lost.
    const deaf = { signal: AbortSignal.timeout(60_000), commit: term.commit }
    const delivering = deliverOutbox(slow, deaf).catch(() => undefined)
    await Promise.race([delivering, once(term.signal, 'abort')])
  })
  await waitFor(() => service.listens.length === 1, { what: 'it to be sent' })
  const office = await it.store.get('cluster/offices/operator')
  assert.ok(office?.lease)
  await it.store.revoke(office.lease)
  answers.resolve()
  await waitFor(() => service.listens.length === 2, { what: 'the next holder to deliver again' })
  assert.ok(
    errors.some((error) => isCoded(error, 'OFFICE_LOST')),
    'the mark was not refused',
  )
  await waitFor(async () => (await it.connected(it.ada)).waiting === 0, { what: 'it to be marked' })
})

test('what waits is bounded, and goes with its connection', async () => {
  await using it = await openTestOutbox()
  await using service = await startListenBrainz()
  const { value } = await it.outbox.connect(
    it.ada,
    { kind: 'listenbrainz', url: service.url, token: 'good token' },
    soon(),
  )
  const key = `${it.ada}/${value.connection.id}`
  const old = Date.now() - 31 * 24 * 3_600_000
  const [tooOld, fresh] = [await entry(key, old), await entry(key, Date.now())]
  async function entry(connection: string, at: number) {
    const play = randomUUID()
    const event = { type: 'play.finished', id: play, at, track: eventTrack(trackOf('Song', 90_000)) } as const
    const id = entryId(connection, at, play)
    await it.store.commit(entries.create(id, event))
    return id
  }
  service.tokens.clear()
  await using _ = it.deliver()
  await waitFor(async () => (await it.connected(it.ada)).needsAttention, { what: 'an attempt' })
  assert.equal(await entries.get(it.store, tooOld), null)
  assert.ok(await entries.get(it.store, fresh))
  assert.equal((await it.connected(it.ada)).dropped, 1)
  await it.outbox.disconnect(it.ada, value.connection.id, soon())
  await waitFor(async () => (await it.store.list('outbox/')).entries.length === 0, {
    what: 'nothing to be left',
  })
})

test('the time that a service asks for is read as seconds, as a date or as ListenBrainz writes it', () => {
  const answer = (status: number, headers: Record<string, string>) => ({
    status,
    text: '',
    header: (name: string) => headers[name],
  })
  assert.equal(retryAfterMs(answer(503, { 'retry-after': '7' })), 7_000)
  assert.equal(retryAfterMs(answer(429, { 'x-ratelimit-reset-in': '3' })), 3_000)
  assert.equal(retryAfterMs(answer(200, { 'x-ratelimit-reset-in': '3' })), undefined)
  assert.equal(retryAfterMs(answer(503, { 'retry-after': 'soon' })), undefined)
  assert.equal(retryAfterMs(answer(503, { 'retry-after': '999999999' })), 24 * 3_600_000)
  const date = new Date(Date.now() + 60_000).toUTCString()
  assert.ok(Math.abs((retryAfterMs(answer(503, { 'retry-after': date })) ?? 0) - 60_000) < 2_000)
})
