import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../../test/fixtures/text.ts'
import { derivedId } from '../../../store/derived-id.ts'
import { albumOf, home, openTestIndex, type TestIndex } from '../test-index.ts'
import { search } from './search.ts'
import { distance } from './similar.ts'
import { fold, queryTerms, termsOf } from './words.ts'

const viewer = { user: derivedId('anna'), administrator: false }

function open(): TestIndex {
  const index = openTestIndex()
  index.putLibrary(home)
  index.put(
    albumOf('Help!', 'The Beatles', ['Yesterday', 'Help!', { title: 'Ticket to Ride', genres: ['Beat'] }]),
    albumOf('Abbey Road', 'The Beatles', ['Come Together', 'Something', "Don't Let Me Down"]),
    albumOf('Homogenic', 'Björk', ['Jóga', 'Bachelorette', 'Yesterday Once More']),
    albumOf('Ágætis byrjun', 'Sigur Rós', ['Svefn-g-englar', 'Starálfur']),
    albumOf('教育', '東京事変', ['林檎の唄', '群青日和', 'サービス']),
    albumOf('Группа крови', 'Кино', ['Звезда по имени Солнце']),
    albumOf('High Voltage', 'AC/DC', ['T.N.T.', 'Rock ’n’ Roll Singer']),
    albumOf('÷', 'Ed Sheeran', ['Perfect', '!!!']),
    albumOf('Master of Puppets', 'Metallica', ['Battery', 'Orion']),
    albumOf('ที่ว่าง', 'Pause', ['ความลับ']),
  )
  return index
}

function find(index: TestIndex, q: string) {
  const { artists, albums, tracks } = search(index.db, viewer, { q, artists: 10, albums: 10, tracks: 10 })
  return {
    artists: artists.map(({ name }) => name),
    albums: albums.map(({ name }) => name),
    tracks: tracks.map(({ title }) => title),
  }
}

test('starts of words find names, in any order of the words and across title, artist, album and genre', () => {
  using index = open()
  assert.deepEqual(find(index, 'beat').artists, ['The Beatles'])
  assert.deepEqual(find(index, 'yest').tracks, ['Yesterday', 'Yesterday Once More'])
  assert.deepEqual(find(index, 'yest beat').tracks, ['Yesterday'])
  assert.deepEqual(find(index, 'beat yest').tracks, ['Yesterday'])
  assert.deepEqual(find(index, 'abbey someth').tracks, ['Something'])
  assert.deepEqual(find(index, 'abb ro').albums, ['Abbey Road'])
  assert.ok(find(index, 'beat').tracks.includes('Ticket to Ride'))
})

test('the best match comes first: equal, then the start, then a word inside, then elsewhere', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(
    albumOf('Sundown', 'Zoe', ['In the Sun', 'Sun King', 'Sun', 'Sunshine', 'Rain']),
    albumOf('Other', 'Sun', ['Cloud']),
  )
  assert.deepEqual(find(index, 'sun').tracks.slice(0, 2), ['Sun', 'Sun King'])
  assert.deepEqual(find(index, 'sun').tracks.slice(2, 4).sort(), ['In the Sun', 'Sunshine'])
  assert.ok(find(index, 'sun').tracks.includes('Cloud'))
  assert.deepEqual(find(index, 'the sun').tracks[0], 'Sun')
})

test('what fits by its name is found behind any number that fit otherwise', () => {
  for (const others of [10, 100]) {
    using index = openTestIndex()
    index.putLibrary(home)
    const songs = Array.from({ length: others }, (_, at) => `Song ${at}`)
    // They are filled first, and so come first among equals.
    index.put(albumOf('Clouds', 'Rain Band', songs))
    index.put(albumOf('Weather', 'Ann', ['Rainy Day Band', 'Band of Rain', 'Wind']))
    assert.deepEqual(find(index, 'rai').tracks.slice(0, 2).toSorted(), ['Band of Rain', 'Rainy Day Band'])
    assert.deepEqual(find(index, 'rain band').tracks.slice(0, 2), ['Band of Rain', 'Rainy Day Band'])
    assert.equal(find(index, 'band rain song').tracks.length, 10)
  }
})

test('what is played more comes first among equals', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  const albums = Array.from({ length: 100 }, (_, at) => albumOf(`Same ${at}`, 'Ann', [`Sunny ${at}`]))
  index.put(...albums)
  const loved = albums[77]?.tracks[0]
  const album = albums[88]
  assert.ok(loved && album)
  index.mark(viewer.user, 'track', loved.id, { playCount: 3 })
  index.mark(viewer.user, 'album', album.album, { playCount: 0, starredAt: 1 })
  assert.equal(find(index, 'sunny').tracks[0], 'Sunny 77')
  assert.equal(find(index, 's').tracks[0], 'Sunny 77')
  assert.equal(find(index, 'same').albums[0], 'Same 88')
})

test('diacritics, case and other spellings of letters make no difference', () => {
  using index = open()
  for (const q of ['bjork', 'BJÖRK', 'björk']) assert.deepEqual(find(index, q).artists, ['Björk'], q)
  assert.deepEqual(find(index, 'agaetis').albums, ['Ágætis byrjun'])
  assert.deepEqual(find(index, 'sigur ros').artists, ['Sigur Rós'])
  assert.deepEqual(find(index, 'joga').tracks, ['Jóga'])
  assert.deepEqual(find(index, 'кино').artists, ['Кино'])
  assert.deepEqual(find(index, 'КИН').artists, ['Кино'])
  assert.equal(fold('ＡＢＣ ﬁ ß'), 'abc fi ss')
})

test('scripts without spaces are found from any place in the name', () => {
  using index = open()
  for (const q of ['東', '東京', '事変', '東京事変', '変'])
    assert.deepEqual(find(index, q).artists, ['東京事変'], q)
  assert.deepEqual(find(index, '林檎').tracks, ['林檎の唄'])
  assert.deepEqual(find(index, 'サービ').tracks, ['サービス'])
  assert.deepEqual(find(index, 'ลับ').tracks, ['ความลับ'])
})

test('punctuation inside words, and names without any letter', () => {
  using index = open()
  for (const q of ['ac/dc', 'acdc', 'ac dc']) assert.deepEqual(find(index, q).artists, ['AC/DC'], q)
  for (const q of ['dont let', "don't let", 'don’t let'])
    assert.deepEqual(find(index, q).tracks, ["Don't Let Me Down"], q)
  for (const q of ['tnt', 't.n.t.']) assert.ok(find(index, q).tracks.includes('T.N.T.'), q)
  assert.deepEqual(find(index, '÷').albums, ['÷'])
  assert.deepEqual(find(index, '!!!').tracks, ['!!!'])
  assert.deepEqual(find(index, 'svefn').tracks, ['Svefn-g-englar'])
})

test('small typing errors are forgiven, also while a word is being typed', () => {
  using index = open()
  for (const q of [
    'metalica',
    'metallcia',
    'mettalica',
    'metalli',
    'metali',
    'netallica',
    'mtallica',
    'metallica',
  ]) {
    assert.deepEqual(find(index, q).artists, ['Metallica'], q)
  }
  assert.deepEqual(find(index, 'yesterdya beatels').tracks, ['Yesterday'])
  assert.deepEqual(find(index, 'bachelorrete').tracks, ['Bachelorette'])
  assert.deepEqual(find(index, 'звизда').tracks, ['Звезда по имени Солнце'])
  assert.deepEqual(find(index, 'qqqqqq'), { artists: [], albums: [], tracks: [] })
})

test('who types a name that there is means that one, not what is nearly called so', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  index.put(albumOf('One', 'Ann', ['Battery', 'Batters']))
  assert.deepEqual(find(index, 'battery').tracks, ['Battery'])
  assert.deepEqual(find(index, 'batterx').tracks.toSorted(), ['Batters', 'Battery'])
})

test('any text is safe, and answers', () => {
  using index = open()
  const hostile = [
    '',
    ' ',
    '"',
    '""""',
    "'; DROP TABLE track; --",
    'title : yesterday',
    'NEAR(yesterday help, 2)',
    'yesterday OR help',
    'a* AND b*',
    '* ^ - + ( ) { }',
    '\0',
    'yes\0terday',
    '😀😀',
    'x'.repeat(10_000),
    '"'.repeat(10_000),
    'the '.repeat(2_500),
    '東'.repeat(10_000),
    '\ud800',
    '%_%',
  ]
  for (const q of hostile) find(index, q)
  assert.deepEqual(find(index, 'title : yesterday').tracks, [])
  fc.assert(
    fc.property(anyText({ maxLength: 40 }), (q) => void find(index, q)),
    { numRuns: 200 },
  )
  assert.equal(find(index, 'yesterday').tracks.length, 2)
})

test('every name is found by each start of it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-zé東京ñ'/ .-]{1,12}$/), { minLength: 1, maxLength: 5 }),
      fc.nat(),
      (names, pick) => {
        using index = openTestIndex()
        index.putLibrary(home)
        index.put(...names.map((name, at) => albumOf(`Album ${at}`, 'Q', [name])))
        const name = names[pick % names.length] ?? ''
        const [word = ''] = termsOf(name)
        if (queryTerms(word).length === 0) return
        const found = search(index.db, viewer, { q: word, artists: 0, albums: 0, tracks: 100 })
        assert.ok(
          found.tracks.some(({ title }) => title === name),
          JSON.stringify({ name, word }),
        )
      },
    ),
    { numRuns: 60 },
  )
})

test('the distance of words is what people call one error', () => {
  assert.deepEqual(
    [
      distance('love', 'love', 2),
      distance('love', 'lvoe', 2),
      distance('love', 'glove', 2),
      distance('abc', 'xyz', 2),
    ],
    [0, 1, 1, 3],
  )
})

test('a search goes on behind its best finds, each of them once, to the last', () => {
  using index = openTestIndex()
  index.putLibrary(home)
  const titles = Array.from({ length: 150 }, (_, at) => `Love ${at}`)
  index.put(albumOf('Songs', 'Ann', titles), albumOf('Love', 'Bob', ['One', 'Two']))
  const found: string[] = []
  for (let tracks = 0; tracks < 200; tracks += 40) {
    const skip = { artists: 0, albums: 0, tracks }
    const page = search(index.db, viewer, { q: 'love', artists: 0, albums: 0, tracks: 40, skip })
    found.push(...page.tracks.map(({ title }) => title))
  }
  assert.deepEqual(found.toSorted(), [...titles, 'One', 'Two'].toSorted())
})
