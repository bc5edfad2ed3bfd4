import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, test } from 'node:test'
import sharp from 'sharp'
import { temporaryFolder } from '../../../test/harness/folder.ts'
import type { Copy } from '../../blobs/blobs.ts'
import { openDiskBlobs } from '../../blobs/disk.ts'
import { createTagReader } from '../../catalog/tags/reader.ts'
import { createMedia } from '../../media/media.ts'
import { createOriginals } from '../../media/originals.ts'
import { CodedError } from '../../protocol/errors.ts'
import { createBeside } from './beside.ts'
import { createLyrics } from './lyrics.ts'
import { createRenditions } from './renditions.ts'
import { trackSource } from './test-source.ts'

const live = AbortSignal.timeout(60_000)
const library = '00000000-0000-4000-8000-000000000001'
const tagReader = createTagReader()
after(() => tagReader[Symbol.asyncDispose]())

/** A node without the music's folder, which knows other nodes that have these bytes; the first one breaks off. */
async function openNode(elsewhere: readonly Buffer[]) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('beside'))
  const blobs = stack.use(
    await openDiskBlobs(folder.path, { cacheBytes: 0, otherCopies: () => [], report: () => {} }),
  )
  const named = new Map(elsewhere.map((bytes) => [createHash('sha256').update(bytes).digest('hex'), bytes]))
  let asked = 0
  function copyOf(bytes: Buffer, breaksOff: boolean): Copy {
    return {
      size: bytes.length,
      async *chunks({ start, end } = { start: 0, end: bytes.length }) {
        asked += 1
        yield bytes.subarray(start, breaksOff ? Math.ceil((start + end) / 2) : end)
        if (breaksOff) throw new CodedError('UNREACHABLE')
      },
      [Symbol.dispose]() {},
    }
  }
  const originals = createOriginals({
    blobs,
    inPlace: blobs.inPlace,
    elsewhere: {
      copies({ blob = '' }) {
        const bytes = named.get(blob)
        return bytes === undefined ? [] : [true, false].map((breaks) => async () => copyOf(bytes, breaks))
      },
      bring: () => assert.fail('nothing is to be stored here'),
    },
    changed: () => undefined,
    changedOver: () => undefined,
  })
  const media = stack.use(
    createMedia({
      cacheFolder: join(folder.path, 'cache'),
      audioCacheBytes: 1 << 20,
      coverCacheBytes: 1 << 20,
      report: () => undefined,
    }),
  )
  const beside = createBeside({ places: { root: () => null }, originals })
  const tracks = { openFile: () => assert.fail('the music itself is not needed') }
  const owned = stack.move()
  return {
    blobs,
    asked: () => asked,
    renditions: createRenditions({ media, tracks, beside, pictureElsewhere: () => null, tagReader }),
    readLyrics: createLyrics({ tracks, beside, tagReader }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A red one. */
const makePicture = () =>
  sharp({ create: { width: 64, height: 64, channels: 3, background: '#ff0000' } })
    .png()
    .toBuffer()

const besideOf = (bytes: Buffer) => ({
  blob: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.length,
})

function pictureOf(bytes: Buffer) {
  const file = { library, path: 'A/cover.png', modifiedAt: 1, is: besideOf(bytes) }
  const picture = { version: 'seen', place: undefined, file, within: null }
  const asked = { id: library, name: 'Name', mosaic: false, accept: undefined, size: 64, v: 'seen' }
  return { ...asked, pictures: [picture] }
}

function sourceOf(bytes: Buffer) {
  const place = { library, path: 'A/a.flac', modifiedAt: 1, lyricsFile: 'a.lrc', lyrics: besideOf(bytes) }
  return trackSource({
    id: library,
    places: [{ ...place, coverFile: undefined, coverModifiedAt: undefined }],
  })
}

const words = Buffer.from('[00:01.50]the words\n[00:03.00]that are sung')

test('[B5] a picture and lyrics of a folder that is on no live node come from copies, past one that breaks off', async () => {
  const picture = await makePicture()
  await using node = await openNode([picture, words])
  const { bytes, immutable } = await node.renditions.cover(pictureOf(picture), live)
  using shown = bytes
  const pieces = await Array.fromAsync(shown.open({ start: 0, end: shown.size }, live), (piece) =>
    Buffer.from(piece),
  )
  const { dominant } = await sharp(Buffer.concat(pieces)).stats()
  assert.ok(dominant.r > 150 && dominant.g < 100, 'it is red')
  assert.equal(immutable, true)
  const { items } = await node.readLyrics(sourceOf(words), live)
  assert.deepEqual(
    items.map(({ synced, lines }) => [synced, lines.map(({ atMs, text }) => [atMs, text])]),
    [
      [
        true,
        [
          [1_500, 'the words'],
          [3_000, 'that are sung'],
        ],
      ],
    ],
  )
  assert.ok(node.asked() >= 4, 'each was begun at one copy and ended at another')
})

test('a copy on this node is read without asking another', async () => {
  const picture = await makePicture()
  await using node = await openNode([])
  for (const bytes of [picture, words])
    await node.blobs.put(
      (async function* () {
        yield bytes
      })(),
    )
  assert.equal((await node.renditions.cover(pictureOf(picture), live)).immutable, true)
  assert.equal((await node.readLyrics(sourceOf(words), live)).items.length, 1)
})

test('what is drawn while no copy can be had is not kept for ever, and gives way to the picture', async () => {
  const picture = await makePicture()
  await using node = await openNode([])
  assert.equal((await node.renditions.cover(pictureOf(picture), live)).immutable, false)
  assert.deepEqual(await node.readLyrics(sourceOf(words), live), { items: [] })
  await node.blobs.put(
    (async function* () {
      yield picture
    })(),
  )
  assert.equal((await node.renditions.cover(pictureOf(picture), live)).immutable, true)
})
