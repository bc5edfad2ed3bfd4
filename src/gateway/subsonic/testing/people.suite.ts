import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { waitFor } from '../../../../test/harness/wait.ts'
import { type Envelope, envelope, searchOf } from './client.ts'
import { ids, pia, world } from './shared.ts'

const song = (title: string) => ids.song.find((each) => each.title.startsWith(title))?.id ?? ''
const marked = z.object({ playCount: z.int(), played: z.string().optional(), userRating: z.int().optional() })
const markOf = async (id: string) => marked.parse((await pia.ask('getSong', { id }))['song'])
const playlist = z.looseObject({
  id: z.string(),
  entry: z.array(z.looseObject({ id: z.string() })).optional(),
})
const listOf = (answer: Envelope) => playlist.parse(answer['playlist'])

test('a play that is reported again counts once, and comes late as it was', async () => {
  const at = Date.parse('2024-05-06T07:08:09Z')
  const report = { id: song('Two'), time: at }
  await pia.ask('scrobble', report)
  await pia.ask('scrobble', report)
  assert.deepEqual(await markOf(song('Two')), { playCount: 1, played: '2024-05-06T07:08:09.000Z' })
  await pia.ask('scrobble', { id: song('Two') })
  assert.equal((await markOf(song('Two'))).playCount, 2)
  const gone = '11111111-1111-4111-8111-111111111111'
  await pia.ask('scrobble', { id: [gone, song('Two')], time: [at, at + 1_000] })
  assert.equal((await markOf(song('Two'))).playCount, 3)
  assert.equal(await pia.refused('scrobble', { id: gone }), 70)
})

test('what plays now is seen by others, but counts for nothing', async () => {
  await pia.ask('scrobble', { id: song('One'), submission: false })
  const shape = z.object({
    entry: z.array(z.looseObject({ username: z.string(), minutesAgo: z.int(), playerName: z.string() })),
  })
  const seen = async () => {
    const { entry } = shape.parse((await world.administrator.ask('getNowPlaying'))['nowPlaying'])
    return entry
      .filter(({ username }) => username === pia.name)
      .map(({ minutesAgo, playerName }) => [minutesAgo, playerName])
  }
  assert.deepEqual(await seen(), [[0, 'test']])
  assert.equal((await markOf(song('One'))).playCount, 0)
  const report = { mediaId: song('One'), mediaType: 'song', positionMs: 900 }
  await pia.ask('reportPlayback', { ...report, state: 'stopped', ignoreScrobble: true })
  assert.deepEqual(await seen(), [])
  assert.equal((await markOf(song('One'))).playCount, 0)
  await pia.ask('reportPlayback', { ...report, state: 'stopped' })
  assert.equal((await markOf(song('One'))).playCount, 1)
})

test('a rating is taken back with 0', async () => {
  await pia.ask('setRating', { id: song('One'), rating: 3 })
  assert.equal((await markOf(song('One'))).userRating, 3)
  await pia.ask('setRating', { id: song('One'), rating: 0 })
  assert.equal((await markOf(song('One'))).userRating, undefined)
})

test('a thousand ids at once are starred, or none of them', async () => {
  const all = [...ids.song, ...ids.album, ...ids.artist].map(({ id }) => id)
  const many = Array.from({ length: 1_000 }, (_, at) => all[at % all.length] ?? '')
  const post = async (id: readonly string[]) => {
    const { name: u, secret: p } = pia
    const body = searchOf({ u, p, v: '1.16.1', c: 'x', f: 'json', id })
    const response = await fetch(`${world.edge.url}/rest/star`, { method: 'POST', body })
    return envelope.parse(await response.json())['subsonic-response'].error?.code
  }
  assert.equal(await post([...many, 'nothing']), 70)
  assert.doesNotMatch(JSON.stringify(await pia.ask('getStarred2')), /"id"/)
  assert.equal(await post(many), undefined)
  const starred = z
    .object({ song: z.array(z.unknown()), album: z.array(z.unknown()), artist: z.array(z.unknown()) })
    .parse((await pia.ask('getStarred2'))['starred2'])
  assert.deepEqual(
    [starred.song.length, starred.album.length, starred.artist.length],
    [ids.song.length, ids.album.length, ids.artist.length],
  )
  await pia.ask('unstar', { id: all })
})

test("other people's playlists are refused, until they are public, and are never theirs to change", async () => {
  const made = listOf(await pia.ask('createPlaylist', { name: 'Mine', songId: [song('One'), song('Two')] }))
  const { id } = made
  assert.equal(await world.administrator.refused('getPlaylist', { id }), 50)
  assert.equal(await world.administrator.refused('updatePlaylist', { playlistId: id, name: 'x' }), 50)
  assert.equal(await world.administrator.refused('deletePlaylist', { id }), 50)
  await pia.ask('updatePlaylist', { playlistId: id, public: true, songIndexToRemove: [0, 0] })
  const seen = listOf(await world.administrator.ask('getPlaylist', { id }))
  assert.deepEqual(
    seen.entry?.map((entry) => entry.id),
    [song('Two')],
  )
  assert.deepEqual([seen['owner'], seen['public'], seen['readonly']], ['pia', true, true])
  assert.equal(await world.administrator.refused('updatePlaylist', { playlistId: id, name: 'x' }), 50)
  assert.equal(await pia.refused('updatePlaylist', { playlistId: id, songIndexToRemove: 5 }), 10)
  const owned = async (username: string) => JSON.stringify(await pia.ask('getPlaylists', { username }))
  assert.equal(await owned('PIA'), await owned('pia'))
  assert.match(await owned('PIA'), /Mine/)
  assert.equal(await pia.refused('getPlaylists', { username: 'ada' }), 50)
  assert.equal(await pia.refused('getPlaylists', { username: 'nobody' }), 50)
  await pia.ask('deletePlaylist', { id })
  assert.equal(await pia.refused('getPlaylist', { id }), 70)
})

test('the queue is kept by song and by place, and cleared', async () => {
  const [one, two] = [song('One'), song('Two')]
  await pia.ask('savePlayQueueByIndex', { id: [one, two, one], currentIndex: 2, position: 900 })
  const byIndex = z.looseObject({}).parse((await pia.both('getPlayQueueByIndex'))['playQueueByIndex'])
  assert.deepEqual([byIndex['currentIndex'], byIndex['position'], byIndex['changedBy']], [2, 900, 'test'])
  assert.equal(z.looseObject({}).parse((await pia.both('getPlayQueue'))['playQueue'])['current'], one)
  assert.equal(await pia.refused('savePlayQueue', { id: one, current: two }), 10)
  assert.equal(await pia.refused('savePlayQueueByIndex', { id: one }), 10)
  assert.equal(await pia.refused('savePlayQueueByIndex', { id: one, currentIndex: 1 }), 10)
  // Songs that are gone, and such as lie on the phone only, are left out; the one behind goes on from its beginning.
  const gone = '11111111-1111-4111-8111-111111111111'
  await pia.ask('savePlayQueue', { id: [gone, one, '/sdcard/x.mp3', two], current: two, position: 900.25 })
  const queue = z.looseObject({ entry: z.array(z.looseObject({ id: z.string() })) })
  const rest = queue.parse((await pia.both('getPlayQueue'))['playQueue'])
  assert.deepEqual(
    [rest.entry.map(({ id }) => id), rest['current'], rest['position']],
    [[one, two], two, 900],
  )
  await pia.ask('savePlayQueueByIndex', { id: [one, gone, two], currentIndex: 1, position: 900 })
  const next = queue.parse((await pia.both('getPlayQueueByIndex'))['playQueueByIndex'])
  assert.deepEqual([next.entry.length, next['currentIndex'], next['position']], [2, 1, 0])
  assert.equal(await pia.refused('savePlayQueue', { id: [gone, gone] }), 70)
  // Many apps send all of it as one address.
  await pia.ask('savePlayQueue', { id: Array.from({ length: 5_000 }, () => one), current: one })
  assert.equal(queue.parse((await pia.ask('getPlayQueue'))['playQueue']).entry.length, 5_000)
  await pia.ask('savePlayQueue')
  assert.deepEqual(z.looseObject({}).parse((await pia.ask('getPlayQueue'))['playQueue'])['entry'], [])
})

test('[S2] only administrators manage users, and a secret changes no password of its own account', async () => {
  const { administrator } = world
  const attempts: [string, Record<string, string>][] = [
    ['getUsers', {}],
    ['getUser', { username: 'ada' }],
    ['getUser', { username: 'nobody' }],
    ['createUser', { username: 'x', password: 'long enough' }],
    ['updateUser', { username: 'pia', adminRole: 'true' }],
    ['deleteUser', { username: 'ada' }],
    ['changePassword', { username: 'pia', password: 'long enough' }],
    ['startScan', {}],
  ]
  for (const [endpoint, query] of attempts) assert.equal(await pia.refused(endpoint, query), 50, endpoint)
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
  const read = async (client = pia) => shape.parse((await client.both('getBookmarks'))['bookmarks']).bookmark
  await pia.ask('createBookmark', { id: song('Two'), position: 1_000, comment: 'Once' })
  await pia.ask('createBookmark', { id: song('Two'), position: 2_000, comment: 'Twice' })
  const [kept, ...others] = await read()
  assert.deepEqual(
    [kept?.position, kept?.comment, kept?.entry.id, others.length],
    [2_000, 'Twice', song('Two'), 0],
  )
  assert.deepEqual(await read(world.administrator), [])
  const placed = z.looseObject({ title: z.string(), bookmarkPosition: z.int().optional() })
  const songs = z.object({ song: z.array(placed) })
  const placesIn = async (client = pia) =>
    songs
      .parse((await client.both('search3', { query: '', songCount: 500 }))['searchResult3'])
      .song.flatMap(({ title, bookmarkPosition }) =>
        bookmarkPosition === undefined ? [] : { title, bookmarkPosition },
      )
  assert.deepEqual(await placesIn(), [{ title: 'Two', bookmarkPosition: 2_000 }])
  assert.deepEqual(await placesIn(world.administrator), [])
  const alone = placed.parse((await pia.both('getSong', { id: song('Two') }))['song'])
  assert.equal(alone.bookmarkPosition, 2_000)
  await pia.ask('deleteBookmark', { id: song('Two') })
  assert.deepEqual(await read(), [])
  assert.deepEqual(await placesIn(), [])
  assert.equal(await pia.refused('deleteBookmark', { id: song('Two') }), 70)
})

test('administrators keep radio stations for everyone', async () => {
  const shape = z.object({ internetRadioStation: z.array(z.object({ id: z.string(), name: z.string() })) })
  const read = async () =>
    shape.parse((await pia.both('getInternetRadioStations'))['internetRadioStations']).internetRadioStation
  const made = { name: 'Waves', streamUrl: 'https://radio.example/waves' }
  assert.equal(await pia.refused('createInternetRadioStation', made), 50)
  assert.equal(
    await world.administrator.refused('createInternetRadioStation', {
      ...made,
      streamUrl: 'javascript:alert(1)',
    }),
    10,
  )
  const others = await read()
  await world.administrator.ask('createInternetRadioStation', made)
  const id = (await read()).find(({ name }) => name === 'Waves')?.id ?? ''
  await world.administrator.ask('updateInternetRadioStation', { ...made, id, name: 'Tides' })
  const byName = [...others, { id, name: 'Tides' }].sort((one, other) => (one.name < other.name ? -1 : 1))
  assert.deepEqual(await read(), byName)
  assert.equal(await pia.refused('deleteInternetRadioStation', { id }), 50)
  await world.administrator.ask('deleteInternetRadioStation', { id })
  assert.deepEqual(await read(), others)
})

test('what one says in the chat, everyone hears, from a time on', async () => {
  const shape = z.object({
    chatMessage: z.array(z.object({ username: z.string(), message: z.string(), time: z.int() })),
  })
  const read = async (since: number) =>
    shape.parse((await world.administrator.both('getChatMessages', { since }))['chatMessages']).chatMessage
  const before = (await read(0)).at(-1)?.time ?? 0
  await pia.ask('addChatMessage', { message: 'Hello & welcome' })
  const [first, ...others] = await read(before)
  assert.deepEqual([first?.username, first?.message, others], ['pia', 'Hello & welcome', []])
  assert.deepEqual(await read(first?.time ?? 0), [])
  assert.equal(await pia.refused('addChatMessage', { message: '' }), 10)
  assert.equal(await pia.refused('addChatMessage', { message: 'x'.repeat(2_001) }), 10)
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
  const read = async (client = pia) => shape.parse((await client.both('getShares'))['shares']).share
  await pia.ask('createShare', { id: [song('One'), song('Two')], description: 'Both' })
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
  await pia.ask('updateShare', { id: made.id, expires: 1 })
  assert.equal((await open()).status, 410)
  await pia.ask('deleteShare', { id: made.id })
  assert.equal((await open()).status, 404)
  assert.deepEqual(await read(), [])
})
