import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Query } from './client.ts'
import { everything } from './requests.ts'
import { world } from './shared.ts'
import { parseXml } from './xml.ts'

const items = z.array(z.looseObject({ id: z.string() }))
const list =
  (endpoint: string, of: string, item: string) => async (query: Record<string, string | number>) => {
    const answer = await world.guest.ask(endpoint, query)
    return items.parse(z.looseObject({}).parse(answer[of])[item] ?? [])
  }
const albums = list('getAlbumList2', 'albumList2', 'album')
const songs = list('search3', 'searchResult3', 'song')
const idOf = async (title: string) => (await songs({ query: title }))[0]?.id ?? ''

test('a song says all that its tags say', async () => {
  const { song } = await world.guest.both('getSong', { id: await idOf('One') })
  const { id, parent, created, size, bitRate, artists, albumArtists, contributors, artistId, ...rest } = z
    .looseObject({})
    .parse(song)
  assert.ok(id && parent && created && size && artists && albumArtists && artistId && bitRate !== undefined)
  const credits = z
    .array(z.object({ role: z.string(), artist: z.object({ name: z.string() }) }))
    .parse(contributors)
  assert.deepEqual(
    credits.map(({ role, artist }) => `${role} ${artist.name}`),
    ['composer Cem', 'composer Dia', 'conductor Edo'],
  )
  assert.deepEqual(rest, {
    isDir: false,
    title: 'One & only',
    album: 'First',
    artist: 'The Ana & "Bob" <Band>',
    track: 1,
    year: 1998,
    genre: 'Rock',
    coverArt: parent,
    contentType: 'audio/flac',
    suffix: 'flac',
    duration: 1,
    path: 'Ana/First/01.flac',
    isVideo: false,
    discNumber: 1,
    albumId: parent,
    type: 'music',
    mediaType: 'song',
    playCount: 0,
    bitDepth: 16,
    samplingRate: 22_050,
    channelCount: 1,
    bpm: 120,
    comment: 'A comment\nof two lines',
    sortName: 'One & only',
    genres: [{ name: 'Rock' }],
    displayArtist: 'The Ana & "Bob" <Band>',
    displayAlbumArtist: 'The Ana',
    displayComposer: 'Cem, Dia',
    explicitStatus: 'explicit',
    replayGain: { trackGain: -6.5, trackPeak: 0.98 },
    musicBrainzId: 'b1a9c0de-0000-4000-8000-000000000001',
    isrc: ['USRC17607839'],
    moods: ['Calm', 'Happy'],
    works: [{ name: 'Opus 1' }],
    movements: [{ name: 'Allegro', number: 2, count: 4 }],
    groupings: ['Evening'],
  })
})

test('a song in a list says as much as it does alone, and what everyone together thinks of it', async () => {
  const id = await idOf('One')
  await world.guest.ask('setRating', { id, rating: 2 })
  await world.administrator.ask('setRating', { id, rating: 5 })
  const { song } = await world.guest.ask('getSong', { id })
  assert.equal(z.looseObject({}).parse(song)['averageRating'], 3.5)
  const [listed] = await songs({ query: 'One' })
  assert.deepEqual(listed, song)
  assert.deepEqual(
    (await songs({ query: '' })).find((each) => each.id === id),
    song,
  )
  for (const client of [world.guest, world.administrator]) await client.ask('setRating', { id, rating: 0 })
})

test('an album says all that its songs say of it', async () => {
  const [found] = await albums({ type: 'byYear', fromYear: 1998, toYear: 1999 })
  const { album } = await world.guest.both('getAlbum', { id: found?.id ?? '' })
  const { song, ...rest } = z.looseObject({ song: items }).parse(album)
  assert.equal(song.length, 2)
  const { releaseTypes, moods, discTitles, recordLabels, originalReleaseDate, releaseDate, musicBrainzId } =
    rest
  assert.deepEqual(
    { releaseTypes, moods, discTitles, recordLabels, originalReleaseDate, releaseDate, musicBrainzId },
    {
      releaseTypes: ['album', 'live'],
      moods: ['Calm', 'Happy'],
      discTitles: [{ disc: 1, title: 'The first disc' }],
      recordLabels: [{ name: 'Labels & Co' }],
      originalReleaseDate: { year: 1998, month: 5, day: 6 },
      releaseDate: { year: 1999, month: 7 },
      musicBrainzId: 'b1a9c0de-0000-4000-8000-000000000002',
    },
  )
})

test('clients of older versions find nothing but songs in the XML of an album', async () => {
  const [found] = await albums({ type: 'byYear', fromYear: 1998, toYear: 1999 })
  const childrenFor = async (v: string) => {
    const answer = await world.guest.fetch('getAlbum', { id: found?.id ?? '', v })
    const [album] = parseXml(await answer.text()).children
    return album?.children.map(({ name }) => name)
  }
  assert.deepEqual(await childrenFor('1.8.0'), ['song', 'song'])
  assert.deepEqual(await childrenFor('1.15.0'), ['song', 'song'])
  const whole = await childrenFor('1.16.1')
  assert.ok(whole?.includes('releaseTypes'))
})

test('the whole library is read page by page, with either empty query', async () => {
  for (const query of ['', '""']) {
    const whole = await songs({ query, songCount: 500 })
    assert.equal(whole.length, 4)
    const pages = []
    for (let songOffset = 0; songOffset < 6; songOffset += 2) {
      pages.push(...(await songs({ query, songCount: 2, songOffset })))
    }
    assert.deepEqual(
      pages.map(({ id }) => id),
      whole.map(({ id }) => id),
    )
  }
  assert.deepEqual(await songs({ query: '', songCount: 500, songOffset: 1_000_000_000 }), [])
})

test('ids are letters, digits and dashes', async () => {
  const { artist, album, song } = await everything(world.guest)
  for (const { id } of [...artist, ...album, ...song]) assert.match(id, /^[A-Za-z0-9-]+$/)
})

test('lists of albums are in the order asked for, and paged without repeats', async () => {
  const names = async (query: Record<string, string | number>) =>
    (await albums(query)).map(({ name }) => name)
  assert.deepEqual(await names({ type: 'byYear', fromYear: 1990, toYear: 2010 }), ['First', 'Second'])
  assert.deepEqual(await names({ type: 'byYear', fromYear: 2010, toYear: 1990 }), ['Second', 'First'])
  assert.deepEqual(await names({ type: 'byGenre', genre: 'rock' }), ['First', 'Second'])
  assert.deepEqual(await names({ type: 'alphabeticalByName' }), ['First', 'Second', 'Third'])
  const random = []
  for (const offset of [0, 1, 2]) random.push(...(await names({ type: 'random', size: 1, offset })))
  assert.deepEqual(random.sort(), ['First', 'Second', 'Third'])
  assert.deepEqual(await names({ type: 'newest', size: 0 }), [])
  assert.equal((await names({ type: 'newest', size: '99999999999999999999' })).length, 3)
})

test('articles are ignored, and who has seen the index gets nothing new', async () => {
  const shape = z.object({
    ignoredArticles: z.string(),
    lastModified: z.int(),
    index: z.array(z.object({ name: z.string(), artist: z.array(z.object({ name: z.string() })) })),
  })
  const read = async (ifModifiedSince: number) =>
    shape.parse((await world.guest.ask('getIndexes', { ifModifiedSince }))['indexes'])
  const { ignoredArticles, lastModified, index } = await read(0)
  assert.match(ignoredArticles, /\bThe\b/)
  assert.ok(Math.abs(Date.now() - lastModified) < 60_000)
  assert.deepEqual(
    index.map(({ name, artist }) => [name, ...artist.map((each) => each.name)]),
    [
      ['A', 'The Ana'],
      ['D', 'Dan'],
      ['E', 'Élise'],
    ],
  )
  assert.deepEqual((await read(lastModified)).index, [])
  assert.equal((await read(lastModified - 1)).index.length, 3)
})

test('[S3] a library that is not for everyone is nowhere to be found', async () => {
  const { administrator, guest } = world
  const secret = (await everything(administrator)).song.find(({ title }) => title === 'Secret')?.id ?? ''
  assert.ok(secret)
  for (const endpoint of ['getSong', 'stream', 'getCoverArt', 'star', 'getMusicDirectory']) {
    assert.equal(await guest.refused(endpoint, { id: secret }), 70, endpoint)
  }
  assert.equal(await guest.refused('savePlayQueue', { id: secret }), 70)
  assert.equal(await guest.refused('createPlaylist', { name: 'x', songId: secret }), 70)
  for (const endpoint of ['getMusicFolders', 'getGenres', 'getArtists', 'search3']) {
    assert.doesNotMatch(
      JSON.stringify(await guest.ask(endpoint, { query: 'Secret' })),
      /Secret|Eve|Vault|Secrecy/,
    )
  }
})

test('what nobody has tagged has a name, in lists and in folders', async () => {
  const { administrator } = world
  const { song, album } = await everything(administrator)
  const { id = '', parent = '' } = song.find(({ title }) => title === 'untagged') ?? {}
  const said = z.looseObject({}).parse((await administrator.both('getSong', { id }))['song'])
  const names = ['album', 'artist', 'displayArtist', 'displayAlbumArtist'].map((name) => said[name])
  assert.deepEqual(names, ['Unknown album', 'Unknown artist', 'Unknown artist', 'Unknown artist'])
  assert.equal(album.find((each) => each.id === parent)?.name, 'Unknown album')
  const directory = JSON.stringify(await administrator.both('getMusicDirectory', { id: parent }))
  assert.match(directory, /"name":"Unknown album"/)
})

test('what names no artist is found below one who stands for nobody, by artists and by folders', async () => {
  const { administrator, guest } = world
  const named = z.object({ id: z.string(), name: z.string() })
  const lists = z.object({ index: z.array(z.object({ name: z.string(), artist: z.array(named) })) })
  const child = z.looseObject({ id: z.string(), title: z.string() })
  const directory = z.object({ id: z.string(), name: z.string(), child: z.array(child) })
  const childrenOf = async (id: string) =>
    directory.parse((await administrator.both('getMusicDirectory', { id }))['directory']).child
  const unknown = async (endpoint: string, of: string, client = administrator) =>
    lists
      .parse((await client.both(endpoint))[of])
      .index.flatMap(({ name, artist }) => artist.map((each) => [name, each.name, each.id] as const))
      .filter(([, name]) => name === 'Unknown artist')
  const [[heading, , id] = ['', '', '']] = await unknown('getArtists', 'artists')
  assert.equal(heading, '#')
  assert.deepEqual(await unknown('getIndexes', 'indexes'), [['#', 'Unknown artist', id]])
  const artist = z
    .looseObject({ name: z.string(), albumCount: z.int(), album: z.array(named) })
    .parse((await administrator.both('getArtist', { id }))['artist'])
  assert.deepEqual(
    [artist.name, artist.albumCount, artist.album.map(({ name }) => name)],
    ['Unknown artist', 1, ['Unknown album']],
  )
  const [album] = await childrenOf(id)
  assert.deepEqual([album?.title, album?.['parent'], album?.['artistId']], ['Unknown album', id, id])
  const [song] = await childrenOf(album?.id ?? '')
  assert.deepEqual([song?.title, song?.['artistId']], ['untagged', id])
  const { musicFolder } = z
    .object({ musicFolder: z.array(z.object({ id: z.int(), name: z.string() })) })
    .parse((await administrator.ask('getMusicFolders'))['musicFolders'])
  for (const folder of musicFolder) {
    const isThere = (await childrenOf(String(folder.id))).some((each) => each.id === id)
    assert.equal(isThere, folder.name === 'Vault', folder.name)
  }
  const whole = (await everything(administrator)).artist
  assert.deepEqual(whole[0], { id, name: 'Unknown artist' })
  const walked = []
  for (let artistOffset = 0; artistOffset <= whole.length; artistOffset++) {
    const answer = await administrator.both('search3', { query: '', artistCount: 1, artistOffset })
    walked.push(...z.object({ artist: z.array(named) }).parse(answer['searchResult3']).artist)
  }
  assert.deepEqual(walked, whole)
  for (const endpoint of ['getCoverArt', 'getArtistInfo2', 'getSimilarSongs2', 'getTopSongs']) {
    const response = await administrator.fetch(endpoint, { id, f: 'json' })
    assert.doesNotMatch(await response.text(), /"status":"failed"/, endpoint)
  }
  // Who sees no album of nobody meets nobody.
  assert.deepEqual(await unknown('getArtists', 'artists', guest), [])
  assert.equal(await guest.refused('getArtist', { id }), 70)
})

test('a music folder narrows what is shown', async () => {
  const folders = z
    .object({ musicFolder: z.array(z.object({ id: z.int(), name: z.string() })) })
    .parse((await world.administrator.ask('getMusicFolders'))['musicFolders']).musicFolder
  const vault = folders.find(({ name }) => name === 'Vault')?.id ?? 0
  const answer = await world.administrator.both('getAlbumList2', { type: 'newest', musicFolderId: vault })
  assert.match(JSON.stringify(answer), /Hidden/)
  assert.doesNotMatch(JSON.stringify(answer), /First/)
  assert.match(JSON.stringify(await world.administrator.both('getMusicDirectory', { id: vault })), /Eve/)
  assert.equal(await world.guest.refused('getIndexes', { musicFolderId: vault }), 70)
  const music = folders.find(({ name }) => name !== 'Vault')?.id ?? 0
  const all: [string, Query][] = [
    ['getAlbumList2', { type: 'newest' }],
    ['search3', { query: '' }],
    ['search3', { query: 'e' }],
    ['getIndexes', {}],
    ['getArtists', {}],
    ['getGenres', {}],
    ['getStarred2', {}],
  ]
  for (const [endpoint, query] of all) {
    const of = async (...musicFolderId: (string | number)[]) =>
      JSON.stringify(await world.administrator.ask(endpoint, { ...query, musicFolderId }))
    const whole = await of()
    assert.equal(await of(vault, music), whole, endpoint)
    assert.equal(await of(vault, vault, ''), await of(vault), endpoint)
    if (endpoint !== 'getStarred2') assert.notEqual(await of(music), whole, endpoint)
  }
  assert.equal(await world.guest.refused('search3', { query: '', musicFolderId: [music, vault] }), 70)
})

test('parameters that cannot be are named', async () => {
  const wrong: [string, Record<string, string | number>, string][] = [
    ['getAlbumList2', { type: 'nonsense' }, 'type'],
    ['getAlbumList2', { type: 'byYear', fromYear: 1 }, 'toYear'],
    ['getAlbumList2', { type: 'byGenre' }, 'genre'],
    ['getAlbumList2', { type: 'newest', size: -1 }, 'size'],
    ['getAlbumList2', { type: 'newest', offset: 'x' }, 'offset'],
    ['getSong', {}, 'id'],
    ['setRating', { id: await idOf('One'), rating: 6 }, 'rating'],
    ['search3', { query: 'x', songCount: '1e3' }, 'songCount'],
    ['star', {}, 'id'],
    ['createPlaylist', {}, 'name'],
  ]
  for (const [endpoint, query, name] of wrong) {
    const response = await world.guest.fetch(endpoint, { ...query, f: 'json' })
    const text = await response.text()
    assert.match(text, /"code":10/, endpoint)
    assert.match(text, new RegExp(`'${name}'`), endpoint)
  }
})
