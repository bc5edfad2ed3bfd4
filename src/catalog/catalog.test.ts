import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Ground } from '../../test/fixtures/ground.ts'
import {
  albumOf,
  anna,
  ben,
  home,
  openListeningGround,
  openTestListening,
} from '../../test/fixtures/listening.ts'

let ground: Ground
before(async () => {
  ground = await openListeningGround()
})
after(() => ground[Symbol.asyncDispose]())

test('a track has what its file says, and an administrator is told where it lies', async () => {
  await using it = await openTestListening(ground)
  const chief = { user: anna.user, administrator: true }
  const sun = it.track('Sun')
  const detail = await it.catalog.track(anna, sun)
  assert.deepEqual([detail.tags.bpm, detail.audio.codec, detail.places], [120, 'flac', undefined])
  const { places } = await it.catalog.track(chief, sun)
  assert.deepEqual(places, [{ library: home, path: 'Ann/Day/00 Sun.flac' }])
  await assert.rejects(it.catalog.track(anna, it.track('Whisper')), { code: 'NOT_FOUND' })
})

test('where the bytes of a track are is told to who may hear it', async () => {
  await using it = await openTestListening(ground)
  const source = it.catalog.source(anna, it.track('Moon'))
  assert.deepEqual([source.title, source.part, source.blob, source.size], ['Moon', '000', undefined, 1_000])
  assert.deepEqual(
    source.places.map(({ path }) => path),
    ['Ann/Day/01 Moon.flac'],
  )
  assert.throws(() => it.catalog.source(anna, it.track('Whisper')), { code: 'NOT_FOUND' })
  assert.equal(it.catalog.source(ben, it.track('Whisper')).title, 'Whisper')
  assert.throws(() => it.catalog.nameOf(anna, 'track', it.track('Whisper')), { code: 'NOT_FOUND' })
  assert.equal(it.catalog.nameOf(anna, 'album', source.album), 'Day')
})

test('pictures of a track, its album and its artist are where one is; none of hidden tracks', async () => {
  await using it = await openTestListening(ground)
  const { album, tracks } = albumOf('Seen', 'Ann', ['Plain', { title: 'Painted', embeddedCover: true }])
  const [plain, painted] = tracks.map((track, at) =>
    at === 0 ? track : { ...track, files: track.files.map((file) => ({ ...file, coverFile: 'cover.jpg' })) },
  )
  assert.ok(plain && painted)
  await it.put({ album, tracks: [plain, painted] })
  const expected = [
    { embedded: true, file: undefined },
    {
      embedded: false,
      file: { library: home, path: 'Ann/Seen/cover.jpg', modifiedAt: undefined, is: undefined },
    },
  ]
  const artist = (await it.catalog.album(anna, album)).artists[0]?.id ?? ''
  for (const [kind, id] of [
    ['track', plain.id],
    ['track', painted.id],
    ['album', album],
    ['artist', artist],
  ] as const) {
    const pictures = it.catalog.pictures(anna, kind, id)
    assert.deepEqual(
      pictures.map(({ embedded, file }) => ({ embedded, file })),
      expected,
      kind,
    )
    assert.ok(pictures.every((each) => each.track === painted.id))
  }
  const shown = await it.catalog.albumsByIds(anna, [album])
  assert.equal(shown[0]?.cover, it.catalog.pictures(anna, 'album', album)[0]?.version)
  const repainted = plain.files.map((file) => ({
    ...file,
    coverFile: 'cover.jpg',
    coverModifiedAt: 1_700_000_000_000,
  }))
  await it.put({ album, tracks: [plain, { ...painted, files: repainted }] })
  const [again] = await it.catalog.albumsByIds(anna, [album])
  assert.notEqual(again?.cover, shown[0]?.cover, 'a page would go on showing the old picture')
  assert.deepEqual(
    it.catalog.pictures(anna, 'album', album).map(({ embedded }) => embedded),
    [true, false],
  )
  assert.deepEqual(it.catalog.pictures(anna, 'track', it.track('Sun')), [])
  assert.throws(() => it.catalog.pictures(anna, 'track', it.track('Whisper')), { code: 'NOT_FOUND' })
})

test('many ids are answered in their order, with a hole for what is not there', async () => {
  await using it = await openTestListening(ground)
  const [sun, whisper] = [it.track('Sun'), it.track('Whisper')]
  const ids = Array.from({ length: 1_201 }, (_, at) => (at % 3 === 0 ? sun : at % 3 === 1 ? whisper : home))
  const found = await it.catalog.tracksByIds(anna, ids)
  assert.deepEqual(
    found.map((item) => item?.id ?? null),
    ids.map((id) => (id === sun ? sun : null)),
  )
})

test('[F4] what was written is seen by who waits for its revision', async () => {
  await using it = await openTestListening(ground)
  for (let round = 0; round < 5; round++) {
    await it.put(albumOf(`Round ${round}`, 'Ann', ['Song']))
    const { albums } = await it.catalog.search(anna, {
      q: `round ${round}`,
      artists: 0,
      albums: 5,
      tracks: 0,
    })
    assert.equal(albums[0]?.name, `Round ${round}`)
  }
})
