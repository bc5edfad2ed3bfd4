import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Ground } from '../../test/fixtures/ground.ts'
import { albumOf, anna, ben, openListeningGround, openTestListening } from '../../test/fixtures/listening.ts'
import { playlistInput } from '../protocol/api/listening.ts'
import type { Rule, Rules } from '../protocol/facts/listening.ts'
import { join } from '../store/collection.ts'
import { messages } from './facts.ts'

const titles = (items: readonly ({ title: string } | null)[]) => items.map((item) => item?.title ?? null)
const plain = (name: string, tracks: string[] = []) => playlistInput.parse({ name, tracks })

let ground: Ground
before(async () => {
  ground = await openListeningGround()
})
after(() => ground[Symbol.asyncDispose]())

test('a star, a rating and what takes them away', async () => {
  await using it = await openTestListening(ground)
  const sun = it.track('Sun')
  const { value, revision } = await it.listening.mark(anna, 'track', sun, { starred: true, rating: 4 })
  assert.equal(value.rating, 4)
  assert.ok(value.starredAt)
  await it.index.waitFor(revision)
  assert.equal((await it.catalog.track(anna, sun)).mark.rating, 4)
  assert.equal((await it.catalog.track(ben, sun)).mark.rating, undefined)
  const again = await it.listening.mark(anna, 'track', sun, { starred: true })
  assert.equal(again.value.starredAt, value.starredAt)
  const none = await it.listening.mark(anna, 'track', sun, { starred: false, rating: null })
  assert.deepEqual(none.value, { playCount: 0 })
  assert.equal((await it.store.list('listening/marks/')).entries.length, 0)
})

test('a play counts for the track, its album and its artists, once however often it is reported', async () => {
  await using it = await openTestListening(ground)
  const dark = it.track('Dark')
  const play = randomUUID()
  await Promise.all([1, 2, 3].map(() => it.listening.play(anna, { play, track: dark, at: 5 })))
  const { value } = await it.listening.play(anna, { play: randomUUID(), track: dark, at: Date.now() + 1e9 })
  assert.equal(value.playCount, 2)
  assert.ok((value.playedAt ?? 0) <= Date.now())
  await it.caughtUp()
  const track = await it.catalog.track(anna, dark)
  assert.equal(track.mark.playCount, 2)
  assert.equal((await it.catalog.album(anna, track.album.id)).mark.playCount, 2)
  for (const artist of track.artists)
    assert.equal((await it.catalog.artist(anna, artist.id)).mark.playCount, 2)
  const page = await it.catalog.tracks(anna, { order: 'played', limit: 10 })
  assert.deepEqual(titles(page.items), ['Dark'])
})

test('[F2] no play and no star is lost when many come at once', async () => {
  await using it = await openTestListening(ground)
  const [sun, moon] = [it.track('Star'), it.track('Moon')]
  await Promise.all([
    ...Array.from({ length: 6 }, () => it.listening.play(anna, { play: randomUUID(), track: sun })),
    ...Array.from({ length: 6 }, () => it.listening.play(anna, { play: randomUUID(), track: moon })),
    it.listening.mark(anna, 'track', sun, { starred: true }),
    it.listening.mark(anna, 'track', sun, { rating: 3 }),
  ])
  await it.caughtUp()
  const { mark, album } = await it.catalog.track(anna, sun)
  assert.deepEqual([mark.playCount, mark.rating, mark.starredAt !== undefined], [6, 3, true])
  assert.equal((await it.catalog.album(anna, album.id)).mark.playCount, 12)
})

test('nobody marks or plays what they cannot see', async () => {
  await using it = await openTestListening(ground)
  const whisper = it.track('Whisper')
  await assert.rejects(it.listening.mark(anna, 'track', whisper, { starred: true }), { code: 'NOT_FOUND' })
  await assert.rejects(it.listening.play(anna, { play: randomUUID(), track: whisper }), { code: 'NOT_FOUND' })
  await assert.rejects(it.listening.mark(anna, 'album', randomUUID(), { rating: 1 }), { code: 'NOT_FOUND' })
  await it.listening.mark(ben, 'track', whisper, { starred: true })
})

test('a queue is the same on every device, and says who changed it', async () => {
  await using it = await openTestListening(ground)
  assert.deepEqual(await it.listening.queue(anna), {
    tracks: [],
    items: [],
    positionMs: 0,
    changedAt: 0,
    changedBy: '',
  })
  const tracks = [it.track('Sun'), it.track('Whisper'), it.track('Moon')]
  const saved = await it.listening.saveQueue(anna, { tracks, current: 2, positionMs: 1_500 }, 'Kitchen')
  assert.deepEqual(titles(saved.value.items), ['Sun', null, 'Moon'])
  const { changedAt, changedBy, current, positionMs } = await it.listening.queue(anna)
  assert.deepEqual([changedBy, current, positionMs], ['Kitchen', 2, 1_500])
  await it.listening.saveQueue(anna, { tracks, current: 0, positionMs: 0, basedOn: changedAt }, 'Car')
  await assert.rejects(
    it.listening.saveQueue(anna, { tracks: [], positionMs: 0, basedOn: changedAt }, 'Kitchen'),
    { code: 'CONFLICT' },
  )
  await assert.rejects(it.listening.saveQueue(anna, { tracks, current: 3, positionMs: 0 }, 'Car'), {
    code: 'BAD_REQUEST',
  })
  assert.equal((await it.listening.queue(ben)).tracks.length, 0)
})

test('a playlist: made, filled, put in order, renamed, shared, deleted', async () => {
  await using it = await openTestListening(ground)
  const [sun, moon, star] = [it.track('Star'), it.track('Moon'), it.track('Dark')]
  const { value: made } = await it.listening.createPlaylist(anna, plain('Mine', [sun, moon]))
  const change = (edits: NonNullable<Parameters<typeof it.listening.changePlaylist>[2]['edits']>) =>
    it.listening.changePlaylist(anna, made.id, { edits })
  assert.deepEqual(
    [made.trackCount, made.durationMs, made.ownerName, made.editable],
    [2, 360_000, 'anna', true],
  )
  await change([
    { do: 'append', tracks: [star, sun] },
    { do: 'move', from: 3, to: 0 },
  ])
  const moved = await change([
    { do: 'insert', at: 1, tracks: [star] },
    { do: 'remove', positions: [0, 4] },
  ])
  assert.deepEqual(titles(moved.value.items), ['Dark', 'Star', 'Moon'])
  await assert.rejects(
    change([
      { do: 'append', tracks: [sun] },
      { do: 'remove', positions: [9] },
    ]),
    { code: 'BAD_REQUEST' },
  )
  await assert.rejects(change([{ do: 'append', tracks: [it.track('Whisper')] }]), { code: 'NOT_FOUND' })
  await assert.rejects(
    change(Array.from({ length: 100 }, () => ({ do: 'append', tracks: Array(300).fill(sun) }))),
    { code: 'TOO_LARGE' },
  )
  const named = await it.listening.changePlaylist(anna, made.id, { name: 'Ours', comment: 'a note' })
  assert.deepEqual([named.value.name, named.value.comment, named.value.items.length], ['Ours', 'a note', 3])
  const bare = await it.listening.changePlaylist(anna, made.id, { comment: null })
  assert.equal(bare.value.comment, undefined)
  await it.listening.removePlaylist(anna, made.id)
  await it.caughtUp()
  assert.deepEqual(await it.listening.playlists(anna), [])
  await assert.rejects(it.listening.playlist(anna, made.id), { code: 'NOT_FOUND' })
})

test('others do not learn that a playlist exists, read it when it is shared, and never change it', async () => {
  await using it = await openTestListening(ground)
  const { value: made } = await it.listening.createPlaylist(
    ben,
    plain('Private', [it.track('Sun'), it.track('Whisper')]),
  )
  const as = {
    read: () => it.listening.playlist(anna, made.id),
    change: () => it.listening.changePlaylist(anna, made.id, { name: 'Stolen' }),
    remove: () => it.listening.removePlaylist(anna, made.id),
    export: () => it.listening.exportPlaylist(anna, made.id),
  }
  for (const attempt of Object.values(as)) await assert.rejects(attempt(), { code: 'NOT_FOUND' })
  await it.caughtUp()
  assert.deepEqual(await it.listening.playlists(anna), [])
  await it.listening.changePlaylist(ben, made.id, { sharedWith: [anna.user, randomUUID()] })
  await it.caughtUp()
  const shared = await as.read()
  assert.deepEqual(titles(shared.items), ['Sun', null])
  assert.deepEqual(
    [shared.editable, shared.ownerName, shared.trackCount, shared.sharedWith],
    [false, 'ben', 1, [anna.user]],
  )
  assert.deepEqual(
    (await it.listening.playlists(anna)).map(({ name }) => name),
    ['Private'],
  )
  await assert.rejects(as.change(), { code: 'FORBIDDEN' })
  await assert.rejects(as.remove(), { code: 'FORBIDDEN' })
  assert.ok(!(await as.export()).text.includes('Whisper'))
  await it.listening.changePlaylist(ben, made.id, { sharedWith: 'everyone' })
  await as.read()
  await it.listening.changePlaylist(ben, made.id, { sharedWith: 'nobody' })
  await assert.rejects(as.read(), { code: 'NOT_FOUND' })
})

test('[F2] tracks that several devices add at once are all there', async () => {
  await using it = await openTestListening(ground)
  const { value: made } = await it.listening.createPlaylist(anna, plain('Busy'))
  const sun = it.track('Sun')
  await Promise.all(
    Array.from({ length: 8 }, () =>
      it.listening.changePlaylist(anna, made.id, { edits: [{ do: 'append', tracks: [sun] }] }),
    ),
  )
  assert.equal((await it.listening.playlist(anna, made.id)).items.length, 8)
})

test('a smart playlist holds what fits its rules', async () => {
  await using it = await openTestListening(ground)
  await it.listening.mark(anna, 'track', it.track('Star'), { starred: true, rating: 5 })
  await it.listening.play(anna, { play: randomUUID(), track: it.track('Moon') })
  await it.caughtUp()
  const found = async (...rules: Rule[]) => {
    const { items, total } = await it.listening.preview(anna, { match: 'all', rules, sort: 'title' })
    assert.equal(items.length, total)
    return titles(items).join(' ')
  }
  const cases: [Rule, string][] = [
    [{ field: 'title', operator: 'is', value: 'SUN' }, 'Sun Sun'],
    [{ field: 'title', operator: 'isNot', value: 'sun' }, 'Dark Moon Star'],
    [{ field: 'title', operator: 'contains', value: 'ar' }, 'Dark Star'],
    [{ field: 'title', operator: 'doesNotContain', value: 'ar' }, 'Moon Sun Sun'],
    [{ field: 'title', operator: 'startsWith', value: 'S' }, 'Star Sun Sun'],
    [{ field: 'title', operator: 'endsWith', value: 'n' }, 'Moon Sun Sun'],
    [{ field: 'title', operator: 'endsWith', value: '' }, 'Dark Moon Star Sun Sun'],
    [{ field: 'title', operator: 'is', value: `' OR 1=1 --` }, ''],
    [{ field: 'artist', operator: 'is', value: 'ann' }, 'Dark Moon Star Sun'],
    [{ field: 'artist', operator: 'isNot', value: 'Ann' }, 'Sun'],
    [{ field: 'albumArtist', operator: 'contains', value: 'bob' }, 'Dark Sun'],
    [{ field: 'album', operator: 'is', value: 'day' }, 'Moon Star Sun'],
    [{ field: 'genre', operator: 'is', value: 'rock' }, 'Moon Sun'],
    [{ field: 'genre', operator: 'isNot', value: 'rock' }, 'Dark Star Sun'],
    [{ field: 'composer', operator: 'startsWith', value: 'cl' }, 'Star'],
    [{ field: 'comment', operator: 'contains', value: 'zoe' }, 'Moon'],
    [{ field: 'path', operator: 'startsWith', value: 'Ann/Day' }, 'Moon Star Sun'],
    [{ field: 'year', operator: 'atLeast', value: 2005 }, 'Dark Star'],
    [{ field: 'year', operator: 'isNot', value: 1999 }, 'Dark Star Sun'],
    [{ field: 'rating', operator: 'atLeast', value: 4 }, 'Star'],
    [{ field: 'rating', operator: 'atMost', value: 4 }, 'Dark Moon Sun Sun'],
    [{ field: 'playCount', operator: 'is', value: 0 }, 'Dark Star Sun Sun'],
    [{ field: 'playCount', operator: 'atLeast', value: 1 }, 'Moon'],
    [{ field: 'durationSeconds', operator: 'is', value: 180 }, 'Dark Moon Star Sun Sun'],
    [{ field: 'bpm', operator: 'is', value: 120 }, 'Sun'],
    [{ field: 'track', operator: 'is', value: 2 }, 'Moon Sun'],
    [{ field: 'addedAt', operator: 'inTheLastDays', value: 10 }, ''],
    [{ field: 'playedAt', operator: 'inTheLastDays', value: 1 }, 'Moon'],
    [{ field: 'playedAt', operator: 'notInTheLastDays', value: 1 }, 'Dark Star Sun Sun'],
    [{ field: 'starredAt', operator: 'inTheLastDays', value: 1 }, 'Star'],
    [{ field: 'starred', operator: 'is', value: true }, 'Star'],
    [{ field: 'starred', operator: 'is', value: false }, 'Dark Moon Sun Sun'],
    [{ field: 'compilation', operator: 'is', value: true }, 'Dark Sun'],
  ]
  for (const [rule, expected] of cases) assert.equal(await found(rule), expected, JSON.stringify(rule))
  const either: Rules = {
    match: 'any',
    rules: [
      { field: 'starred', operator: 'is', value: true },
      { field: 'genre', operator: 'is', value: 'Metal' },
    ],
    sort: 'year',
    descending: true,
  }
  assert.deepEqual(titles((await it.listening.preview(anna, either)).items), ['Dark', 'Star'])
  assert.equal((await it.listening.preview(anna, { ...either, sort: 'random', limit: 1 })).total, 1)
})

test('a smart playlist goes by the marks of its owner and shows what the reader may see', async () => {
  await using it = await openTestListening(ground)
  for (const title of ['Whisper', 'Moon'])
    await it.listening.mark(ben, 'track', it.track(title), { starred: true })
  const rules: Rules = {
    match: 'all',
    rules: [{ field: 'starred', operator: 'is', value: true }],
    sort: 'title',
  }
  const input = playlistInput.parse({ name: 'Loved', rules, sharedWith: 'everyone' })
  await it.caughtUp()
  const { value: made } = await it.listening.createPlaylist(ben, input)
  assert.deepEqual(titles(made.items), ['Moon', 'Whisper'])
  const shared = await it.listening.playlist(anna, made.id)
  assert.deepEqual([titles(shared.items), shared.trackCount], [['Moon'], 1])
  await it.caughtUp()
  assert.deepEqual(
    (await it.listening.playlists(anna)).map(({ trackCount }) => trackCount),
    [1],
  )
  await assert.rejects(
    it.listening.changePlaylist(ben, made.id, { edits: [{ do: 'append', tracks: [it.track('Sun')] }] }),
    { code: 'BAD_REQUEST' },
  )
})

test('a playlist that is exported is the same when it is imported', async () => {
  await using it = await openTestListening(ground)
  await it.put(albumOf('Odd', '#1', ['#hash', 'two\nlines', 'A - B - C']))
  const odd = (await it.catalog.tracks(anna, { order: 'title', limit: 50 })).items.map(({ id }) => id)
  const { value: made } = await it.listening.createPlaylist(anna, plain('My\nlist', odd))
  const { text } = await it.listening.exportPlaylist(anna, made.id)
  assert.ok(text.startsWith('#EXTM3U\n#PLAYLIST:My list\n'))
  const { value } = await it.listening.importPlaylist(anna, '', text)
  assert.deepEqual(value.unmatched, [])
  assert.equal(value.playlist.name, 'My list')
  const copy = await it.listening.playlist(anna, value.playlist.id)
  assert.deepEqual(
    copy.items.map((item) => item?.id),
    odd,
  )
})

test('lines of a foreign file are found by the end of their path, else by title and artist', async () => {
  await using it = await openTestListening(ground)
  const text = [
    '\ufeff#EXTM3U',
    'C:\\Users\\me\\Music\\Ann\\Day\\01 Moon.flac',
    'file:///home/me/Ann/Day/00%20Sun.flac',
    '#EXTINF:180,Bob - Sun',
    '/elsewhere/17.mp3',
    '#EXTINF:180,Ann - Sun',
    '/elsewhere/18.mp3',
    '#EXTINF:180,Nobody - Sun',
    '/elsewhere/19.mp3',
    '#EXTINF:181,Star',
    '/elsewhere/20.mp3',
    '#EXTINF:500,Star',
    '/elsewhere/21.mp3',
    '../../etc/passwd',
    '00 Whisper.flac',
    'Eve/Hidden/00 Whisper.flac',
  ].join('\r\n')
  const { value } = await it.listening.importPlaylist(anna, 'Foreign', text)
  const { items } = await it.listening.playlist(anna, value.playlist.id)
  assert.deepEqual(
    items.map((item) => `${item?.title} ${item?.artist}`),
    ['Moon Ann', 'Sun Ann', 'Sun Bob', 'Sun Ann', 'Star Ann'],
  )
  assert.deepEqual(
    value.unmatched.map(({ line }) => line),
    [9, 13, 14, 15, 16],
  )
})

test('hostile playlist files end soon', async () => {
  await using it = await openTestListening(ground)
  for (const text of [
    '\0'.repeat(10_000),
    '/'.repeat(8_000),
    '#EXTINF:'.repeat(2_000),
    `${'x'.repeat(9_000)}\n%ff`,
    'file:%',
  ]) {
    await it.listening.importPlaylist(anna, 'x', text)
  }
  await assert.rejects(it.listening.importPlaylist(anna, 'x', 'a\n'.repeat(20_001)), { code: 'TOO_LARGE' })
  await assert.rejects(it.listening.importPlaylist(anna, 'x', 'x'.repeat(9_000_000)), { code: 'TOO_LARGE' })
})

test('of the chat the last thousand messages are kept', async () => {
  await using it = await openTestListening(ground)
  const old = Array.from({ length: 1_010 }, (_, at) => {
    const id = `${String(at).padStart(15, '0')}-${randomUUID()}`
    return messages.create(id, { user: anna.user, text: `${at}`, at: 1 + at })
  })
  for (let at = 0; at < old.length; at += 100) await it.store.commit(join(...old.slice(at, at + 100)))
  await it.listening.say(ben, 'the newest')
  const kept = await it.listening.messages(0)
  assert.deepEqual([kept.length, kept[0]?.text, kept.at(-1)?.text], [1_000, '11', 'the newest'])
})
