import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { encodeTone } from '../../../../test/fixtures/audio.ts'
import { makePicture } from '../../../../test/fixtures/picture.ts'
import { feedOf, item, type PodcastServer, startPodcastServer } from '../../../../test/harness/podcast.ts'
import { waitFor } from '../../../../test/harness/wait.ts'
import { queueShown } from '../../../protocol/api/listening.ts'
import { type EpisodeSummary, episodeSummary, podcastSummary } from '../../../protocol/api/podcasts.ts'
import { problemDocument } from '../../../protocol/api/problem.ts'
import { listen } from '../../testing/listener.ts'
import { world } from '../../testing/shared.ts'
import type { Answer, Visitor } from '../../testing/visitor.ts'

const { edge, guest } = world
let outside: PodcastServer
let sound: Buffer
let url = ''
before(async () => {
  ;[outside, sound] = await Promise.all([startPodcastServer(), encodeTone('mp3', 12)])
  url = `${outside.url}/feed.xml`
  const items = Array.from({ length: 60 }, (_, at) =>
    item(
      `g${at}`,
      `Episode ${at}`,
      `/${at}.mp3`,
      `<pubDate>${new Date(at * 86_400_000).toUTCString()}</pubDate>`,
    ),
  )
  const more = `<itunes:image href="${outside.url}/picture.png"/><description>About &lt;b&gt;things&lt;/b&gt;</description>`
  outside.put('/feed.xml', { bytes: feedOf('Show', items, more) })
  outside.put('/picture.png', { bytes: await makePicture() })
  outside.put('/59.mp3', { bytes: sound })
  outside.put('/58.mp3', { bytes: 'no audio' })
})
after(() => outside?.[Symbol.asyncDispose]())

const codeOf = ({ body }: Answer) => problemDocument.parse(body).code
const podcastsOf = async (visitor: Visitor) =>
  z.object({ items: z.array(podcastSummary) }).parse((await visitor.get('/api/podcasts')).body).items
const episodesOf = async (visitor: Visitor, query = '') =>
  z
    .object({ items: z.array(episodeSummary), total: z.int() })
    .parse((await visitor.get(`/api/episodes?${query}`)).body)

/** The episode, once it has that state. */
async function episodeWith(id: string, state: EpisodeSummary['state']): Promise<EpisodeSummary> {
  return await waitFor(
    async () => {
      const found = episodeSummary.parse((await guest.get(`/api/episodes/${id}`)).body)
      return found.state === state ? found : undefined
    },
    { what: `an episode to be ${state}` },
  )
}

test('a podcast is subscribed to for everyone, once, and its episodes come in parts, the newest first', async () => {
  const { administrator } = edge
  const made = await administrator.post('/api/podcasts', { url: ` ${url} ` })
  assert.equal(made.status, 201)
  const { id } = podcastSummary.parse(made.body)
  assert.equal(podcastSummary.parse((await administrator.post('/api/podcasts', { url })).body).id, id)
  const show = await waitFor(
    async () =>
      (await podcastsOf(guest)).find(({ refreshing, episodeCount }) => !refreshing && episodeCount === 60),
    { what: 'the feed to be read' },
  )
  assert.deepEqual([show.id, show.title, show.description], [id, 'Show', 'About things'])
  assert.equal(show.newestAt, 59 * 86_400_000)
  assert.deepEqual(podcastSummary.parse((await guest.get(`/api/podcasts/${id}`)).body), show)

  const first = await episodesOf(guest, `podcast=${id}&limit=40`)
  const rest = await episodesOf(guest, `podcast=${id}&limit=40&offset=40`)
  assert.equal(first.total, 60)
  assert.deepEqual(
    [...first.items, ...rest.items].map(({ title }) => title),
    Array.from({ length: 60 }, (_, at) => `Episode ${59 - at}`),
  )
  assert.deepEqual((await episodesOf(guest, 'limit=1')).items[0], first.items[0])
  assert.deepEqual(await episodesOf(guest, `podcast=${randomUUID()}`), { items: [], total: 0 })
  const picture = await guest.get(`/api/covers/podcast/${id}?size=64&v=${show.cover}`)
  assert.match(picture.headers.get('content-type') ?? '', /^image\//)
  assert.match(picture.headers.get('cache-control') ?? '', /immutable/)
  assert.equal((await guest.get(`/api/covers/episode/${first.items[0]?.id}`)).status, 200)
  assert.equal(codeOf(await guest.get(`/api/covers/episode/${randomUUID()}`)), 'NOT_FOUND')
})

test('an episode is downloaded, plays in ranges and converted, and is removed; pages hear of it', async () => {
  const { administrator } = edge
  const [newest] = (await episodesOf(guest, 'limit=1')).items
  const path = `/api/episodes/${newest?.id}`
  assert.equal(newest?.state, 'remote')
  assert.equal(codeOf(await guest.get(`${path}/audio`)), 'NOT_FOUND')
  using page = await listen(edge.url, { authorization: `Bearer ${guest.token}` })
  const asked = await administrator.put(`${path}/download`, undefined)
  assert.match(episodeSummary.parse(asked.body).state, /^download/)
  await page.expect('podcasts', (message) => message.type === 'changed' && message.what === 'podcasts')
  const { audio, durationMs = 0 } = await episodeWith(newest.id, 'downloaded')
  assert.equal(audio?.codec, 'mp3')
  assert.ok(Math.abs(durationMs - 12_000) < 200)
  const whole = await guest.get(`${path}/audio?v=${audio?.version}`)
  assert.deepEqual(whole.bytes, sound)
  assert.match(whole.headers.get('cache-control') ?? '', /immutable/)
  const part = await guest.fetch(`${path}/audio`, { headers: { range: 'bytes=100-199' } })
  assert.deepEqual([part.status, part.bytes], [206, sound.subarray(100, 200)])
  const saved = await guest.get(`${path}/audio?download=1`)
  assert.match(saved.headers.get('content-disposition') ?? '', /Episode 59\.mp3/)
  const converted = await guest.get(`${path}/transcode?format=opus&bitrate=48&offsetMs=6000`)
  assert.equal(converted.headers.get('content-type'), 'audio/ogg')
  assert.ok(converted.bytes.length > 1_000)
  const removed = await administrator.delete(`${path}/download`)
  assert.equal(episodeSummary.parse(removed.body).state, 'remote')
  assert.equal(codeOf(await guest.get(`${path}/audio`)), 'NOT_FOUND')
})

test('what is no audio says so in words, and is not tried again by itself', async () => {
  const [, second] = (await episodesOf(guest, 'limit=2')).items
  await edge.administrator.put(`/api/episodes/${second?.id}/download`, undefined)
  const failed = await episodeWith(second?.id ?? '', 'failed')
  assert.deepEqual([failed.trouble?.code, failed.audio], ['FILE_NOT_AUDIO', undefined])
  assert.match(failed.trouble?.title ?? '', /audio/)
  assert.notEqual(failed.trouble?.help, '')
})

test('each account goes on where it was, in the queue too, and nobody sees where others were', async () => {
  const [newest] = (await episodesOf(guest, 'limit=1')).items
  const { id = '' } = newest ?? {}
  const placeOf = async (visitor: Visitor) => (await episodesOf(visitor, 'limit=1')).items[0]?.placeMs
  const keep = async (positionMs: unknown) => guest.put(`/api/episodes/${id}/place`, { positionMs })
  assert.equal((await keep(0)).status, 204)
  assert.equal((await keep(7_000)).status, 204)
  assert.deepEqual([await placeOf(guest), await placeOf(edge.administrator)], [7_000, undefined])
  const saved = await guest.put('/api/queue', { tracks: [id, randomUUID()], current: 0, positionMs: 7_000 })
  for (const { body } of [saved, await guest.get('/api/queue')]) {
    const { items, episodes } = queueShown.parse(body)
    assert.deepEqual(items, [null, null])
    assert.deepEqual(
      episodes.map((each) => [each.id, each.placeMs]),
      [[id, 7_000]],
    )
  }
  assert.equal((await keep(0)).status, 204)
  assert.equal(await placeOf(guest), undefined)
  for (const wrong of [-1, 1.5, 'soon', null]) assert.equal(codeOf(await keep(wrong)), 'BAD_REQUEST')
  assert.equal(codeOf(await guest.put(`/api/episodes/${randomUUID()}/place`, { positionMs: 1 })), 'NOT_FOUND')
})

test('only administrators keep podcasts, and what is no address of a feed is refused in words', async () => {
  const [show] = await podcastsOf(guest)
  const [newest] = (await episodesOf(guest, 'limit=1')).items
  const refused = await Promise.all([
    guest.post('/api/podcasts', { url }),
    guest.post('/api/podcasts/refresh'),
    guest.delete(`/api/podcasts/${show?.id}`),
    guest.put(`/api/episodes/${newest?.id}/download`, undefined),
    guest.delete(`/api/episodes/${newest?.id}/download`),
  ])
  assert.deepEqual(refused.map(codeOf), Array(refused.length).fill('FORBIDDEN'))
  const { administrator } = edge
  for (const wrong of ['', 'a podcast', 'ftp://example.org/feed', 'http://ada:secret@example.org/feed', 7]) {
    assert.equal(codeOf(await administrator.post('/api/podcasts', { url: wrong })), 'BAD_REQUEST')
  }
  assert.equal(
    codeOf(await administrator.post('/api/podcasts', { url: `http://x/${'a'.repeat(4_000)}` })),
    'BAD_REQUEST',
  )
  for (const query of ['limit=0', 'limit=101', 'offset=-1', 'podcast=nobody', 'limit=many']) {
    assert.equal(codeOf(await guest.get(`/api/episodes?${query}`)), 'BAD_REQUEST', query)
  }
  assert.equal(codeOf(await administrator.delete(`/api/podcasts/${randomUUID()}`)), 'NOT_FOUND')
  assert.equal((await administrator.post('/api/podcasts/refresh')).status, 204)
  assert.equal((await administrator.delete(`/api/podcasts/${show?.id}`)).status, 204)
  assert.deepEqual(await podcastsOf(administrator), [])
  assert.equal(codeOf(await administrator.get(`/api/episodes/${newest?.id}`)), 'NOT_FOUND')
})
