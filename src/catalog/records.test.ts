import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { emptyStore, shareStore } from '../../test/fixtures/ground.ts'
import type { Tags, Track } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import { derivedId } from '../store/derived-id.ts'
import type { Store } from '../store/store.ts'
import type { Change, Put } from './changes.ts'
import { albumParts } from './facts.ts'
import { bornTrackId } from './identity.ts'
import { createRecords } from './records.ts'

const openStore = shareStore()

const library = derivedId('test/library')
const identity = (name: string) => derivedId(`test/album/${name}`)
const fingerprint = (name: string) => derivedId(`test/print/${name}`).replaceAll('-', '')

function tags(title: string): Tags {
  const none = {
    artists: [],
    albumArtists: [],
    genres: [],
    moods: [],
    composers: [],
    contributors: [],
    labels: [],
    works: [],
  }
  const flags = {
    releaseTypes: [],
    compilation: false,
    isrcs: [],
    musicBrainz: {},
    embeddedLyrics: false,
    embeddedCover: false,
  }
  return { title, ...none, ...flags }
}
const audio = {
  codec: 'mp3',
  mediaType: 'audio/mpeg',
  suffix: 'mp3',
  durationMs: 1,
  bitrate: 1,
  sampleRate: 1,
  channels: 1,
}

function put(name: string, album: string, more: Partial<Put> = {}): Put {
  return {
    kind: 'put',
    track: bornTrackId(fingerprint(name)),
    identity: identity(album),
    content: { tags: tags(name), audio, size: 1, fingerprint: fingerprint(name) },
    file: { library, path: name, modifiedAt: 1 },
    addedAt: 1,
    ...more,
  }
}

/** Titles by album. */
async function albums(store: Store): Promise<Map<Id, string[]>> {
  const found = new Map<Id, string[]>()
  for await (const { value } of albumParts.walk(store)) {
    found.set(value.album, [
      ...(found.get(value.album) ?? []),
      ...value.tracks.map((track) => track.tags.title),
    ])
  }
  return found
}
async function tracks(store: Store): Promise<Track[]> {
  return (await Array.fromAsync(albumParts.walk(store))).flatMap(({ value }) => value.tracks)
}

test('who gives up does not take what others wait for with them', async () => {
  await using store = await openStore()
  const records = createRecords(store)
  const born = bornTrackId(fingerprint('one'))
  const leaving = new AbortController()
  const [left, stayed] = [records.inUse(born, leaving.signal), records.inUse(born)]
  leaving.abort(new Error('enough'))
  await assert.rejects(left, /enough/)
  assert.equal(await stayed, born)
})

test('[F2] two writers of one album lose nothing', async () => {
  await using store = await openStore()
  const writers = Array.from({ length: 6 }, (_, at) =>
    createRecords(store).apply(Array.from({ length: 5 }, (_, song) => put(`${at}-${song}`, 'one'))),
  )
  await Promise.all(writers)
  assert.equal((await albums(store)).get(identity('one'))?.length, 30)
})

test('repeating changes writes nothing', async () => {
  await using store = await openStore()
  const records = createRecords(store)
  const changes = [put('a', 'one'), put('b', 'one')]
  const first = await records.apply(changes)
  assert.equal(await records.apply(changes), first)
})

test('two albums that exchange their names keep their ids', async () => {
  await using store = await openStore()
  const records = createRecords(store)
  await records.apply([put('a', 'one'), put('b', 'two')])
  const [one, two] = [identity('one'), identity('two')]
  await records.apply([put('a', 'three', { from: one })])
  await records.apply([put('b', 'one', { from: two })])
  await records.apply([put('a', 'two', { from: one })])
  const exchanged = await albums(store)
  assert.deepEqual([exchanged.get(one), exchanged.get(two), exchanged.size], [['a'], ['b'], 2])
  await createRecords(store).apply([put('c', 'one'), put('d', 'two')])
  const found = await albums(store)
  assert.deepEqual(found.get(two), ['b', 'c'], 'the album is found by what it is called now')
  assert.deepEqual(found.get(one), ['a', 'd'])
})

test('an upload stays when its file in a folder goes, and a file finds its upload', async () => {
  await using store = await openStore()
  const records = createRecords(store)
  const upload = { library: derivedId('uploads'), user: derivedId('user'), fileName: 'a.mp3' }
  const blob = 'ab'.repeat(32)
  await records.apply([put('a', 'one', { file: undefined, upload, blob })])
  const from = identity('one')
  await records.apply([put('a', 'one', { from })])
  const [both] = await tracks(store)
  assert.deepEqual([both?.upload, both?.blob, both?.files.length], [upload, blob, 1])
  await records.apply([{ kind: 'drop', track: bornTrackId(fingerprint('a')), library, path: 'a', from }])
  const [left] = await tracks(store)
  assert.deepEqual([left?.upload, left?.blob, left?.files.length], [upload, blob, 0])
})

test('whatever is moved about, each track is in one album, and albums of one identity are one', async () => {
  await using store = await openStore()
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const step = fc.record({
    moves: fc.uniqueArray(
      fc.record({ name: fc.constantFrom(...names), album: fc.constantFrom('x', 'y', 'z') }),
      {
        selector: ({ name }) => name,
        minLength: 1,
      },
    ),
    dropped: fc.option(fc.constantFrom(...names)),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      await emptyStore(store)
      const records = createRecords(store)
      const expected = new Map<string, string>()
      for (const { moves, dropped } of steps) {
        const present = await albums(store)
        const albumOf = (name: string) => [...present].find(([, titles]) => titles.includes(name))?.[0]
        const changes: Change[] = moves.map(({ name, album }) => put(name, album, { from: albumOf(name) }))
        for (const { name, album } of moves) expected.set(name, album)
        const from = dropped && !moves.some(({ name }) => name === dropped) ? albumOf(dropped) : undefined
        if (dropped && from) {
          changes.push({
            kind: 'drop',
            track: bornTrackId(fingerprint(dropped)),
            library,
            path: dropped,
            from,
          })
          expected.delete(dropped)
        }
        await records.apply(changes)
      }
      const found = await albums(store)
      const groups = (entries: Iterable<readonly string[]>) =>
        [...entries].map((group) => group.toSorted().join('')).sort()
      const wanted = Map.groupBy(expected.keys(), (name) => expected.get(name))
      assert.deepEqual(groups(found.values()), groups(wanted.values()))
    }),
    { numRuns: 25 },
  )
})
