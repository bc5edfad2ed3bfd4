import assert from 'node:assert/strict'
import { rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { makePicture } from '../../../../test/fixtures/picture.ts'
import { waitFor } from '../../../../test/harness/wait.ts'
import type { Query } from './client.ts'
import { everything } from './requests.ts'
import { world } from './shared.ts'

const status = z.object({ phase: z.string(), finishedAt: z.number().optional() })
const items = z.array(
  z.looseObject({ id: z.string(), name: z.string().optional(), title: z.string().optional() }),
)
type Items = z.infer<typeof items>

async function rescan(): Promise<void> {
  await world.edge.administrator.post('/api/scan', {})
  await waitFor(
    async () => {
      const { phase, finishedAt } = status.parse((await world.edge.administrator.get('/api/scan')).body)
      return (phase === 'idle' || phase === 'hashing') && finishedAt !== undefined
    },
    { what: 'the scan to end' },
  )
}

/** A walk through a list, one item a page, which goes on where it stood. */
function openWalk(endpoint: string, kind: string, size: string, offset: string, query: Query) {
  const seen: string[] = []
  return {
    what: `${endpoint} ${kind} ${JSON.stringify(query)}`,
    seen,
    async step(): Promise<boolean> {
      const answer = await world.guest.ask(endpoint, { ...query, [size]: 1, [offset]: seen.length })
      const list = z.record(z.string(), z.unknown()).parse(Object.values(answer).at(-1))
      const found: Items = items.parse(list[kind] ?? [])
      seen.push(...found.map(({ id }) => id))
      return found.length > 0
    },
  }
}

test('who walks through a list while a scan adds and takes away meets everything that stays exactly once', async () => {
  const none = { query: '', artistCount: 0, albumCount: 0, songCount: 0 }
  const albums = (query: Query) => openWalk('getAlbumList2', 'album', 'size', 'offset', query)
  const walks = [
    openWalk('search3', 'song', 'songCount', 'songOffset', none),
    openWalk('search3', 'album', 'albumCount', 'albumOffset', none),
    openWalk('search3', 'artist', 'artistCount', 'artistOffset', none),
    openWalk('getSongsByGenre', 'song', 'count', 'offset', { genre: 'Rock' }),
    ...['newest', 'alphabeticalByName', 'alphabeticalByArtist', 'random'].map((type) => albums({ type })),
    albums({ type: 'byYear', fromYear: 1900, toYear: 2100 }),
    albums({ type: 'byYear', fromYear: 2100, toYear: 1900 }),
    albums({ type: 'byGenre', genre: 'Rock' }),
  ]
  for (const walk of walks) {
    await walk.step()
    await walk.step()
  }
  const before = await everything(world.guest)
  const old = new Set([...before.song, ...before.album, ...before.artist].map(({ id }) => id))
  const { lastModified } = z
    .looseObject({ lastModified: z.int() })
    .parse((await world.guest.ask('getArtists'))['artists'])
  // Before and behind everything else, in each of the orders.
  for (const [name, year] of [
    ['Aaa', 1901],
    ['Zzz', 2099],
  ] as const) {
    const song = { title: name, artist: name, album: name, genre: 'Rock', year }
    await world.music.add(`${name}/01.mp3`, song)
    await world.music.add(`${name}/02.mp3`, { ...song, title: `${name} 2`, artist: `${name} 2` })
  }
  await rescan()
  const after = await everything(world.guest)
  assert.equal(after.song.length, before.song.length + 4)
  assert.deepEqual(
    after.artist.slice(0, before.artist.length),
    before.artist,
    'what is new is behind the old',
  )
  for (const walk of walks) {
    for (let more = true; more; ) more = await walk.step()
    assert.equal(new Set(walk.seen).size, walk.seen.length, `${walk.what}: twice`)
  }
  const [songs, ofAlbums, artists, rock, ...lists] = walks.map(({ seen }) => seen.filter((id) => old.has(id)))
  assert.equal(songs?.length, before.song.length)
  assert.equal(ofAlbums?.length, before.album.length)
  assert.equal(artists?.length, before.artist.length)
  assert.equal(rock?.length, 3)
  assert.deepEqual(
    lists.map((list) => list.length),
    [3, 3, 3, 3, 2, 2, 2],
  )
  const changed = await world.guest.ask('getIndexes', { ifModifiedSince: lastModified })
  assert.match(JSON.stringify(changed), /Various Artists/)
})

test('ids stay when files are read again, moved and tagged anew', async () => {
  const before = (await everything(world.guest)).song.find(({ title }) => title === 'Zzz')
  assert.ok(before)
  const path = await world.music.add('Zzz/01.mp3', {
    title: 'Zzz, anew',
    artist: 'Zzz',
    album: 'Zzz',
    genre: 'Rock',
    year: 2099,
  })
  await rescan()
  await rename(path, join(world.music.path, 'Zzz/moved.mp3'))
  await rescan()
  const found = (await everything(world.guest)).song.find(({ id }) => id === before.id)
  assert.deepEqual([found?.title, found?.parent], ['Zzz, anew', before.parent])
})

test('the id of a cover changes with the picture, and every id that it has had shows the one of now', async () => {
  const { guest, music } = world
  const album = (await everything(guest)).album.find(({ name }) => name === 'Second')?.id ?? ''
  const covered = z.looseObject({
    coverArt: z.string(),
    song: z.array(z.looseObject({ coverArt: z.string() })),
  })
  const coverOf = async () => {
    const { coverArt, song } = covered.parse((await guest.both('getAlbum', { id: album }))['album'])
    assert.deepEqual(
      song.map((each) => each.coverArt),
      song.map(() => coverArt),
    )
    assert.match(coverArt, /^[A-Za-z0-9-]+$/)
    return coverArt
  }
  const put = async (pattern: string, at: string) => {
    await music.write('Dan/Second/cover.png', await makePicture(pattern))
    await utimes(join(music.path, 'Dan/Second/cover.png'), new Date(at), new Date(at))
    await rescan()
    return coverOf()
  }
  const ids = [await coverOf(), await put('testsrc', '2024-01-01'), await put('smptebars', '2024-02-01')]
  assert.equal(ids[0], album)
  assert.equal(new Set(ids).size, 3)
  const keeps = async (id: string) => {
    const response = await guest.fetch('getCoverArt', { id, size: 100 })
    await response.body?.cancel()
    return /immutable/.test(response.headers.get('cache-control') ?? '')
  }
  assert.deepEqual(await Promise.all(ids.map(keeps)), [false, false, true], 'the one of now is kept for ever')
  const pictures = []
  for (const id of [...ids, `al-${album}`, `${album}-made-up`]) {
    const response = await guest.fetch('getCoverArt', { id, f: 'json' })
    pictures.push(Buffer.from(await response.arrayBuffer()).toString('hex'))
  }
  assert.equal(new Set(pictures).size, 1)
  const made = z.looseObject({ id: z.string(), coverArt: z.string() })
  const [song] = (await everything(guest)).song
  const playlist = made.parse(
    (await guest.ask('createPlaylist', { name: 'x', songId: song?.id ?? '' }))['playlist'],
  )
  await guest.ask('updatePlaylist', { playlistId: playlist.id, songIdToAdd: song?.id ?? '' })
  const changed = made.parse((await guest.ask('getPlaylist', { id: playlist.id }))['playlist'])
  assert.notEqual(changed.coverArt, playlist.coverArt)
  for (const { coverArt } of [playlist, changed]) {
    assert.match(
      (await guest.fetch('getCoverArt', { id: coverArt })).headers.get('content-type') ?? '',
      /^image/,
    )
  }
})
