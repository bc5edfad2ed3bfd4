import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { waitFor } from '../../../../test/harness/wait.ts'
import { type Envelope, envelope, searchOf } from './client.ts'
import { ids, world } from './shared.ts'

const song = (title: string) => ids.song.find((each) => each.title.startsWith(title))?.id ?? ''
const marked = z.object({ playCount: z.int(), played: z.string().optional(), userRating: z.int().optional() })
const markOf = async (id: string) => marked.parse((await world.guest.ask('getSong', { id }))['song'])
const playlist = z.looseObject({
  id: z.string(),
  entry: z.array(z.looseObject({ id: z.string() })).optional(),
})
const listOf = (answer: Envelope) => playlist.parse(answer['playlist'])

test('a play that is reported again counts once, and comes late as it was', async () => {
  const at = Date.parse('2024-05-06T07:08:09Z')
  const report = { id: song('Two'), time: at }
  await world.guest.ask('scrobble', report)
  await world.guest.ask('scrobble', report)
  assert.deepEqual(await markOf(song('Two')), { playCount: 1, played: '2024-05-06T07:08:09.000Z' })
  await world.guest.ask('scrobble', { id: song('Two') })
  assert.equal((await markOf(song('Two'))).playCount, 2)
})

test('what plays now is seen by others, but counts for nothing', async () => {
  await world.guest.ask('scrobble', { id: song('One'), submission: false })
  const { entry } = z
    .object({
      entry: z.array(z.looseObject({ username: z.string(), minutesAgo: z.int(), playerName: z.string() })),
    })
    .parse((await world.administrator.ask('getNowPlaying'))['nowPlaying'])
  assert.deepEqual(
    entry.map(({ username, minutesAgo, playerName }) => [username, minutesAgo, playerName]),
    [['guest', 0, 'test']],
  )
  assert.equal((await markOf(song('One'))).playCount, 0)
  const report = { mediaId: song('One'), mediaType: 'song', positionMs: 900 }
  await world.guest.ask('reportPlayback', { ...report, state: 'stopped', ignoreScrobble: true })
  assert.deepEqual((await world.administrator.ask('getNowPlaying'))['nowPlaying'], { entry: [] })
  assert.equal((await markOf(song('One'))).playCount, 0)
  await world.guest.ask('reportPlayback', { ...report, state: 'stopped' })
  assert.equal((await markOf(song('One'))).playCount, 1)
})

test('a rating is taken back with 0', async () => {
  await world.guest.ask('setRating', { id: song('One'), rating: 3 })
  assert.equal((await markOf(song('One'))).userRating, 3)
  await world.guest.ask('setRating', { id: song('One'), rating: 0 })
  assert.equal((await markOf(song('One'))).userRating, undefined)
})

test('a thousand ids at once are starred, or none of them', async () => {
  const all = [...ids.song, ...ids.album, ...ids.artist].map(({ id }) => id)
  const many = Array.from({ length: 1_000 }, (_, at) => all[at % all.length] ?? '')
  const post = async (id: readonly string[]) => {
    const { name: u, secret: p } = world.guest
    const body = searchOf({ u, p, v: '1.16.1', c: 'x', f: 'json', id })
    const response = await fetch(`${world.edge.url}/rest/star`, { method: 'POST', body })
    return envelope.parse(await response.json())['subsonic-response'].error?.code
  }
  assert.equal(await post([...many, 'nothing']), 70)
  assert.doesNotMatch(JSON.stringify(await world.guest.ask('getStarred2')), /"id"/)
  assert.equal(await post(many), undefined)
  const starred = z
    .object({ song: z.array(z.unknown()), album: z.array(z.unknown()), artist: z.array(z.unknown()) })
    .parse((await world.guest.ask('getStarred2'))['starred2'])
  assert.deepEqual(
    [starred.song.length, starred.album.length, starred.artist.length],
    [ids.song.length, ids.album.length, ids.artist.length],
  )
  await world.guest.ask('unstar', { id: all })
})

test("other people's playlists are refused, until they are public, and are never theirs to change", async () => {
  const made = listOf(
    await world.guest.ask('createPlaylist', { name: 'Mine', songId: [song('One'), song('Two')] }),
  )
  const { id } = made
  assert.equal(await world.administrator.refused('getPlaylist', { id }), 50)
  assert.equal(await world.administrator.refused('updatePlaylist', { playlistId: id, name: 'x' }), 50)
  assert.equal(await world.administrator.refused('deletePlaylist', { id }), 50)
  await world.guest.ask('updatePlaylist', { playlistId: id, public: true, songIndexToRemove: [0, 0] })
  const seen = listOf(await world.administrator.ask('getPlaylist', { id }))
  assert.deepEqual(
    seen.entry?.map((entry) => entry.id),
    [song('Two')],
  )
  assert.deepEqual([seen['owner'], seen['public'], seen['readonly']], ['guest', true, true])
  assert.equal(await world.administrator.refused('updatePlaylist', { playlistId: id, name: 'x' }), 50)
  assert.equal(await world.guest.refused('updatePlaylist', { playlistId: id, songIndexToRemove: 5 }), 10)
  await world.guest.ask('deletePlaylist', { id })
  assert.equal(await world.guest.refused('getPlaylist', { id }), 70)
})

test('the queue is kept by song and by place, and cleared', async () => {
  const [one, two] = [song('One'), song('Two')]
  await world.guest.ask('savePlayQueueByIndex', { id: [one, two, one], currentIndex: 2, position: 900 })
  const byIndex = z.looseObject({}).parse((await world.guest.both('getPlayQueueByIndex'))['playQueueByIndex'])
  assert.deepEqual([byIndex['currentIndex'], byIndex['position'], byIndex['changedBy']], [2, 900, 'test'])
  assert.equal(z.looseObject({}).parse((await world.guest.both('getPlayQueue'))['playQueue'])['current'], one)
  assert.equal(await world.guest.refused('savePlayQueue', { id: one, current: two }), 10)
  assert.equal(await world.guest.refused('savePlayQueueByIndex', { id: one }), 10)
  assert.equal(await world.guest.refused('savePlayQueueByIndex', { id: one, currentIndex: 1 }), 10)
  await world.guest.ask('savePlayQueue')
  assert.deepEqual(z.looseObject({}).parse((await world.guest.ask('getPlayQueue'))['playQueue'])['entry'], [])
})

test('[S2] only administrators manage users, and a secret changes no password of its own account', async () => {
  const { guest, administrator } = world
  const attempts: [string, Record<string, string>][] = [
    ['getUsers', {}],
    ['getUser', { username: 'ada' }],
    ['getUser', { username: 'nobody' }],
    ['createUser', { username: 'x', password: 'long enough' }],
    ['updateUser', { username: 'guest', adminRole: 'true' }],
    ['deleteUser', { username: 'ada' }],
    ['changePassword', { username: 'guest', password: 'long enough' }],
    ['startScan', {}],
  ]
  for (const [endpoint, query] of attempts) assert.equal(await guest.refused(endpoint, query), 50, endpoint)
  assert.equal(await administrator.refused('createUser', { username: 'a b', password: 'long enough' }), 10)
  assert.equal(await administrator.refused('createUser', { username: 'ab', password: 'short' }), 10)
  assert.equal(await administrator.refused('deleteUser', { username: 'ada' }), 0)
  await administrator.ask('createUser', { username: 'zoe', password: 'enc:6c6f6e6720656e6f756768' })
  await world.edge.anyone.enter('/api/session', { name: 'zoe', password: 'long enough' })
  await administrator.ask('changePassword', { username: 'zoe', password: 'another one' })
  await world.edge.anyone.enter('/api/session', { name: 'zoe', password: 'another one' })
  await administrator.ask('deleteUser', { username: 'zoe' })
  assert.equal(await administrator.refused('getUser', { username: 'zoe' }), 70)
})

test('a bookmark is kept until it is deleted, for oneself only', async () => {
  const shape = z.object({
    bookmark: z.array(
      z.looseObject({ position: z.int(), comment: z.string(), entry: z.looseObject({ id: z.string() }) }),
    ),
  })
  const read = async (client = world.guest) =>
    shape.parse((await client.both('getBookmarks'))['bookmarks']).bookmark
  await world.guest.ask('createBookmark', { id: song('Two'), position: 1_000, comment: 'Once' })
  await world.guest.ask('createBookmark', { id: song('Two'), position: 2_000, comment: 'Twice' })
  const [kept, ...others] = await read()
  assert.deepEqual(
    [kept?.position, kept?.comment, kept?.entry.id, others.length],
    [2_000, 'Twice', song('Two'), 0],
  )
  assert.deepEqual(await read(world.administrator), [])
  await world.guest.ask('deleteBookmark', { id: song('Two') })
  assert.deepEqual(await read(), [])
  assert.equal(await world.guest.refused('deleteBookmark', { id: song('Two') }), 70)
})

test('administrators keep radio stations for everyone', async () => {
  const shape = z.object({ internetRadioStation: z.array(z.object({ id: z.string(), name: z.string() })) })
  const read = async () =>
    shape.parse((await world.guest.both('getInternetRadioStations'))['internetRadioStations'])
      .internetRadioStation
  const made = { name: 'Waves', streamUrl: 'https://radio.example/waves' }
  assert.equal(await world.guest.refused('createInternetRadioStation', made), 50)
  assert.equal(
    await world.administrator.refused('createInternetRadioStation', {
      ...made,
      streamUrl: 'javascript:alert(1)',
    }),
    10,
  )
  await world.administrator.ask('createInternetRadioStation', made)
  const [station] = await read()
  const id = station?.id ?? ''
  await world.administrator.ask('updateInternetRadioStation', { ...made, id, name: 'Tides' })
  assert.deepEqual(await read(), [{ id, name: 'Tides' }])
  assert.equal(await world.guest.refused('deleteInternetRadioStation', { id }), 50)
  await world.administrator.ask('deleteInternetRadioStation', { id })
  assert.deepEqual(await read(), [])
})

test('what one says in the chat, everyone hears, from a time on', async () => {
  const shape = z.object({
    chatMessage: z.array(z.object({ username: z.string(), message: z.string(), time: z.int() })),
  })
  const read = async (since: number) =>
    shape.parse((await world.administrator.both('getChatMessages', { since }))['chatMessages']).chatMessage
  await world.guest.ask('addChatMessage', { message: 'Hello & welcome' })
  const [first] = await read(0)
  assert.deepEqual([first?.username, first?.message], ['guest', 'Hello & welcome'])
  assert.deepEqual(await read(first?.time ?? 0), [])
  assert.equal(await world.guest.refused('addChatMessage', { message: '' }), 10)
  assert.equal(await world.guest.refused('addChatMessage', { message: 'x'.repeat(2_001) }), 10)
})

test('the address of a share opens for anyone, until it is deleted', async () => {
  const shape = z.object({
    share: z.array(
      z.looseObject({
        id: z.string(),
        url: z.string(),
        visitCount: z.int(),
        lastVisited: z.string().optional(),
      }),
    ),
  })
  const read = async (client = world.guest) => shape.parse((await client.both('getShares'))['shares']).share
  await world.guest.ask('createShare', { id: [song('One'), song('Two')], description: 'Both' })
  const [made] = await read()
  assert.ok(made)
  assert.match(made.id, /^[A-Za-z0-9-]+$/)
  assert.equal(new URL(made.url).pathname, `/share/${made.id}`)
  const open = () => fetch(`${world.edge.url}/api/shares/${made.id}`)
  const music = z
    .object({ tracks: z.array(z.object({ title: z.string() })) })
    .parse(await (await open()).json())
  assert.equal(music.tracks.length, 2)
  await waitFor(async () => (await read())[0]?.lastVisited, { what: 'the visit to be counted' })
  assert.deepEqual(await read(world.administrator), [])
  await world.guest.ask('updateShare', { id: made.id, expires: 1 })
  assert.equal((await open()).status, 410)
  await world.guest.ask('deleteShare', { id: made.id })
  assert.equal((await open()).status, 404)
  assert.deepEqual(await read(), [])
})
