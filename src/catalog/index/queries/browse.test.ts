import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { albumOrder, albumQuery, artistQuery, trackQuery } from '../../../protocol/api/catalog.ts'
import { isCoded } from '../../../protocol/errors.ts'
import type { AlbumPart } from '../../../protocol/facts/catalog.ts'
import { derivedId } from '../../../store/derived-id.ts'
import * as ask from '../queries.ts'
import { albumOf, home, libraryFact, openTestIndex, type TestIndex } from '../test-index.ts'

const anna = { user: derivedId('anna'), administrator: false }
const guest = { user: derivedId('guest'), administrator: false }
const chief = { user: derivedId('chief'), administrator: true }

/** Albums named by number, so that what is expected can be said. */
function manyAlbums(count: number, libraryOf = (_at: number) => home): AlbumPart[] {
  return Array.from({ length: count }, (_, at) =>
    albumOf(`Album ${String(at).padStart(4, '0')}`, `Artist ${at % 7}`, [
      {
        title: `Song ${at}`,
        date: String(1950 + (at % 60)),
        addedAt: 1_000 + at,
        genres: [at % 2 ? 'Rock' : 'Jazz'],
        libraries: [libraryOf(at)],
      },
    ]),
  )
}

function walkAlbums(
  index: TestIndex,
  query: Record<string, unknown>,
  between?: (page: number) => void,
): string[] {
  const names: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < 1_000; page++) {
    const found = ask.albums(index.db, anna, albumQuery.parse({ limit: 7, ...query, cursor }))
    names.push(...found.items.map(({ name }) => name))
    cursor = found.next
    if (cursor === undefined) return names
    between?.(page)
  }
  throw new Error('the walk does not end')
}

test('each order walks through all albums once, by cursor and by offset alike', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(...manyAlbums(100))
  for (const order of ['name', 'artist', 'year', 'yearDescending', 'added', 'random'] as const) {
    const names = walkAlbums(index, { order, seed: 3 })
    assert.equal(new Set(names).size, 100, order)
    assert.equal(names.length, 100, order)
    for (const offset of [0, 1, 42, 99]) {
      const { items } = ask.albums(index.db, anna, albumQuery.parse({ order, seed: 3, offset, limit: 3 }))
      assert.deepEqual(
        items.map(({ name }) => name),
        names.slice(offset, offset + 3),
        `${order} from ${offset}`,
      )
    }
  }
  assert.deepEqual(walkAlbums(index, { order: 'name' }), [...walkAlbums(index, { order: 'name' })].sort())
  const added = walkAlbums(index, { order: 'added' })
  assert.equal(added[0], 'Album 0099')
  assert.deepEqual(walkAlbums(index, { order: 'addedAscending' }), added.toReversed())
  const years = ask
    .albums(index.db, anna, albumQuery.parse({ order: 'year', limit: 500 }))
    .items.map(({ year }) => year)
  assert.deepEqual(years, [...years].sort())
})

test('pages at random have each album once, though rows are gone and some are hidden, and say how many there are', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  const secret = derivedId('secret')
  index.putLibrary(libraryFact(secret, [guest.user]))
  const albums = manyAlbums(100, (at) => (at < 80 ? home : secret))
  index.put(...albums)
  for (const { album } of albums.filter((_, at) => at % 3 === 0)) index.take(album)
  for (const [who, expected] of [
    [anna, albums.filter((_, at) => at % 3 !== 0 && at < 80)],
    [guest, albums.filter((_, at) => at % 3 !== 0)],
  ] as const) {
    const names: string[] = []
    for (let offset = 0; offset < expected.length; offset += 10) {
      const page = ask.albums(
        index.db,
        who,
        albumQuery.parse({ order: 'random', seed: 5, offset, limit: 10 }),
      )
      assert.equal(page.total, expected.length)
      assert.equal(page.next === undefined, offset + 10 > expected.length)
      names.push(...page.items.map(({ name }) => name))
    }
    assert.deepEqual(
      names.toSorted(),
      expected.map(({ tracks }) => tracks[0]?.tags.album),
    )
  }
})

/** Thousands of albums take longer to put in than to ask for. Each test that asks for them says first who sees them. */
let thousands: TestIndex
const own = derivedId('own')
before(() => {
  thousands = openTestIndex()
  thousands.put(...manyAlbums(2_500), albumOf('Zebra', 'Zoe', [{ title: 'Stripe', libraries: [own] }]))
})
after(() => thousands[Symbol.dispose]())

test('an offset counts through thousands of albums in many blocks', () => {
  thousands.putLibrary(home)
  thousands.takeLibrary(own)
  const names = Array.from({ length: 2_500 }, (_, at) => `Album ${String(at).padStart(4, '0')}`)
  assert.ok(Number(thousands.db.prepare('SELECT count(*) AS n FROM block WHERE list = 1').get()?.n) > 1)
  for (const offset of [0, 1_023, 1_024, 2_049, 2_499]) {
    const { items, total } = ask.albums(thousands.db, anna, albumQuery.parse({ offset, limit: 1 }))
    assert.deepEqual([items[0]?.name, total], [names[offset], 2_500])
  }
  assert.deepEqual(ask.albums(thousands.db, anna, albumQuery.parse({ offset: 2_500 })).items, [])
})

test('a page of tracks says how many there are, in whatever order, for whoever asks', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  const secret = derivedId('secret')
  index.putLibrary(libraryFact(secret, [anna.user]))
  index.put(
    albumOf('One', 'Ann', [
      { title: 'A', genres: ['Rock'] },
      { title: 'B', genres: ['Rock'] },
      { title: 'C', genres: ['Jazz'] },
      { title: 'D', genres: ['Rock'], libraries: [secret] },
    ]),
    albumOf('Two', 'Bob', [{ title: 'E', genres: ['Rock'] }]),
  )
  const total = (viewer: typeof anna, query: object) =>
    ask.tracks(index.db, viewer, trackQuery.parse({ ...query, limit: 2 })).total
  for (const order of ['title', 'artist', 'album', 'added', 'addedAscending']) {
    assert.deepEqual([total(anna, { order }), total(guest, { order })], [5, 4], order)
    const rock = { order, genre: 'Rock' }
    if (!order.startsWith('added')) assert.deepEqual([total(anna, rock), total(guest, rock)], [4, 3], order)
  }
  const [ann] = ask.artists(index.db, anna, artistQuery.parse({})).items
  assert.equal(total(guest, { order: 'album', artist: ann?.id }), 3)
})

test('a walk meets every album that stays, and none twice, while others come and go', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...albumOrder.options.slice(0, 5), 'random' as const),
      fc.array(fc.record({ at: fc.nat(59), add: fc.boolean() }), { maxLength: 12 }),
      (order, changes) => {
        using index = openTestIndex()
        index.putLibrary(home)
        const albums = manyAlbums(60)
        const touched = new Set(changes.map(({ at }) => at))
        index.put(...albums.filter((_, at) => !touched.has(at) || at % 2 === 0))
        const left = [...changes]
        const names = walkAlbums(index, { order, seed: 1 }, () => {
          const change = left.shift()
          const album = change === undefined ? undefined : albums[change.at]
          if (album !== undefined && change?.add) index.put(album)
          else if (album !== undefined) index.take(album.album)
        })
        assert.equal(new Set(names).size, names.length)
        const stayed = albums.filter((_, at) => !touched.has(at)).map(({ tracks }) => tracks[0]?.tags.album)
        assert.deepEqual(
          stayed.filter((name) => !names.includes(name ?? '')),
          [],
        )
      },
    ),
    { numRuns: 30 },
  )
})

test('[S4] a made-up cursor, or one of another list, is refused in every order', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(...manyAlbums(20))
  const isRefused = (error: unknown) => isCoded(error, 'CURSOR_UNKNOWN')
  fc.assert(
    fc.property(fc.constantFrom(...albumOrder.options), fc.string({ maxLength: 60 }), (order, cursor) => {
      assert.throws(() => ask.albums(index.db, anna, albumQuery.parse({ order, cursor })), isRefused)
    }),
    { numRuns: 100 },
  )
  const ofAlbums = ask.albums(index.db, anna, albumQuery.parse({ limit: 1 })).next
  for (const order of ['album', 'starred', 'random'] as const) {
    const foreign = trackQuery.parse({ order, cursor: ofAlbums })
    assert.throws(() => ask.tracks(index.db, anna, foreign), isRefused, order)
  }
})

test('albums of a genre, an artist, some years', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(...manyAlbums(60))
  const names = (query: Record<string, unknown>) => walkAlbums(index, query)
  assert.equal(names({ genre: 'rock' }).length, 30)
  assert.equal(names({ genre: 'Rock', order: 'year' }).length, 30)
  assert.deepEqual(names({ genre: 'Skiffle' }), [])
  const [artist] = ask.artists(index.db, anna, artistQuery.parse({})).items
  assert.deepEqual(names({ artist: artist?.id }).length, artist?.albumCount)
  assert.equal(names({ order: 'year', fromYear: 1960, toYear: 1969 }).length, 10)
  assert.equal(names({ order: 'yearDescending', fromYear: 1969, toYear: 1960 }).length, 10)
  assert.equal(names({ order: 'name', fromYear: 2005 }).length, 5)
  assert.equal(names({ order: 'random', genre: 'Rock', fromYear: 1950, toYear: 1959 }).length, 5)
})

test('tracks in every order, and with what is asked of them', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(
    albumOf('Day', 'Ann', [
      { title: 'Sun', genres: ['Rock'], date: '1999' },
      { title: 'The Moon', date: '1999' },
    ]),
    albumOf('Ape', 'Zoe', [
      { title: 'Banana', artist: ['Zoe', 'Ann'], genres: ['Rock', 'Jazz'], date: '2003' },
    ]),
  )
  const titles = (query: Record<string, unknown>) => {
    const all: string[] = []
    let cursor: string | undefined
    do {
      const page = ask.tracks(index.db, anna, trackQuery.parse({ limit: 1, ...query, cursor }))
      all.push(...page.items.map(({ title }) => title))
      cursor = page.next
    } while (cursor !== undefined)
    return all
  }
  assert.deepEqual(titles({ order: 'title' }), ['Banana', 'The Moon', 'Sun'])
  assert.deepEqual(titles({ order: 'artist' }), ['Sun', 'The Moon', 'Banana'])
  assert.deepEqual(titles({ order: 'album' }), ['Banana', 'Sun', 'The Moon'])
  assert.deepEqual(titles({ order: 'album', offset: 1, limit: 500 }), ['Sun', 'The Moon'])
  assert.deepEqual(titles({ order: 'title', genre: 'ROCK' }), ['Banana', 'Sun'])
  assert.deepEqual(titles({ order: 'added', genre: 'rock', fromYear: 2000 }), ['Banana'])
  assert.deepEqual(titles({ order: 'random', genre: 'rock', seed: 9 }).sort(), ['Banana', 'Sun'])
  assert.deepEqual(titles({ order: 'random', seed: 5 }).sort(), ['Banana', 'Sun', 'The Moon'])
  const ann = ask
    .artists(index.db, anna, artistQuery.parse({ role: 'any' }))
    .items.find(({ name }) => name === 'Ann')
  assert.deepEqual([ann?.albumCount, ann?.trackCount], [1, 3])
  assert.deepEqual(titles({ order: 'album', artist: ann?.id }), ['Banana', 'Sun', 'The Moon'])
  const detail = ask.artist(index.db, anna, ann?.id ?? '')
  assert.deepEqual(
    detail.albums.map(({ name }) => name),
    ['Day'],
  )
  assert.deepEqual(
    detail.appearsOn.map(({ name }) => name),
    ['Ape'],
  )
})

test('songs of somebody’s albums are theirs, whoever is heard on them', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(
    albumOf('Anthology', 'Project', [
      { title: 'One', artist: 'Ann' },
      { title: 'Two', artist: 'Bob' },
    ]),
    albumOf('Guests', 'Cy', [{ title: 'Three', artist: ['Project', 'Cy'] }, 'Four']),
  )
  const project = ask
    .artists(index.db, anna, artistQuery.parse({}))
    .items.find(({ name }) => name === 'Project')
  for (const order of ['album', 'random'] as const) {
    const query = trackQuery.parse({ order, seed: 1, artist: project?.id })
    const { items } = ask.tracks(index.db, anna, query)
    assert.deepEqual(items.map(({ title }) => title).sort(), ['One', 'Three', 'Two'], order)
  }
})

test('what a user has said stands beside the items, and orders them', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  const albums = manyAlbums(5)
  index.put(...albums)
  const [first, second, third] = albums.map(({ album }) => album)
  index.mark(anna.user, 'album', first ?? '', { playCount: 3, playedAt: 10, rating: 2 })
  index.mark(anna.user, 'album', second ?? '', { playCount: 1, playedAt: 30, starredAt: 5 })
  index.mark(guest.user, 'album', third ?? '', { playCount: 9, playedAt: 99, starredAt: 9, rating: 5 })
  assert.deepEqual(walkAlbums(index, { order: 'played', limit: 1 }), ['Album 0001', 'Album 0000'])
  assert.deepEqual(walkAlbums(index, { order: 'mostPlayed', limit: 1 }), ['Album 0000', 'Album 0001'])
  assert.deepEqual(walkAlbums(index, { order: 'starred' }), ['Album 0001'])
  assert.deepEqual(walkAlbums(index, { order: 'rating' }), ['Album 0000'])
  const [shown] = ask.albumsByIds(index.db, anna, [second ?? ''])
  assert.deepEqual(shown?.mark, { starredAt: 5, rating: undefined, playCount: 1, playedAt: 30 })
  index.mark(anna.user, 'album', second ?? '', null)
  assert.deepEqual(walkAlbums(index, { order: 'starred' }), [])
})

test('nobody sees, counts, finds or happens upon what is only in libraries of others', () => {
  using index = openTestIndex()
  const secret = derivedId('secret')
  const both = derivedId('both')
  index.putLibrary(home)
  index.putLibrary(libraryFact(secret, [anna.user]))
  index.putLibrary(libraryFact(both, []))
  index.put(
    albumOf('Open', 'Ann', [{ title: 'Common', genres: ['Rock'], date: '1999' }]),
    albumOf('Hidden', 'Eve', [{ title: 'Whisper', genres: ['Noise'], libraries: [secret], date: '2001' }]),
    albumOf('Mixed', 'Ann', [
      { title: 'Shown', libraries: [secret, home], genres: ['Rock'], date: '1999' },
      { title: 'Veiled', libraries: [secret], genres: ['Noise'], artist: 'Eve', date: '1999' },
    ]),
    albumOf('Nobody', 'Nil', [{ title: 'Void', libraries: [both] }]),
    albumOf('Orphan', 'Lost', [{ title: 'Adrift', libraries: [derivedId('no such library')] }]),
  )
  const seenBy = (viewer: typeof guest) => {
    const limit = { limit: 500 }
    const albums = ask.albums(index.db, viewer, albumQuery.parse(limit))
    const tracks = ask.tracks(index.db, viewer, trackQuery.parse(limit))
    const artists = ask.artists(index.db, viewer, artistQuery.parse({ ...limit, role: 'any' }))
    return {
      albums: albums.items.map(({ name, trackCount, genres }) => `${name} ${trackCount} ${genres}`),
      albumTotal: albums.total,
      tracks: tracks.items.map(({ title }) => title),
      trackTotal: tracks.total,
      artists: artists.items.map(({ name, albumCount, trackCount }) => `${name} ${albumCount} ${trackCount}`),
      artistTotal: artists.total,
      genres: ask.genres(index.db, viewer).map(({ name, trackCount }) => `${name} ${trackCount}`),
      years: ask.albumYears(index.db, viewer).map(({ year, albumCount }) => `${year} ${albumCount}`),
      counts: ask.counts(index.db, viewer),
      libraries: ask.libraries(index.db, viewer).length,
    }
  }
  assert.deepEqual(seenBy(guest), {
    albums: ['Mixed 1 Rock', 'Open 1 Rock'],
    albumTotal: 2,
    tracks: ['Common', 'Shown'],
    trackTotal: 2,
    artists: ['Ann 2 2'],
    artistTotal: 1,
    genres: ['Rock 2'],
    years: ['1999 2'],
    counts: { tracks: 2, albums: 2, artists: 1, genres: 1, durationMs: 360_000, bytes: 2_000 },
    libraries: 1,
  })
  assert.deepEqual(seenBy(anna).tracks, ['Common', 'Shown', 'Veiled', 'Whisper'])
  assert.deepEqual(seenBy(chief).tracks, ['Common', 'Shown', 'Veiled', 'Void', 'Whisper'])

  const hidden = albumOf('Hidden', 'Eve', [])
  assert.throws(() => ask.album(index.db, guest, hidden.album), { code: 'NOT_FOUND' })
  const mixed = ask.album(index.db, guest, albumOf('Mixed', 'Ann', []).album)
  assert.deepEqual(
    mixed.tracks.map(({ title }) => title),
    ['Shown'],
  )
  const pathsSeenBy = (viewer: typeof guest) => {
    const ids = mixed.tracks.map(({ id }) => id)
    const details = ids.map((id) => ask.trackDetails(index.db, viewer, ids).get(id)?.path)
    const lines = ask.trackLines(index.db, viewer, ids).map((line) => line?.path)
    return [...details, ...lines]
  }
  assert.deepEqual(pathsSeenBy(guest), ['Again/Ann/Mixed/00 Shown.flac', 'Again/Ann/Mixed/00 Shown.flac'])
  assert.equal(pathsSeenBy(anna)[0], 'Ann/Mixed/00 Shown.flac')
  const whisper = ask
    .tracks(index.db, anna, trackQuery.parse({}))
    .items.find(({ title }) => title === 'Whisper')
  assert.deepEqual(ask.tracksByIds(index.db, guest, [whisper?.id ?? '']), [null])
  const eve = whisper?.artists[0]?.id ?? ''
  assert.throws(() => ask.artist(index.db, guest, eve), { code: 'NOT_FOUND' })
  assert.deepEqual(ask.topTracks(index.db, guest, eve, 10), [])
  assert.deepEqual(ask.tracks(index.db, guest, trackQuery.parse({ artist: eve })).items, [])
  for (const q of ['whisper', 'hidden', 'eve', 'noise', 'veiled', 'wisper', 'void', 'w', 'h']) {
    const found = ask.search(index.db, guest, { q, artists: 9, albums: 9, tracks: 9 })
    assert.deepEqual([found.artists, found.albums, found.tracks].flat(), [], q)
  }
  for (let seed = 0; seed < 20; seed++) {
    const { items } = ask.tracks(index.db, guest, trackQuery.parse({ order: 'random', seed, limit: 50 }))
    assert.deepEqual(items.map(({ title }) => title).sort(), ['Common', 'Shown'])
  }
  assert.deepEqual(ask.albums(index.db, anna, albumQuery.parse({ library: secret })).total, 2)
  assert.deepEqual(ask.albums(index.db, guest, albumQuery.parse({ library: secret })).total, 0)
  assert.throws(() => ask.folder(index.db, guest, secret, ''), { code: 'NOT_FOUND' })

  index.putLibrary(libraryFact(secret, [guest.user]))
  assert.deepEqual(seenBy(guest).tracks, ['Common', 'Shown', 'Veiled', 'Whisper'])
  index.takeLibrary(secret)
  assert.deepEqual(seenBy(chief).tracks, ['Common', 'Shown', 'Void'])
})

test('someone who sees one album of thousands finds it as fast as others', () => {
  thousands.putLibrary(libraryFact(home, [anna.user]))
  thousands.putLibrary(libraryFact(own, [guest.user]))
  for (const order of ['name', 'artist', 'added', 'year'] as const) {
    const page = ask.albums(thousands.db, guest, albumQuery.parse({ order, limit: 5 }))
    assert.deepEqual([page.items.map(({ name }) => name), page.total, page.next], [['Zebra'], 1, undefined])
  }
})

test('folders as they lie on the disk', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(
    albumOf('Day', 'Ann', ['Sun', 'Moon']),
    albumOf('Day (Live)', 'Ann', ['Sun']),
    albumOf('Ape', 'Ann!', ['Banana']),
  )
  const top = ask.folder(index.db, anna, home, '')
  assert.deepEqual(top.folders, [
    { name: 'Ann', path: 'Ann' },
    { name: 'Ann!', path: 'Ann!' },
  ])
  assert.deepEqual(
    ask.folder(index.db, anna, home, 'Ann').folders.map(({ name }) => name),
    ['Day', 'Day (Live)'],
  )
  assert.deepEqual(
    ask.folder(index.db, anna, home, 'Ann/Day').tracks.map(({ title }) => title),
    ['Sun', 'Moon'],
  )
  assert.throws(() => ask.folder(index.db, anna, home, 'An'), { code: 'NOT_FOUND' })
  assert.throws(() => ask.folder(index.db, anna, home, '../x'), { code: 'NOT_FOUND' })
})

test('letters say where they begin', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(
    ...['Álamo', 'Apple', 'The Bear', '99 Red', 'Ёлка', '東京', ''].map((name) =>
      albumOf(name, 'X', ['Song']),
    ),
  )
  const letters = ask.albumLetters(index.db, anna)
  assert.deepEqual(
    letters.map(({ letter, offset, count }) => `${letter}${offset}+${count}`),
    ['#0+1', 'A1+2', 'B3+1', 'Е4+1', '東5+1', '#6+1'],
  )
})

test('an album as its tracks say', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(
    albumOf('The Wall', 'Pink Floyd', [
      {
        title: 'In the Flesh?',
        date: '1979-11-30',
        originalDate: '1979',
        labels: ['Harvest'],
        releaseTypes: ['album'],
        disc: 1,
        discTitle: 'One',
        explicit: 'clean',
      },
      {
        title: 'Hey You',
        date: '1979-11-30',
        originalDate: '1979',
        labels: ['Harvest'],
        disc: 2,
        explicit: 'explicit',
        embeddedCover: true,
      },
    ]),
    albumOf('Mix', '', [
      { title: 'One', artist: 'Ann' },
      { title: 'Two', artist: 'Bob' },
    ]),
    albumOf('Solo', '', [
      { title: 'One', artist: 'Ann' },
      { title: 'Two', artist: 'Ann' },
    ]),
  )
  const wall = ask.album(index.db, anna, albumOf('The Wall', 'Pink Floyd', []).album)
  assert.equal(wall.sortName, 'wall')
  assert.deepEqual(
    [wall.year, wall.date, wall.labels, wall.releaseTypes],
    [1979, '1979-11-30', ['Harvest'], ['album']],
  )
  assert.deepEqual(
    [wall.explicit, wall.discs],
    [
      'explicit',
      [
        { disc: 1, title: 'One' },
        { disc: 2, title: undefined },
      ],
    ],
  )
  assert.equal(wall.cover, wall.tracks[1]?.cover)
  const by = (name: string) => ask.album(index.db, anna, albumOf(name, '', []).album).artist
  assert.deepEqual([by('Mix'), by('Solo')], ['Various Artists', 'Ann'])
})

test('the top songs of somebody are those on which they are heard; of who only gathers others, those of their albums', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(
    albumOf('Gathered', 'Gatherer', [
      { title: 'One', artist: 'Ann' },
      { title: 'Two', artist: 'Ben' },
    ]),
    albumOf('Own', 'Ann', [{ title: 'Three' }]),
  )
  const top = (name: string) => {
    const { items } = ask.artists(index.db, anna, artistQuery.parse({ role: 'any' }))
    const id = items.find((artist) => artist.name === name)?.id ?? ''
    return ask.topTracks(index.db, anna, id, 10).map(({ title }) => title)
  }
  assert.deepEqual(top('Ann').sort(), ['One', 'Three'])
  assert.deepEqual(top('Gatherer').sort(), ['One', 'Two'])
})
