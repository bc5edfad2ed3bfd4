import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { createPasswords, type Passwords } from '../../src/accounts/password.ts'
import { openDiskBlobs } from '../../src/blobs/disk.ts'
import type { TrackSource } from '../../src/catalog/catalog.ts'
import { createBeside } from '../../src/gateway/media/beside.ts'
import { createRenditions, type Renditions, type WantedPicture } from '../../src/gateway/media/renditions.ts'
import { createTracks, type Tracks } from '../../src/gateway/media/tracks.ts'
import { peerPasswordRoutes } from '../../src/gateway/peers/passwords.ts'
import { peerRenditionRoutes } from '../../src/gateway/peers/renditions.ts'
import { startCluster, type TestCluster, type TestNode } from '../../src/gateway/peers/testing/cluster.ts'
import { createMedia } from '../../src/media/media.ts'
import { createOriginals, nowhereElse } from '../../src/media/originals.ts'
import { isComplete, type Production, type Representation } from '../../src/media/serve/representation.ts'
import { readWhole, risingTone } from '../../src/media/test-support.ts'
import { createPasswordsElsewhere } from '../../src/node/roles/passwords.ts'
import { createRenditionsElsewhere } from '../../src/node/roles/renditions.ts'
import { createTurns } from '../../src/node/roles/turns.ts'
import { type ErrorCode, isCoded } from '../../src/protocol/errors.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { waitFor } from '../harness/wait.ts'

/** What a role does is the same here and elsewhere: the local objects and those that ask other nodes pass one suite. */

const live = new AbortController().signal
const coded = (code: ErrorCode) => (error: unknown) => isCoded(error, code)
const library = '00000000-0000-4000-8000-000000000001'

let music: TemporaryFolder
let cluster: TestCluster
let stack: AsyncDisposableStack
/** The node that asks. */
let asker: TestNode
/** The nodes that have the roles. */
let workers: TestNode[]
/** Changes what one of them makes, as another version of an encoder would. */
let spoil = false
let tone: TrackSource
const implementations: Record<'here' | 'elsewhere', { passwords: Passwords; renditions: Renditions } | null> =
  {
    here: null,
    elsewhere: null,
  }

before(async () => {
  stack = new AsyncDisposableStack()
  music = stack.use(await temporaryFolder('music'))
  await writeFile(join(music.path, 'tone.wav'), risingTone(120))
  await writeFile(join(music.path, 'noise.wav'), Buffer.alloc(10_000, 'no audio at all'))
  await writeFile(
    join(music.path, 'cover.png'),
    await sharp({ create: { width: 300, height: 300, channels: 3, background: '#c33' } })
      .png()
      .toBuffer(),
  )
  tone = await sourceOf('tone.wav')
  const [one, two, three] = [await openMaker('one'), await openMaker('two'), await openMaker('three')]
  cluster = stack.use(await startCluster())
  asker = cluster.founder
  const routes = ({ renditions }: { renditions: Renditions }) => [
    peerRenditionRoutes(renditions),
    peerPasswordRoutes(createPasswords()),
  ]
  workers = []
  for (const [name, maker] of Object.entries({ one, two }))
    workers.push(await cluster.add(name, routes(maker), ['media', 'accounts']))
  await waitFor(() => asker.registry.nodes().length === 3, { what: 'all nodes' })
  const turns = createTurns(asker.calls, asker.id)
  implementations.here = { passwords: createPasswords(), renditions: three.renditions }
  implementations.elsewhere = {
    passwords: createPasswordsElsewhere(asker.calls, turns),
    renditions: elsewhere(three.tracks),
  }
})
after(() => stack.disposeAsync())

function elsewhere(tracks: Tracks, patienceMs?: number): Renditions {
  const turns = createTurns(asker.calls, asker.id, patienceMs)
  return createRenditionsElsewhere({
    calls: asker.calls,
    turns,
    tracks,
    holders: () => [],
    nodeOf: () => null,
  })
}

/** The media role over a folder of its own and the music that all of them see. */
async function openMaker(name: string): Promise<{ tracks: Tracks; renditions: Renditions }> {
  const data = stack.use(await temporaryFolder(name)).path
  const blobs = stack.use(
    await openDiskBlobs(data, { cacheBytes: 1 << 20, otherCopies: () => [], report: () => undefined }),
  )
  const media = stack.use(
    createMedia({
      cacheFolder: join(data, 'cache'),
      audioCacheBytes: 1 << 26,
      coverCacheBytes: 1 << 24,
      report: () => undefined,
    }),
  )
  const originals = createOriginals({
    blobs,
    inPlace: blobs.inPlace,
    elsewhere: nowhereElse,
    changed: () => undefined,
    changedOver: () => undefined,
  })
  const tracks = createTracks({
    originals,
    places: {
      elsewhere: () => [],
      files: ({ size, places }) =>
        places.map(({ path, modifiedAt }) => ({ root: music.path, path, size, modifiedAt })),
    },
  })
  const tagReader = { readCover: async () => null }
  const beside = createBeside({ places: { root: () => music.path }, originals })
  const made = createRenditions({ media, tracks, beside, pictureElsewhere: () => null, tagReader })
  const renditions: Renditions = {
    ...made,
    async transcode(...asked) {
      const { bytes, immutable } = await made.transcode(...asked)
      return { bytes: spoil && name === 'two' ? spoiled(bytes) : bytes, immutable }
    },
  }
  return { tracks, renditions }
}

function spoiled(bytes: Representation | Production): Production {
  const whole = isComplete(bytes) ? bytes.open({ start: 0, end: bytes.size }, live) : bytes.bytes
  async function* changed() {
    for await (const chunk of whole) yield Buffer.from(chunk).fill(1, 0, 1)
  }
  return { mediaType: bytes.mediaType, bytes: changed(), [Symbol.dispose]: () => bytes[Symbol.dispose]() }
}

async function sourceOf(path: string): Promise<TrackSource> {
  const { size, mtimeMs } = await stat(join(music.path, path))
  const place = { library, path, modifiedAt: Math.trunc(mtimeMs) }
  const beside = {
    lyricsFile: undefined,
    lyrics: undefined,
    coverFile: undefined,
    coverModifiedAt: undefined,
  }
  return {
    id: library,
    album: library,
    part: '0',
    title: path,
    size,
    fingerprint: `fingerprint-of-${path}`,
    blob: undefined,
    codec: 'pcm',
    mediaType: 'audio/wav',
    suffix: 'wav',
    durationMs: 120_000,
    bitrate: 706,
    sampleRate: 44_100,
    channels: 1,
    embeddedCover: false,
    embeddedLyrics: false,
    places: [{ ...place, ...beside }],
  }
}

const wanted = (bitrateKbps: number, offsetMs = 0) =>
  ({ format: 'mp3', bitrateKbps, offsetMs, v: undefined }) as const

for (const where of ['here', 'elsewhere'] as const) {
  const role = () => implementations[where] ?? assert.fail('it is not there')

  test(`${where}: passwords are hashed and compared, and bad ones refused [S2]`, async () => {
    const { passwords } = role()
    const hash = await passwords.hash('correct horse battery staple')
    assert.match(hash, /^\$argon2id\$/)
    assert.equal(passwords.isOutdated(hash), false)
    assert.equal(await passwords.verify('correct horse battery staple', hash), true)
    assert.equal(await passwords.verify('another password', hash), false)
    assert.equal(await passwords.verify('nobody has this name', undefined), false)
    await assert.rejects(passwords.hash('short'), coded('BAD_REQUEST'))
  })

  test(`${where}: a track is made into something else, whole or from an offset, the same each time`, async () => {
    const { renditions } = role()
    const { bytes } = await renditions.transcode(tone, wanted(96), live)
    assert.equal(bytes.mediaType, 'audio/mpeg')
    const whole = await readWhole(bytes)
    assert.ok(Math.abs(whole.length - 120 * 12_000) < 20_000, `${whole.length} bytes`)
    const later = await readWhole((await renditions.transcode(tone, wanted(96, 100_000), live)).bytes)
    assert.ok(Math.abs(later.length - 20 * 12_000) < 20_000, `${later.length} bytes`)
    await assert.rejects(
      renditions.transcode(tone, wanted(96, 130_000), live),
      coded('RANGE_NOT_SATISFIABLE'),
    )
    const noise = await sourceOf('noise.wav')
    await assert.rejects(renditions.transcode(noise, wanted(96), live), coded('MEDIA_UNREADABLE'))
    const gone = { ...tone, places: tone.places.map((place) => ({ ...place, path: 'gone.wav' })) }
    await assert.rejects(renditions.transcode(gone, wanted(96), live), coded('FILE_MISSING'))
  })

  test(`${where}: what was made is kept, and had in ranges`, async () => {
    const { renditions } = role()
    const whole = await readWhole((await renditions.transcode(tone, wanted(64), live)).bytes)
    const kept = await waitFor(
      async () => {
        const { bytes } = await renditions.transcode(tone, wanted(64), live)
        if (isComplete(bytes)) return bytes
        bytes[Symbol.dispose]()
        return undefined
      },
      { what: 'it to be kept' },
    )
    using complete = kept
    assert.equal(complete.size, whole.length)
    for (const [start, end] of [
      [0, 10],
      [10, 70_000],
      [500_000, 500_001],
      [70_000, whole.length],
    ] as const) {
      const pieces: Buffer[] = []
      for await (const piece of complete.open({ start, end }, live)) pieces.push(Buffer.from(piece))
      assert.deepEqual(Buffer.concat(pieces), whole.subarray(start, end), `${start} to ${end}`)
    }
  })

  test(`${where}: the stored bytes are handed out where they suffice`, async () => {
    const { renditions } = role()
    const source = { ...tone, codec: 'mp3', bitrate: 96 }
    const { bytes } = await renditions.transcode(source, wanted(128), live)
    assert.deepEqual(await readWhole(bytes), await readFile(join(music.path, 'tone.wav')))
  })

  test(`${where}: there is a picture for everything`, async () => {
    const { renditions } = role()
    const nothing = { id: library, name: 'A name', mosaic: false, accept: undefined, size: 64, v: undefined }
    const drawn = await renditions.cover({ ...nothing, pictures: [] }, live)
    assert.equal(drawn.bytes.mediaType, 'image/jpeg')
    assert.equal((await sharp(await readWhole(drawn.bytes)).metadata()).format, 'jpeg')
    const { mtimeMs } = await stat(join(music.path, 'cover.png'))
    const file = { library, path: 'cover.png', modifiedAt: Math.trunc(mtimeMs), is: undefined }
    const picture: WantedPicture = {
      ...nothing,
      pictures: [{ version: 'the version', place: undefined, file, within: null }],
      v: 'the version',
    }
    const { bytes, immutable } = await renditions.cover(picture, live)
    assert.equal(immutable, true)
    assert.match(bytes.etag, /^"/)
    const { dominant } = await sharp(await readWhole(bytes)).stats()
    assert.ok(dominant.r > 150 && dominant.g < 100, 'it is red')
  })
}

/** The first of the bytes, and a way to read the rest. */
async function beginning(bytes: Representation | Production) {
  const chunks = (isComplete(bytes) ? bytes.open({ start: 0, end: bytes.size }, live) : bytes.bytes)[
    Symbol.asyncIterator
  ]()
  const first = await chunks.next()
  assert.ok(first.done !== true)
  const head = Buffer.from(first.value)
  return {
    head,
    async rest() {
      const pieces = [head]
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
        pieces.push(Buffer.from(next.value))
      return Buffer.concat(pieces)
    },
  }
}

test('[N3] a node that is silent is not waited for: the next one is asked as well', async () => {
  const silent: string[] = []
  const turns = createTurns(asker.calls, asker.id, 20)
  const answer = await turns.ask('media', {
    async at(node, signal) {
      if (silent.length > 0) return node
      silent.push(node)
      return await new Promise<string>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    },
  })
  assert.notEqual(answer, silent[0])
})

test('[B5] the node that makes it dies, and another one goes on, byte for byte, or the stream is cut', async () => {
  const [one, two] = workers
  assert.ok(one && two)
  const { renditions } = implementations.elsewhere ?? assert.fail('it is not there')
  const reference = await readWhole(
    (
      await (implementations.here ?? assert.fail('it is not there')).renditions.transcode(
        tone,
        wanted(192),
        live,
      )
    ).bytes,
  )
  // Whoever holds the bytes is asked first, so here the first node is.
  const turns = createTurns(asker.calls, asker.id)
  const fromOne = createRenditionsElsewhere({
    calls: asker.calls,
    turns,
    tracks: { open: () => assert.fail('not as it is stored') },
    holders: () => [],
    nodeOf: () => one.id,
  })
  const whole = await beginning((await fromOne.transcode(tone, wanted(192), live)).bytes)
  spoil = true
  // The last, so that it is far from its end when its node dies.
  const torn = await beginning((await fromOne.transcode(tone, wanted(160), live)).bytes)
  spoil = false
  await one[Symbol.asyncDispose]()
  assert.ok(Buffer.compare(await whole.rest(), reference) === 0, 'the bytes are the same')
  spoil = true
  await assert.rejects(torn.rest(), coded('INTERNAL'))
  spoil = false

  await two[Symbol.asyncDispose]()
  await waitFor(() => asker.registry.nodes().length === 1, { what: 'both to be gone' })
  await assert.rejects(renditions.transcode(tone, wanted(80), live), coded('ROLE_AWAY'))
})
