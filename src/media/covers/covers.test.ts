import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import sharp from 'sharp'
import { childrenRunning } from '../../../test/harness/children.ts'
import { createMedia } from '../media.ts'
import { readWhole, temporaryFolder, until } from '../test-support.ts'
import type { CoverProblem, CoverRequest, Picture } from './cover.ts'
import { initials, placeholder } from './placeholder.ts'

const live = new AbortController().signal
const program = 'covers/worker/main.ts'
const webp = 'image/avif,image/webp,image/svg+xml,image/*;q=0.8'

function setUp(cacheFolder: string) {
  const problems: CoverProblem[] = []
  const media = createMedia({
    cacheFolder,
    audioCacheBytes: 0,
    coverCacheBytes: 10_000_000,
    report: (problem) => problems.push(problem),
  })
  const show = async (request: Partial<CoverRequest>) => {
    const cover = await media.cover({ id: 'a', name: 'Name', pictures: [], ...request }, live)
    return { mediaType: cover.mediaType, etag: cover.etag, bytes: await readWhole(cover) }
  }
  return { problems, show, [Symbol.asyncDispose]: () => media[Symbol.asyncDispose]() }
}

function pictureOf(bytes: Uint8Array, version = hash('sha256', bytes)): Picture & { reads: number } {
  return {
    version,
    reads: 0,
    async read() {
      this.reads += 1
      return { bytes }
    },
  }
}

function solid(width: number, height: number, background = '#3060c0') {
  return sharp({ create: { width, height, channels: 3, background } })
}

// These come first: they count processes, and the others share one that stays.

test('the child is started when a picture is asked for, and gone when the role is', async (t) => {
  await using own = setUp(await temporaryFolder(t))
  assert.deepEqual(await childrenRunning(program), [])
  await own.show({ pictures: [pictureOf(await readFile(join(import.meta.dirname, 'covers.test.ts')))] })
  await own[Symbol.asyncDispose]()
  assert.deepEqual(await childrenRunning(program), [])
})

test('[S1] a worker that dies in the middle costs nobody their picture', async (t) => {
  await using own = setUp(await temporaryFolder(t))
  const picture = await solid(2_000, 2_000).png().toBuffer()
  const asked = Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      own.show({ pictures: [pictureOf(picture, `${index}`)], accept: webp }),
    ),
  )
  await until(async () => (await childrenRunning(program)).length > 0)
  for (const child of await childrenRunning(program)) process.kill(child, 'SIGKILL')
  assert.deepEqual(new Set((await asked).map(({ mediaType }) => mediaType)), new Set(['image/webp']))
})

test('a picture is made once for each size, and found again by another process', async (t) => {
  const folder = await temporaryFolder(t)
  const picture = pictureOf(await solid(300, 300).png().toBuffer())
  await using own = setUp(folder)
  const { show } = own
  const both = await Promise.all([1, 2].map(() => show({ pictures: [picture], size: 64 })))
  assert.equal(picture.reads, 1)
  const again = await show({ pictures: [picture], size: 50 })
  assert.equal(picture.reads, 1)
  assert.deepEqual(again.bytes, both[0]?.bytes)
  await own[Symbol.asyncDispose]()
  await using later = setUp(folder)
  assert.deepEqual(await later.show({ pictures: [picture], size: 64 }), again)
  assert.equal(picture.reads, 1)
})

let folder: string
let shared: ReturnType<typeof setUp>
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hocket-covers-'))
  shared = setUp(folder)
})
after(async () => {
  await shared[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('a picture is fitted into the size asked for, as WebP to who takes it, else as JPEG', async () => {
  const { show } = shared
  const picture = pictureOf(await solid(800, 400).png().toBuffer())
  const small = await show({ pictures: [picture], size: 100, accept: webp })
  const { format, width, height } = await sharp(small.bytes).metadata()
  assert.deepEqual({ format, width, height }, { format: 'webp', width: 128, height: 64 })
  assert.equal(small.mediaType, 'image/webp')
  const jpeg = await show({ pictures: [picture], size: 256, accept: 'image/*' })
  assert.equal(jpeg.mediaType, 'image/jpeg')
  assert.equal((await sharp(jpeg.bytes).metadata()).width, 256)
})

test('a picture is never made larger, and stands as its orientation says', async () => {
  const { show } = shared
  const lying = await solid(120, 40).withMetadata({ orientation: 6 }).jpeg().toBuffer()
  const { bytes } = await show({ pictures: [pictureOf(lying)], size: 1_024 })
  const { width, height, exif } = await sharp(bytes).metadata()
  assert.deepEqual({ width, height, exif }, { width: 40, height: 120, exif: undefined })
})

test('CMYK and transparent pictures keep their colours', async () => {
  const { show } = shared
  const cmyk = await solid(64, 64, '#ff0000').toColourspace('cmyk').jpeg().toBuffer()
  const red = await sharp((await show({ pictures: [pictureOf(cmyk, 'cmyk')] })).bytes).stats()
  assert(
    red.channels.length === 3 && (red.channels[0]?.mean ?? 0) > 200 && (red.channels[2]?.mean ?? 255) < 60,
  )
  const clear = { width: 64, height: 64, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const
  const none = await sharp({ create: clear }).png().toBuffer()
  const white = await sharp((await show({ pictures: [pictureOf(none, 'clear')], accept: '' })).bytes).stats()
  assert((white.channels[0]?.mean ?? 0) > 250)
})

test('an image file beside the music is read, whatever bytes its name has', async () => {
  const { show } = shared
  const path = Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from([0xff, 0xfe])])
  await writeFile(path, await solid(64, 64).jpeg().toBuffer())
  const { mediaType } = await show({ pictures: [{ version: 'file', read: async () => ({ path }) }] })
  assert.equal(mediaType, 'image/jpeg')
})

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>'
const notPictures: [what: string, bytes: () => Promise<Uint8Array>][] = [
  ['text', async () => Buffer.from('not a picture')],
  ['nothing', async () => new Uint8Array()],
  ['a document that could name other files', async () => Buffer.from(svg)],
  ['a picture that is cut off', async () => (await solid(500, 500).png().toBuffer()).subarray(0, 200)],
  ['a picture of 40,000 × 40,000 pixels', async () => await hugePng()],
]
for (const [what, make] of notPictures) {
  test(`[S1] ${what} gives the placeholder, and is reported once`, async () => {
    const { show, problems } = shared
    problems.length = 0
    const pictures = [pictureOf(await make(), what)]
    for (const size of [64, 64, 512]) {
      assert.equal((await show({ pictures, size, accept: webp })).mediaType, 'image/svg+xml')
    }
    assert.deepEqual(
      problems.map(({ id, version, code }) => ({ id, version, code })),
      [{ id: 'a', version: what, code: 'COVER_UNREADABLE' }],
    )
  })
}

/** The header of a PNG claims what no memory holds. */
async function hugePng(): Promise<Buffer> {
  const { crc32 } = await import('node:zlib')
  const png = await solid(8, 8).png().toBuffer()
  png.writeUInt32BE(40_000, 16)
  png.writeUInt32BE(40_000, 20)
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29)
  return png
}

test('where the best picture cannot be read, the next one is shown', async () => {
  const { show } = shared
  const bad = pictureOf(Buffer.from('bad'))
  const good = pictureOf(await solid(64, 64).png().toBuffer())
  const none: Picture = { version: 'none', read: async () => null }
  assert.equal((await show({ pictures: [bad, none, good], accept: webp })).mediaType, 'image/webp')
})

test('a playlist shows four pictures in one; with fewer, the first', async () => {
  const { show } = shared
  const colours = ['#ff0000', '#00ff00', '#0000ff', '#ffffff']
  const pictures = await Promise.all(
    colours.map(async (colour) => pictureOf(await solid(300, 200, colour).png().toBuffer(), colour)),
  )
  const { bytes } = await show({ pictures, mosaic: true, size: 128 })
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) =>
    [0, 1, 2].map((c) => (data[(y * info.width + x) * info.channels + c] ?? 0) > 128)
  assert.deepEqual([info.width, info.height], [128, 128])
  assert.deepEqual(
    [at(20, 20), at(100, 20), at(20, 100), at(100, 100)],
    [
      [true, false, false],
      [false, true, false],
      [false, false, true],
      [true, true, true],
    ],
  )
  const single = await show({ pictures: pictures.slice(0, 3), mosaic: true, size: 128 })
  assert.equal((await sharp(single.bytes).metadata()).height, 85)
})

test('the placeholder is the same for the same thing, drawn as SVG or for old clients as JPEG', async () => {
  const { show } = shared
  const drawn = await show({ accept: webp })
  assert.deepEqual(await show({ accept: webp }), drawn)
  assert.notEqual((await show({ id: 'b', accept: webp })).etag, drawn.etag)
  const jpeg = await show({ accept: '*/*', size: 256 })
  const { format, width } = await sharp(jpeg.bytes).metadata()
  assert.deepEqual({ format, width }, { format: 'jpeg', width: 256 })
})

test('a placeholder is well-formed SVG whatever the name', async () => {
  for (const name of ['<script>', '"&\'', '\u0000\u0001', '\ud800', '日本', '👩‍👩‍👧 family', '']) {
    const drawing = placeholder('id', name)
    await sharp(Buffer.from(drawing)).metadata()
    assert(!drawing.includes('<script'))
  }
  const letters: [name: string, initials: string][] = [
    ['Abbey Road', 'AR'],
    ['the dark side of the moon', 'TM'],
    ['Ænima', 'Æ'],
    ['日本 語', '日語'],
    ['!!!', '♪'],
    ['"Heroes"', 'H'],
  ]
  for (const [name, expected] of letters) assert.equal(initials(name), expected)
})
