import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { feedOf, item, startPodcastServer } from '../../../../test/harness/podcast.ts'
import { waitFor } from '../../../../test/harness/wait.ts'
import { channelsOf, channelWith, episodeWith, openPodcast } from './podcast.ts'
import { ids, world } from './shared.ts'

const { administrator, guest, outside } = world
const url = `${outside.url}/feed.xml`
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())
const askedFor = (path: string) => outside.asked.filter((each) => each.path === path)

test('a podcast is subscribed to, an episode downloaded on request, and it plays as any song does', async () => {
  const { id, first } = await openPodcast(administrator, url)
  assert.deepEqual(
    (await channelsOf(guest, { id })).flatMap(({ episode = [] }) => episode.map(({ title }) => title)),
    ['First & best', 'Second', 'Third'].toSorted(),
  )
  const original = await bytesOf(await fetch(`${outside.url}/first.mp3`))
  const { podcastEpisode } = await guest.both('getPodcastEpisode', { id: first })
  assert.match(JSON.stringify(podcastEpisode), /"description":"Of <this> & that"/)
  const streamId = (await episodeWith(guest, 'First & best', 'completed')).streamId ?? ''
  const whole = await guest.fetch('stream', { id: streamId })
  assert.equal(whole.headers.get('content-type'), 'audio/mpeg')
  assert.deepEqual(await bytesOf(whole), original)
  const part = await guest.fetch('stream', { id: streamId }, { headers: { range: 'bytes=100-199' } })
  assert.deepEqual([part.status, await bytesOf(part)], [206, original.subarray(100, 200)])
  const saved = await guest.fetch('download', { id: streamId })
  assert.match(saved.headers.get('content-disposition') ?? '', /First/)
  assert.deepEqual(await bytesOf(saved), original)
  const made = await guest.fetch('stream', { id: streamId, format: 'opus', maxBitRate: 48, timeOffset: 6 })
  assert.equal(made.headers.get('content-type'), 'audio/ogg')
  assert.ok((await bytesOf(made)).length > 1_000)
  const playlist = await (await guest.fetch('hls.m3u8', { id: streamId, bitRate: 64 })).text()
  assert.match(playlist, /#EXTINF:12\.\d+,/)
  for (const pictured of [id, first]) {
    const cover = await guest.fetch('getCoverArt', { id: pictured, size: 64 })
    assert.match(cover.headers.get('content-type') ?? '', /^image\/(?:jpeg|webp)/)
    assert.ok((await bytesOf(cover)).length > 100)
  }
})

test('an episode is bookmarked, and stands in the queue between songs, where it was put', async () => {
  const { id } = await episodeWith(guest, 'First & best', 'completed')
  const [one, two] = ids.song.map((song) => song.id)
  assert.ok(one && two)
  await guest.ask('createBookmark', { id, position: 5_000, comment: 'Go on' })
  const { bookmarks } = await guest.both('getBookmarks')
  assert.match(JSON.stringify(bookmarks), /"position":5000.*"title":"First & best".*"bookmarkPosition":5000/)
  await guest.ask('deleteBookmark', { id })
  assert.equal(await guest.refused('deleteBookmark', { id }), 70)

  await guest.ask('savePlayQueue', { id: [one, id, two, one], current: id, position: 700 })
  const shown = z.object({
    current: z.string(),
    position: z.int(),
    entry: z.array(z.object({ id: z.string(), type: z.string() })),
  })
  const { current, position, entry } = shown.parse((await guest.both('getPlayQueue'))['playQueue'])
  assert.deepEqual([current, position, entry.map((each) => each.id)], [id, 700, [one, id, two, one]])
  assert.deepEqual(
    entry.map(({ type }) => type),
    ['music', 'podcast', 'music', 'music'],
  )
  const { playQueueByIndex } = await guest.both('getPlayQueueByIndex')
  assert.match(JSON.stringify(playQueueByIndex), /"currentIndex":1/)
  await guest.ask('savePlayQueue')
})

test('what is no audio is an error, and what is deleted stays so until it is asked for again', async () => {
  const { id: second } = await episodeWith(guest, 'Second', 'new')
  await administrator.ask('downloadPodcastEpisode', { id: second })
  const failed = await episodeWith(guest, 'Second', 'error')
  assert.match(failed.errorMessage ?? '', /not audio/)
  assert.equal(await guest.refused('stream', { id: second }), 70)
  await administrator.ask('deletePodcastEpisode', { id: second })
  await episodeWith(guest, 'Second', 'skipped')

  const { id: first } = await episodeWith(guest, 'First & best', 'completed')
  await administrator.ask('deletePodcastEpisode', { id: first })
  await episodeWith(guest, 'First & best', 'deleted')
  assert.equal(await guest.refused('stream', { id: first }), 70)
  const before = askedFor('/first.mp3').length
  outside.put('/feed.xml', { bytes: feedOf('Changed', [item('first', 'First &amp; best', 'first.mp3')]) })
  await administrator.ask('refreshPodcasts')
  await waitFor(async () => (await channelsOf(guest)).some(({ title }) => title === 'Changed'), {
    what: 'the feed to be read again',
  })
  await episodeWith(guest, 'First & best', 'deleted')
  // What is no longer in the feed stays.
  await episodeWith(guest, 'Third', 'new')
  assert.equal(askedFor('/first.mp3').length, before)
  await administrator.ask('downloadPodcastEpisode', { id: first })
  await episodeWith(guest, 'First & best', 'completed')
})

test('a feed that has not changed is not sent again, and one that cannot be read is an error that mends itself', async () => {
  outside.put('/other.xml', {
    bytes: feedOf('Other', [item('o', 'Of other', 'third.mp3')]),
    headers: { etag: '"o"' },
  })
  const other = `${outside.url}/other.xml`
  await administrator.ask('createPodcastChannel', { url: other })
  await channelWith(guest, other, 'completed')
  await administrator.ask('refreshPodcasts')
  await waitFor(() => askedFor('/other.xml').at(-1)?.headers['if-none-match'] === '"o"', {
    what: 'the feed to be asked for by its tag',
  })
  await channelWith(guest, other, 'completed')
  outside.put('/other.xml', { bytes: '<html>Moved</html>' })
  await administrator.ask('refreshPodcasts')
  const wrong = await channelWith(guest, other, 'error')
  assert.match(wrong.errorMessage ?? '', /no feed of a podcast/)
  assert.deepEqual(
    wrong.episode?.map(({ title }) => title),
    ['Of other'],
  )
  outside.put('/other.xml', { bytes: feedOf('Back', [item('o', 'Of other', 'third.mp3')]) })
  const back = await channelWith(guest, other, 'completed')
  assert.equal(back.title, 'Back')
  await administrator.ask('deletePodcastChannel', { id: back.id })
  assert.deepEqual((await channelsOf(guest)).map(({ url }) => url).includes(other), false)
  assert.equal(await guest.refused('getPodcastEpisode', { id: back.episode?.[0]?.id ?? '' }), 70)
})

test('a feed leads to nothing inside but what lies where it lies itself', async () => {
  await using elsewhere = await startPodcastServer()
  elsewhere.put('/secret.mp3', { bytes: await bytesOf(await fetch(`${outside.url}/first.mp3`)) })
  outside.put('/away.mp3', { bytes: '', status: 302, headers: { location: `${elsewhere.url}/secret.mp3` } })
  const items = [
    item('a', 'Named', `${elsewhere.url}/secret.mp3`),
    item('b', 'Led', '/away.mp3'),
    item('c', 'Cloud', 'http://169.254.169.254/latest'),
    item('e', 'Gone', '/nothing.mp3'),
  ]
  outside.put('/hostile.xml', {
    bytes: feedOf('Hostile', items, `<itunes:image href="${elsewhere.url}/a.png"/>`),
  })
  const hostile = `${outside.url}/hostile.xml`
  await administrator.ask('createPodcastChannel', { url: hostile })
  const { id, episode = [] } = await channelWith(guest, hostile, 'completed')
  for (const each of episode) await administrator.ask('downloadPodcastEpisode', { id: each.id })
  for (const title of ['Named', 'Led', 'Cloud', 'Gone']) await episodeWith(guest, title, 'error')
  assert.deepEqual(elsewhere.asked, [])
  await administrator.ask('deletePodcastChannel', { id })
})

test('whoever may keep podcasts is told so, and nobody else may', async () => {
  const roleOf = async (name: string) =>
    JSON.stringify((await administrator.ask('getUser', { username: name }))['user'])
  assert.match(await roleOf('ada'), /"podcastRole":true/)
  assert.match(await roleOf('guest'), /"podcastRole":false/)
  for (const endpoint of [
    'createPodcastChannel',
    'refreshPodcasts',
    'deletePodcastChannel',
    'deletePodcastEpisode',
    'downloadPodcastEpisode',
  ])
    assert.equal(
      await guest.refused(endpoint, { id: '11111111-1111-4111-8111-111111111111', url }),
      50,
      endpoint,
    )
  for (const { id } of await channelsOf(administrator))
    await administrator.ask('deletePodcastChannel', { id })
  assert.deepEqual(await channelsOf(guest), [])
})
