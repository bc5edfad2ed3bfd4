import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { makeMusicFolder, touch } from '../../../test/fixtures/make.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import type { InPlace } from '../../blobs/blobs.ts'
import { openDiskBlobs } from '../../blobs/disk.ts'
import { largestLyrics } from '../../protocol/facts/sizes.ts'
import type { Operation } from '../../store/collection.ts'
import { createCatalog } from '../catalog.ts'
import { blobsInFacts, createCopies } from '../copies.ts'
import { albumParts, problemId, problems } from '../facts.ts'
import { createScanner } from '../scan/scanner.ts'
import { openCatalog } from './shared.ts'

const live = AbortSignal.timeout(120_000)
const node = '00000000-0000-4000-8000-00000000000a'
const viewer = { user: node, administrator: true }
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A library of two albums in one folder, with a picture and lyrics beside them, of which all has been read whole. */
async function readWhole() {
  await using stack = new AsyncDisposableStack()
  const music = stack.use(await makeMusicFolder())
  const song = (title: string, album: string) => ({ title, album, albumArtist: 'Artist', artist: 'Artist' })
  for (const title of ['a', 'b']) await music.add(`A/${title}.mp3`, song(title, 'One'))
  await music.add('A/c.mp3', song('c', 'Two'))
  await music.write('A/cover.jpg', 'a picture')
  await music.write('A/a.lrc', '[00:01.00]a')
  await music.write('A/b.lrc', '')
  await music.write('A/c.txt', 'x'.repeat(largestLyrics + 1))
  const catalog = stack.use(await openCatalog())
  await catalog.addLibrary(music.path)
  const blobs = stack.use(
    await openDiskBlobs(catalog.folder, { cacheBytes: 0, otherCopies: () => [], report: () => {} }),
  )
  const read: string[] = []
  const inPlace: Pick<InPlace, 'hash' | 'verify'> = {
    ...blobs.inPlace,
    hash(file, pace) {
      read.push(file.path.toString())
      return blobs.inPlace.hash(file, pace)
    },
  }
  const onError = (error: unknown) => assert.fail(String(error))
  const scanner = stack.use(createScanner({ ...catalog, hashing: { inPlace, bytesPerSecond: 1e9, onError } }))
  let isHeard = false
  scanner.giveWayTo(() => isHeard)
  const settled = () =>
    waitFor(() => scanner.status.phase === 'idle', { what: 'everything to be read whole' })
  await scanner.scan()
  await settled()
  const { store, index, places } = catalog
  const owned = stack.move()
  return {
    music,
    catalog,
    blobs,
    scanner,
    read,
    settled,
    /** While somebody listens, a file is read whole only after ten seconds. */
    hear: (now: boolean) => {
      isHeard = now
    },
    copies: createCopies(index, { root: places.root, nodeOf: () => node }),
    shown: createCatalog({ store, index }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

test('pictures and lyrics beside the music are blobs of the catalog, each read once', async () => {
  await using made = await readWhole()
  const { copies, catalog, blobs, read } = made
  const tracks = await catalog.tracks()
  const [cover, lyrics] = [sha256('a picture'), sha256('[00:01.00]a')]
  assert.deepEqual(
    tracks.map(({ files }) => files.map((file) => [file.cover?.blob, file.lyrics?.blob])),
    [[[cover, lyrics]], [[cover, undefined]], [[cover, undefined]]],
    'what is empty or too large is never shown, so it needs no copies',
  )
  assert.deepEqual(read.toSorted(), ['A/a.lrc', 'A/a.mp3', 'A/b.mp3', 'A/c.mp3', 'A/cover.jpg'])

  const all = [...tracks.flatMap(({ blob }) => blob ?? []), cover, lyrics].toSorted()
  assert.equal(all.length, 5)
  const paged: string[] = []
  for (;;) {
    const [next] = copies.references.page(paged.at(-1), 1)
    if (next === undefined) break
    paged.push(next.hash)
  }
  assert.deepEqual(paged, all)
  assert.deepEqual(
    copies.references.page(undefined, 10).map(({ hash }) => hash),
    all,
  )
  assert.deepEqual(copies.references.get(cover), { hash: cover, size: 9, inPlace: [node] })
  assert.deepEqual([...(await blobsInFacts(catalog.store, live))].toSorted(), all)
  const keys = [...new Set(tracks.map(({ album }) => albumParts.key(`${album}/000`)))]
  assert.deepEqual([...new Set(keys.flatMap(copies.blobsOf))].toSorted(), all)
  assert.deepEqual(
    copies.filesInPlace(cover).map(({ path, hash }) => [path, hash]),
    [['A/cover.jpg', cover]],
  )

  const files = await Array.fromAsync(copies.hashedFiles())
  assert.deepEqual(
    files.map(({ file }) => file.path),
    ['A/a.lrc', 'A/a.mp3', 'A/b.mp3', 'A/c.mp3', 'A/cover.jpg'],
  )
  for (const [at, { key, file }] of files.entries()) {
    assert.equal(await blobs.inPlace.verify(file), 'sound')
    assert.deepEqual(await Array.fromAsync(copies.hashedFiles(key)), files.slice(at + 1))
  }
})

test('[B4] a copy of a picture beside the music is not taken for waste', async () => {
  await using made = await readWhole()
  const { blobs, copies } = made
  const put = async (text: string) =>
    (
      await blobs.put(
        (async function* () {
          yield Buffer.from(text)
        })(),
      )
    ).hash
  const [cover, waste] = [await put('a picture'), await put('nobody needs this')]
  await waitFor(
    async () => {
      await blobs.collect(copies.isReferenced, 0, live)
      return (await blobs.size(waste)) === null
    },
    { what: 'the waste to be collected' },
  )
  assert.equal(await blobs.size(cover), 9)
})

test('a new picture, or new lyrics, are never taken for those before them', async () => {
  await using made = await readWhole()
  const { music, catalog, scanner, copies, shown } = made
  const [a] = await catalog.tracks()
  assert.ok(a)
  const seen = () => ({
    cover: shown.pictures(viewer, 'track', a.id)[0]?.file?.is?.blob,
    lyrics: shown.source(viewer, a.id).places[0]?.lyrics?.blob,
  })
  const before = { cover: sha256('a picture'), lyrics: sha256('[00:01.00]a') }
  assert.deepEqual(seen(), before)
  const version = shown.pictures(viewer, 'track', a.id)[0]?.version

  await music.add('A/a.mp3', { title: 'renamed', album: 'One', albumArtist: 'Artist', artist: 'Artist' })
  await touch(`${music.path}/A/a.mp3`)
  await scanner.scan()
  assert.deepEqual(seen(), before, 'other tags are no other picture')
  await made.settled()

  await touch(await music.write('A/cover.jpg', 'another picture'))
  await touch(await music.write('A/a.lrc', '[00:02.00]other words'))
  made.hear(true)
  await scanner.scan()
  assert.deepEqual(seen(), { cover: undefined, lyrics: undefined })
  assert.equal(copies.isReferenced(before.cover), false)
  made.hear(false)
  await made.settled()
  assert.deepEqual(seen(), { cover: sha256('another picture'), lyrics: sha256('[00:02.00]other words') })
  assert.notEqual(shown.pictures(viewer, 'track', a.id)[0]?.version, version)
})

test('a music folder that has been away for long is no copy any more, until it is there again', async () => {
  await using made = await readWhole()
  const { catalog, copies } = made
  const [track] = await catalog.tracks()
  const library = track?.files[0]?.library ?? ''
  const id = problemId(library, '')
  let revision = 0
  async function write(operation: Operation) {
    revision = (await catalog.store.commit(operation, live)).revision
    await catalog.index.waitFor(revision, live)
  }
  const placesOf = () =>
    [track?.blob ?? '', sha256('a picture')].map((hash) => copies.references.get(hash)?.inPlace)
  const gone = (at: number) => ({ library, path: '', code: 'LIBRARY_GONE', at })
  assert.deepEqual(placesOf(), [[node], [node]])
  await write(problems.create(id, gone(Date.now() - 60_000)))
  assert.deepEqual(placesOf(), [[node], [node]], 'a disk may be unplugged for a while')
  await write(problems.replace(id, revision, gone(Date.now() - 16 * 60_000)))
  assert.deepEqual(placesOf(), [[], []])
  assert.equal(copies.references.page(undefined, 10).length, 5, 'all of it is needed as before')
  await write(problems.remove(id, revision))
  assert.deepEqual(placesOf(), [[node], [node]])
})
