import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AlbumPart, Track } from '../../protocol/facts/catalog.ts'
import { derivedId } from '../../store/derived-id.ts'
import { albumParts } from '../facts.ts'
import {
  albumOf,
  contentOf,
  fillTestIndex,
  fillTestIndexInParts,
  home,
  openTestIndex,
  partKey,
  type Song,
  type TestIndex,
  testIndexOf,
} from './test-index.ts'

const abroad = derivedId('library abroad')
const user = derivedId('user')

const song: fc.Arbitrary<Song> = fc.record(
  {
    title: fc.constantFrom(
      'Sun',
      'The Moon',
      'Émile',
      '東京',
      'Sun Sun',
      '!!!',
      'nul\0title',
      '\ud800half',
      'word '.repeat(700),
    ),
    artist: fc.constantFrom('Ann', 'ANN', 'Bob', 'The Cars', ''),
    genres: fc.uniqueArray(fc.constantFrom('Rock', 'rock', 'Jazz', 'Día'), { maxLength: 2 }),
    libraries: fc.constantFrom([home], [abroad], [home, abroad], []),
    date: fc.constantFrom('1999', '2001-05', '2020-01-02'),
    addedAt: fc.integer({ min: 1, max: 5 }),
    disc: fc.constantFrom(1, 2),
    embeddedCover: fc.boolean(),
    content: fc.constantFrom('one', 'other'),
    beside: fc.record({ modifiedAt: fc.constantFrom(1, 2), isRead: fc.boolean() }),
    composers: fc.constantFrom([], [{ name: 'Cleo', sortName: 'Cleo, A' }]),
  },
  { requiredKeys: ['title'] },
)
const albums = [
  ['Day', 'Ann'],
  ['A Night', 'Bob'],
  ['', ''],
] as const
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      album: fc.constantFrom(...albums),
      part: fc.constantFrom('000', '001'),
      songs: fc.array(song, { maxLength: 4 }),
    }),
  },
  fc.record({
    do: fc.constant('take' as const),
    album: fc.constantFrom(...albums),
    part: fc.constantFrom('000', '001'),
  }),
  fc.record({
    do: fc.constant('move' as const),
    from: fc.constantFrom(...albums),
    to: fc.constantFrom(...albums),
    takeFirst: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('mark' as const),
    kind: fc.constantFrom('track' as const, 'album' as const),
    album: fc.constantFrom(...albums),
    plays: fc.constantFrom(0, 1, 40),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

test('[F3] the tables are a function of the facts, in whatever steps these have come', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      using grown = openTestIndex()
      const facts = new Map<string, Uint8Array>()
      for (const each of steps) take(grown, facts, each)
      using rebuilt = openTestIndex()
      rebuilt.apply([...facts].sort(([a], [b]) => (a < b ? -1 : 1)))
      const expected = contentOf(rebuilt.db)
      assert.deepEqual(contentOf(grown.db), expected)
      using filled = fillTestIndex(facts)
      assert.deepEqual(contentOf(filled.db), expected)
      using gathered = openTestIndex()
      takeTogether(gathered, steps, 3)
      assert.deepEqual(contentOf(gathered.db), expected)
      using backwards = openTestIndex()
      for (const fact of [...facts].reverse()) backwards.apply([fact])
      assert.deepEqual(contentOf(backwards.db), expected)
    }),
    { numRuns: 40 },
  )
})

test('[F3] whatever differs of a track, alone, is written wherever it stands', () => {
  const before: Song = { title: 'Sun', artist: 'Ann', genres: ['Rock'], content: 'one' }
  const differing: Partial<Song>[] = [
    { title: 'Moon' },
    { titleSort: 'Zenith' },
    { artist: 'Bob' },
    { genres: ['Jazz'] },
    { libraries: [abroad] },
    { addedAt: 5 },
    { content: 'other' },
    { comment: 'loud' },
  ]
  for (const change of differing) {
    const after = albumOf('Day', 'Ann', [{ ...before, ...change }, 'Rain'])
    using followed = openTestIndex()
    followed.put(albumOf('Day', 'Ann', [before, 'Rain']))
    followed.put(after)
    using made = openTestIndex()
    made.put(after)
    assert.deepEqual(contentOf(followed.db), contentOf(made.db), JSON.stringify(change))
  }
})

test('[F3] an index that several threads have filled says the same as one that has followed every step', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'hocket-index-'))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 16 }), async (steps) => {
      using grown = openTestIndex()
      const facts = new Map<string, Uint8Array>()
      for (const each of steps) take(grown, facts, each)
      using filled = await fillTestIndexInParts(facts, folder.path)
      assert.deepEqual(contentOf(filled.db), contentOf(grown.db))
      assert.equal(filled.db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok')
      for (const kind of ['artist', 'album', 'track']) {
        filled.db.exec(`INSERT INTO ${kind}_search (${kind}_search) VALUES ('integrity-check')`)
      }
    }),
    // Each run starts a thread.
    { numRuns: 4 },
  )
})

/** The steps as they come to who makes up for them: several in a transaction. */
function takeTogether(index: TestIndex, steps: readonly Step[], atOnce: number): void {
  const facts = new Map<string, Uint8Array>()
  for (let from = 0; from < steps.length; from += atOnce) {
    const waiting: Parameters<TestIndex['apply']>[0][number][] = []
    for (const step of steps.slice(from, from + atOnce)) {
      take({ apply: (changes) => waiting.push(...changes) }, facts, step)
    }
    index.apply(waiting)
  }
}

function take(index: Pick<TestIndex, 'apply'>, facts: Map<string, Uint8Array>, step: Step): void {
  const write = (changes: readonly (readonly [string, Uint8Array | null])[]) => {
    for (const [key, value] of changes) {
      if (value === null) facts.delete(key)
      else facts.set(key, value)
    }
    index.apply(changes)
  }
  const partOf = (key: string): AlbumPart | undefined => {
    const value = facts.get(key)
    return value === undefined || !key.startsWith(albumParts.prefix) ? undefined : albumParts.decode(value)
  }
  if (step.do === 'put') {
    const made = albumOf(step.album[0], step.album[1], step.songs)
    const tracks = made.tracks.map((track, at) => ({
      ...track,
      id: derivedId(`${made.album} ${step.part} ${at}`),
    }))
    const elsewhere = new Set(
      [...facts.keys()].flatMap((key) => (key === partKey(made.album, step.part) ? [] : ids(partOf(key)))),
    )
    const part = { ...made, tracks: tracks.filter(({ id }) => !elsewhere.has(id)) }
    write([[partKey(made.album, step.part), albumParts.encode(part)]])
  } else if (step.do === 'take') {
    write([[partKey(albumOf(step.album[0], step.album[1], []).album, step.part), null]])
  } else if (step.do === 'move') {
    const [from, to] = [step.from, step.to].map(([name, artist]) => partKey(albumOf(name, artist, []).album))
    const source = from === undefined ? undefined : partOf(from)
    const target = to === undefined ? undefined : partOf(to)
    const [first, ...others] = source?.tracks ?? []
    if (from === undefined || to === undefined || from === to) return
    if (source === undefined || target === undefined || first === undefined) return
    const left = albumParts.encode({ ...source, tracks: others })
    const joined = albumParts.encode({ ...target, tracks: [...target.tracks, first] })
    write(
      step.takeFirst
        ? [
            [from, left],
            [to, joined],
          ]
        : [
            [to, joined],
            [from, left],
          ],
    )
  } else {
    const { album } = albumOf(step.album[0], step.album[1], [])
    const item = step.kind === 'album' ? album : derivedId(`${album} 000 0`)
    const key = `listening/marks/${user}/${step.kind}/${item}`
    const value = Buffer.from(JSON.stringify({ v: 1, d: { playCount: step.plays, playedAt: 1 } }))
    write([[key, value]])
  }
}

function ids(part: AlbumPart | undefined): Track['id'][] {
  return part?.tracks.map(({ id }) => id) ?? []
}

test('parts of an index are not put together where both have the same track', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'hocket-index-'))
  const [day, night] = [albumOf('Day', 'Ann', ['Sun']), albumOf('Night', 'Ann', [])]
  const facts = new Map(
    [day, { ...night, tracks: day.tracks }].map((part) => [partKey(part.album), albumParts.encode(part)]),
  )
  await assert.rejects(fillTestIndexInParts(facts, folder.path), /UNIQUE constraint failed: track\.guid/)
})

test('the search of a filled index is not written anew for a few words that change, again and again', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'hocket-index-'))
  const parts = Array.from({ length: 100 }, (_, album) =>
    albumOf(
      `Day ${album}`,
      'Ann',
      Array.from({ length: 24 }, (_, song) => `Song ${album} ${song}`),
    ),
  )
  const facts = new Map(parts.map((part) => [partKey(part.album), albumParts.encode(part)]))
  const file = (name: string) => join(folder.path, name)
  {
    using together = await fillTestIndexInParts(facts, folder.path)
    using alone = fillTestIndex(facts)
    together.db.prepare('VACUUM INTO ?').run(file('together'))
    alone.db.prepare('VACUUM INTO ?').run(file('alone'))
  }
  for (const name of ['together', 'alone']) {
    const db = new DatabaseSync(file(name))
    using index = testIndexOf(db)
    db.exec('PRAGMA synchronous = OFF')
    // Below 10 lie the sums of it all, at 10 which pieces there are; far above the pages, what has been removed of each.
    const pages = () =>
      db.prepare(`SELECT id, block FROM track_search_data WHERE id > 10 AND id < ${2 ** 53}`).all()
    const filled = pages()
    for (const [round, part] of parts.slice(0, 40).entries()) {
      const tracks = part.tracks.map((track, at) =>
        at < 5 ? { ...track, tags: { ...track.tags, title: `${track.tags.title} again ${round}` } } : track,
      )
      index.put({ ...part, tracks })
    }
    const after = new Map(pages().map(({ id, block }) => [id, block]))
    for (const { id, block } of filled) assert.deepEqual(after.get(id), block)
    db.exec("INSERT INTO track_search (track_search) VALUES ('integrity-check')")
    assert.equal(db.prepare("SELECT count(*) AS found FROM track_search ('again')").get()?.found, 200)
  }
})

test('nothing is left of an album that is deleted', () => {
  using index = openTestIndex()
  const empty = contentOf(index.db)
  const { album, tracks } = albumOf('Day', 'Ann', [
    { title: 'Sun', genres: ['Rock'], artist: ['Bob', 'Cleo'] },
    'Moon',
  ])
  index.put({ album, tracks })
  assert.notDeepEqual(contentOf(index.db), empty)
  index.take(album)
  assert.deepEqual(contentOf(index.db), empty)
})

test('a track that moves to another album keeps its row', () => {
  using index = openTestIndex()
  const day = albumOf('Day', 'Ann', ['Sun', 'Moon'])
  const night = albumOf('Night', 'Ann', [])
  index.put(day)
  const row = () => index.db.prepare("SELECT id FROM track WHERE title = 'Sun'").get()?.id
  const before = row()
  const [sun, moon] = day.tracks
  assert.ok(sun && moon)
  index.apply([
    [partKey(day.album), albumParts.encode({ ...day, tracks: [moon] })],
    [partKey(night.album), albumParts.encode({ ...night, tracks: [sun] })],
  ])
  assert.equal(row(), before)
})

test('an album in parts is what all its parts say', () => {
  using index = openTestIndex()
  const album = albumOf('Day', 'Ann', [
    { title: 'Sun', date: '1999' },
    { title: 'Moon', date: '1999' },
  ])
  const more = albumOf('Day', 'Ann', [{ title: 'Rain', date: '2001', disc: 2, id: derivedId('rain') }])
  index.putPart(album, '000')
  index.putPart(more, '001')
  const row = index.db.prepare('SELECT tracks, year, duration FROM album').get()
  assert.deepEqual({ ...row }, { tracks: 3, year: 1999, duration: 540_000 })
  index.apply([[partKey(album.album, '000'), null]])
  assert.deepEqual({ ...index.db.prepare('SELECT tracks, year FROM album').get() }, { tracks: 1, year: 2001 })
})
