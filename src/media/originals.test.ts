import assert from 'node:assert/strict'
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PlacedFile } from '../blobs/blobs.ts'
import { flipByte, noise, openTestBlobs, streamOf } from '../blobs/test-support.ts'
import { isCoded } from '../protocol/errors.ts'
import { createOriginals, nowhereElse, type Original } from './originals.ts'
import type { Representation } from './serve/representation.ts'

const modifiedAt = 1_700_000_000_000
const signal = AbortSignal.timeout(600_000)

/** One track's bytes as a blob, and twice as a file in a music folder. */
async function openTrack() {
  const test = await openTestBlobs()
  const root = join(test.folder, 'music')
  await mkdir(root)
  const content = noise(900_000)
  const place = async (path: string): Promise<PlacedFile> => {
    await writeFile(join(root, path), content)
    await utimes(join(root, path), new Date(modifiedAt), new Date(modifiedAt))
    return { root, path, size: content.length, modifiedAt }
  }
  const { hash } = await test.blobs.put(streamOf(content))
  const places = [await place('one.flac'), await place('two.flac')].map((file) => ({ ...file, hash }))
  const changed: PlacedFile[] = []
  const { blobs } = test
  const originals = createOriginals({
    changedOver: () => undefined,
    blobs,
    inPlace: blobs.inPlace,
    elsewhere: nowhereElse,
    changed: (file) => changed.push(file),
  })
  const original: Original = {
    title: 'Some song',
    fingerprint: '0'.repeat(32),
    blob: hash,
    mediaType: 'audio/flac',
    modifiedAt,
    places,
    elsewhere: [],
  }
  return {
    ...test,
    root,
    content,
    originals,
    original,
    changed,
    [Symbol.asyncDispose]: test[Symbol.asyncDispose],
  }
}

async function bytesOf(body: Representation, start = 0, end = body.size): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body.open({ start, end }, signal)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function blobFile(folder: string): Promise<string> {
  const entries = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
  const found = entries.find((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name))
  assert.ok(found)
  return join(found.parentPath, found.name)
}

test('[B5] a copy that fails in mid-stream is changed for another, and the bytes are the same', async () => {
  await using track = await openTrack()
  const asking = new AbortController()
  using body = await track.originals.open(track.original, asking.signal)
  // The time that an answer may take to begin has passed long before its end.
  asking.abort()
  await flipByte(join(track.root, 'one.flac'), 500_000, new Date(modifiedAt))
  await flipByte(join(track.root, 'two.flac'), 300_000, new Date(modifiedAt))
  assert.deepEqual(await bytesOf(body, 100, 899_000), track.content.subarray(100, 899_000))
})

test('[B5] damage in every copy ends the stream with an error, after sound bytes only', async () => {
  await using track = await openTrack()
  for (const place of track.original.places) await track.blobs.inPlace.hash(place)
  const damaged = [await blobFile(track.folder), join(track.root, 'one.flac'), join(track.root, 'two.flac')]
  for (const path of damaged) await flipByte(path, 500_000, new Date(modifiedAt))
  using body = await track.originals.open(track.original, signal)
  const received: Buffer[] = []
  await assert.rejects(
    async () => {
      for await (const chunk of body.open({ start: 0, end: body.size }, signal))
        received.push(Buffer.from(chunk))
    },
    (error) => isCoded(error),
  )
  const sound = Buffer.concat(received)
  assert.ok(sound.length > 0 && sound.length <= 500_000)
  assert.deepEqual(sound, track.content.subarray(0, sound.length))
})

test('a file that is gone is looked for at its other place; without one, it says so', async () => {
  await using track = await openTrack()
  const original = { ...track.original, blob: undefined, places: track.original.places.map(unhashed) }
  await rm(join(track.root, 'one.flac'))
  {
    using body = await track.originals.open(original, signal)
    assert.deepEqual(await bytesOf(body), track.content)
  }
  const gone = { ...original, places: original.places.slice(0, 1) }
  await assert.rejects(track.originals.open(gone, signal), (error) => isCoded(error, 'FILE_MISSING'))
})

test('a file that was retagged since the scan plays as it now is, under another tag, and is scanned again', async () => {
  await using track = await openTrack()
  const original = {
    ...track.original,
    blob: undefined,
    places: track.original.places.slice(0, 1).map(unhashed),
  }
  const retagged = noise(800_000)
  await writeFile(join(track.root, 'one.flac'), retagged)
  using body = await track.originals.open(original, signal)
  assert.deepEqual(await bytesOf(body), retagged)
  assert.ok(!body.etag.includes(original.fingerprint), 'other bytes must have another tag')
  assert.deepEqual(
    track.changed.map(({ path }) => path),
    ['one.flac'],
  )
})

function unhashed({ root, path, size, modifiedAt }: PlacedFile): PlacedFile {
  return { root, path, size, modifiedAt }
}

test('[B5] a copy here that fails in mid-stream is changed for one on another node', async () => {
  await using track = await openTrack()
  await using other = await openTestBlobs()
  await other.blobs.put(streamOf(track.content))
  const hash = track.original.blob ?? ''
  const originals = createOriginals({
    changedOver: () => undefined,
    blobs: track.blobs,
    inPlace: track.blobs.inPlace,
    elsewhere: { ...nowhereElse, copies: () => [() => other.blobs.open(hash)] },
    changed: () => {},
  })
  await flipByte(await blobFile(track.folder), 500_000)
  using body = await originals.open({ ...track.original, places: [] }, signal)
  assert.deepEqual(await bytesOf(body), track.content)
})

test('what lies on another node only is read from there, and brought here for a decoder', async () => {
  await using track = await openTrack()
  await using here = await openTestBlobs()
  const hash = track.original.blob ?? ''
  const originals = createOriginals({
    changedOver: () => undefined,
    blobs: here.blobs,
    inPlace: here.blobs.inPlace,
    elsewhere: {
      copies: () => [() => track.blobs.open(hash)],
      async bring() {
        using copy = await track.blobs.open(hash)
        await here.blobs.put(copy.chunks(), { expected: hash })
        return await here.blobs.open(hash)
      },
    },
    changed: () => {},
  })
  const original = { ...track.original, places: [] }
  using body = await originals.open(original, signal)
  assert.deepEqual(await bytesOf(body, 10, 20), track.content.subarray(10, 20))
  assert.equal(await here.blobs.size(hash), null, 'listening does not fill the disk')
  using file = await originals.openFile(original, signal)
  assert.ok(file.path.toString().startsWith(here.folder))
})
