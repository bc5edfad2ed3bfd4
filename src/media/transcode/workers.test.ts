import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, type TestContext } from 'node:test'
import { dsf, musepack } from '../../../test/fixtures/rare.ts'
import { childrenRunning } from '../../../test/harness/children.ts'
import { isCoded } from '../../protocol/errors.ts'
import { createMedia, type Media } from '../media.ts'
import { risingTone, temporaryFolder, until, writeTone } from '../test-support.ts'
import { renditionFormats } from './transcoder.ts'
import { createMediaWorkers, type WorkerJob } from './workers.ts'

const live = new AbortController().signal
const program = 'transcode/worker/main.ts'

/* These come first: they count processes, and the others leave one ready for the next. */

test('[S1] a worker that dies is TRANSCODER_CRASHED, and the next one works', async (t) => {
  const folder = await temporaryFolder(t)
  await using workers = createMediaWorkers()
  const encode = (path: string) =>
    workers.run({ kind: 'encode', path, format: 'mp3', bitrateKbps: 128, offsetMs: 0 }, live)
  const long = await writeTone(folder, 60)
  const killed = new Set<number>()
  await assert.rejects(
    async () => {
      for await (const _ of encode(long)) {
        for (const child of await childrenRunning(program)) {
          // What it sent before its end comes afterwards: it may be gone by now.
          if (killed.has(child)) continue
          killed.add(child)
          process.kill(child, 'SIGSEGV')
        }
      }
    },
    (error) => isCoded(error, 'TRANSCODER_CRASHED'),
  )
  await until(async () => (await childrenRunning(program)).every((child) => !killed.has(child)))
  let size = 0
  for await (const chunk of encode(await writeTone(folder, 1))) size += chunk.length
  assert(size > 1_000)
})

test('[S1] a worker is gone once nobody reads from it, or its signal is aborted', async (t) => {
  await using workers = createMediaWorkers()
  const path = await writeTone(await temporaryFolder(t), 60)
  const job = { kind: 'encode', path, format: 'mp3', bitrateKbps: 128, offsetMs: 0 } as const
  const others = async (): Promise<number> => (await childrenRunning(program)).length
  for await (const _ of workers.run(job, live)) break
  await until(async () => (await others()) <= 1)
  const stop = new AbortController()
  await assert.rejects(async () => {
    for await (const _ of workers.run(job, stop.signal)) stop.abort(new Error('enough'))
  }, /enough/)
  await until(async () => (await others()) <= 1)
  assert.deepEqual(workers.status(), { running: 0, waiting: 0 })
})

test('no child is left when the workers are disposed of', async (t) => {
  const path = await writeTone(await temporaryFolder(t), 1)
  {
    await using workers = createMediaWorkers()
    for await (const _ of workers.run({ kind: 'probe', path }, live)) break
  }
  assert.deepEqual(await childrenRunning(program), [])
})

let folder: string
let media: Media
const workers = createMediaWorkers()
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hocket-media-'))
  media = createMedia({ cacheFolder: folder, audioCacheBytes: 0, coverCacheBytes: 0, report: () => {} })
})
after(async () => {
  await workers[Symbol.asyncDispose]()
  await media[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** As for listeners, one after the other: each job is done by the process that was made ready during the one before. */
async function run(job: WorkerJob): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of workers.run(job, live)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function probeBytes(t: TestContext, bytes: Uint8Array) {
  const path = join(await temporaryFolder(t), 'result')
  await writeFile(path, bytes)
  return await media.probe(path, live)
}

test('what no browser plays is made playable: Musepack and DSD', async (t) => {
  const folder = await temporaryFolder(t)
  const rare = { 'song.mpc': [musepack(), 300], 'song.dsf': [dsf(Buffer.alloc(0)), 1_000] } as const
  for (const [name, [bytes, durationMs]] of Object.entries(rare)) {
    const path = join(folder, name)
    await writeFile(path, bytes)
    const made = await run({ kind: 'encode', path, format: 'opus', bitrateKbps: 64, offsetMs: 0 })
    const found = await probeBytes(t, made)
    assert(Math.abs(found.durationMs - durationMs) < 100, `${name}: ${found.durationMs} ms`)
  }
})

const containers = { opus: 'ogg', aac: 'aac', mp3: 'mp3' }

for (const format of renditionFormats) {
  test(`${format}: the whole track, in its container, as long as it was, and the same bytes each time`, async (t) => {
    const path = await writeTone(await temporaryFolder(t), 5, 44_100, 2)
    const job = { kind: 'encode', path, format, bitrateKbps: 96, offsetMs: 0 } as const
    const bytes = await run(job)
    assert.deepEqual(await run(job), bytes)
    const found = await probeBytes(t, bytes)
    assert.equal(found.container, containers[format])
    assert.equal(found.codec, format)
    assert.equal(found.channels, 2)
    assert.equal(found.sampleRate, format === 'opus' ? 48_000 : 44_100)
    // ADTS has no length: what a program says of it is a guess from the bitrate.
    if (format !== 'aac') assert(Math.abs(found.durationMs - 5_000) < 100, `${found.durationMs} ms`)
  })

  test(`${format}: a start at an offset leaves out what lies before it`, async (t) => {
    const path = await writeTone(await temporaryFolder(t), 6)
    const bytes = await run({ kind: 'encode', path, format, bitrateKbps: 64, offsetMs: 4_250 })
    const wav = await decode(t, bytes)
    assert(Math.abs(wav.seconds - 1.75) < 0.15, `${wav.seconds} s`)
    assert(Math.abs(wav.pitchAt(0.3) - 1_000) < 30, `${wav.pitchAt(0.3)} Hz`)
    assert(Math.abs(wav.pitchAt(1.2) - 1_200) < 30, `${wav.pitchAt(1.2)} Hz`)
  })
}

/** Counts how often the wave goes up through zero: what a listener would hear. */
async function decode(t: TestContext, bytes: Uint8Array) {
  const { execFileSync } = await import('node:child_process')
  const path = join(await temporaryFolder(t), 'rendition')
  await writeFile(path, bytes)
  const rate = 16_000
  const pcm = execFileSync('ffmpeg', [
    '-v',
    'error',
    '-i',
    path,
    '-f',
    's16le',
    '-ac',
    '1',
    '-ar',
    `${rate}`,
    '-',
  ])
  return {
    seconds: pcm.length / 2 / rate,
    pitchAt(seconds: number) {
      const from = Math.round(seconds * rate)
      const length = rate / 4
      let crossings = 0
      for (let index = from; index < from + length; index += 1) {
        if (pcm.readInt16LE(index * 2) < 0 && pcm.readInt16LE(index * 2 + 2) >= 0) crossings += 1
      }
      return crossings * (rate / length)
    },
  }
}

test('96,000 Hz of six channels becomes what players play', async (t) => {
  const path = await writeTone(await temporaryFolder(t), 1, 96_000, 6)
  const found = await probeBytes(
    t,
    await run({ kind: 'encode', path, format: 'mp3', bitrateKbps: 128, offsetMs: 0 }),
  )
  assert.equal(found.sampleRate, 48_000)
  assert.equal(found.channels, 2)
})

test('a file whose name is not UTF-8 is read all the same', async (t) => {
  const folder = await temporaryFolder(t)
  const path = Buffer.concat([
    Buffer.from(`${folder}/`),
    Buffer.from([0xff, 0x0a, 0xe9]),
    Buffer.from('.wav'),
  ])
  await writeFile(path, risingTone(1))
  const bytes = await run({ kind: 'encode', path, format: 'opus', bitrateKbps: 32, offsetMs: 0 })
  assert.equal(bytes.toString('latin1', 0, 4), 'OggS')
})

const unreadable: [what: string, bytes: Uint8Array][] = [
  ['an empty file', new Uint8Array()],
  ['text', Buffer.from('This is not music.\n'.repeat(200))],
  ['zeros', new Uint8Array(100_000)],
  ['the head of a file without its audio', risingTone(1).subarray(0, 44)],
  [
    'a playlist that names another file',
    Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n#EXT-X-ENDLIST\n'),
  ],
  ['a list of files to join', Buffer.from("ffconcat version 1.0\nfile '/etc/passwd'\n")],
  ['an SVG picture', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
]
for (const [what, bytes] of unreadable) {
  test(`[S1] ${what} is MEDIA_UNREADABLE`, async (t) => {
    const path = join(await temporaryFolder(t), 'file.mp3')
    await writeFile(path, bytes)
    const job = { kind: 'encode', path, format: 'mp3', bitrateKbps: 128, offsetMs: 0 } as const
    await assert.rejects(run(job), (error) => isCoded(error, 'MEDIA_UNREADABLE'))
  })
}
