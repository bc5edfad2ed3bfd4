import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { isComplete, type Production } from '../serve/representation.ts'
import { readWhole, sourceOf, temporaryFolder, until } from '../test-support.ts'
import type { Rendition, Transcoder } from '../transcode/transcoder.ts'
import { createCachingTranscoder } from './caching.ts'
import { openDiskCache } from './disk-cache.ts'

const live = new AbortController().signal
const whole: Rendition = { format: 'opus', bitrateKbps: 96, offsetMs: 0 }
const source = sourceOf('/music/a.flac', 60_000)

/** A transcoder whose output the test pours by hand. */
function handMade() {
  const log = { begun: 0, stopped: 0, disposed: 0 }
  let pour: (chunk: string) => void = () => {}
  let end: (error?: Error) => void = () => {}
  const transcoder: Transcoder = {
    async transcode(_source, _rendition, signal): Promise<Production> {
      log.begun += 1
      signal.addEventListener('abort', () => {
        log.stopped += 1
        end(new Error('stopped'))
      })
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, {
        highWaterMark: 100,
      })
      const writer = writable.getWriter()
      writer.closed.catch(() => {})
      pour = (chunk) => void writer.write(Buffer.from(chunk)).catch(() => {})
      end = (error) => void (error ? writer.abort(error) : writer.close()).catch(() => {})
      const dispose = (): void => {
        log.disposed += 1
      }
      return { mediaType: 'audio/ogg', bytes: readable, [Symbol.dispose]: dispose }
    },
  }
  return { transcoder, log, pour: (chunk: string) => pour(chunk), end: (error?: Error) => end(error) }
}

async function setUp(t: TestContext, budget = 1_000_000) {
  const made = handMade()
  const cache = openDiskCache(await temporaryFolder(t), budget)
  const caching = createCachingTranscoder(made.transcoder, cache)
  t.after(async () => {
    await caching[Symbol.asyncDispose]()
    await cache[Symbol.asyncDispose]()
  })
  return { ...made, cache, caching }
}

test('several listeners of the same rendition share one run, and each gets all of it', async (t) => {
  const { caching, log, pour, end } = await setUp(t)
  const first = caching.transcode(source, whole, live)
  await until(() => log.begun === 1)
  pour('one')
  const early = await first
  const second = await caching.transcode(source, whole, live)
  pour('two')
  const third = await caching.transcode(source, whole, live)
  end()
  const heard = await Promise.all([early, second, third].map(readWhole))
  assert.deepEqual(heard.map(String), ['onetwo', 'onetwo', 'onetwo'])
  assert.equal(log.begun, 1)
  assert.equal(log.disposed, 1)
})

test('what was made once is answered from the cache, with ranges', async (t) => {
  const { caching, log, pour, end } = await setUp(t)
  const first = caching.transcode(source, whole, live)
  await until(() => log.begun === 1)
  pour('0123456789')
  end()
  await readWhole(await first)
  using kept = await caching.transcode(source, whole, live)
  assert(isComplete(kept))
  assert.equal(kept.size, 10)
  assert.equal(kept.mediaType, 'audio/ogg')
  const chunks: string[] = []
  for await (const chunk of kept.open({ start: 3, end: 6 }, live)) chunks.push(String(Buffer.from(chunk)))
  assert.equal(chunks.join(''), '345')
  assert.equal(log.begun, 1)
})

test('another bitrate, format or version is another rendition', async (t) => {
  const { caching, log, pour, end } = await setUp(t)
  const others = [
    () => caching.transcode(source, whole, live),
    () => caching.transcode(source, { ...whole, bitrateKbps: 64 }, live),
    () => caching.transcode(source, { ...whole, format: 'mp3' }, live),
    () => caching.transcode({ ...source, version: 'retagged' }, whole, live),
  ]
  for (const [index, ask] of others.entries()) {
    const asked = ask()
    await until(() => log.begun === index + 1)
    pour(`rendition ${index}`)
    end()
    assert.equal(String(await readWhole(await asked)), `rendition ${index}`)
  }
})

test('what begins at an offset is shared while it is made, but not kept', async (t) => {
  const { caching, cache, log, pour, end } = await setUp(t)
  const later = { ...whole, offsetMs: 5_000 }
  const first = caching.transcode(source, later, live)
  await until(() => log.begun === 1)
  pour('x')
  const heard = await Promise.all([first, caching.transcode(source, later, live)])
  end()
  await Promise.all(heard.map(readWhole))
  assert.equal(log.begun, 1)
  assert.equal(cache.status().entries, 0)
})

test('a run ends when its last listener leaves, not before', async (t) => {
  const { caching, cache, log, pour } = await setUp(t)
  const first = caching.transcode(source, whole, live)
  await until(() => log.begun === 1)
  pour('abc')
  const stays = await first
  const leaves = await caching.transcode(source, whole, live)
  leaves[Symbol.dispose]()
  leaves[Symbol.dispose]()
  assert.equal(log.stopped, 0)
  stays[Symbol.dispose]()
  assert.equal(log.stopped, 1)
  await until(() => log.disposed === 1)
  assert.equal(cache.status().entries, 0)
  const again = caching.transcode(source, whole, live)
  await until(() => log.begun === 2)
  pour('def')
  ;(await again)[Symbol.dispose]()
})

test('a listener who gives up before the first byte ends the run', async (t) => {
  const { caching, log } = await setUp(t)
  const stop = new AbortController()
  const asked = caching.transcode(source, whole, stop.signal)
  await until(() => log.begun === 1)
  stop.abort(new Error('gone'))
  await assert.rejects(asked, /gone/)
  assert.equal(log.stopped, 1)
})

test('a failure before the first byte is an answer; after it, it cuts every listener off, and nothing is kept', async (t) => {
  const { caching, cache, log, pour, end } = await setUp(t)
  const refused = caching.transcode(source, whole, live)
  await until(() => log.begun === 1)
  end(new CodedError('MEDIA_UNREADABLE'))
  await assert.rejects(refused, (error) => isCoded(error, 'MEDIA_UNREADABLE'))

  const cut = caching.transcode(source, whole, live)
  await until(() => log.begun === 2)
  pour('abc')
  const listener = await cut
  end(new CodedError('TRANSCODER_CRASHED'))
  await assert.rejects(readWhole(listener), (error) => isCoded(error, 'TRANSCODER_CRASHED'))
  assert.equal(cache.status().entries, 0)
})

test('a rendition larger than the whole budget is heard all the same', async (t) => {
  const { caching, cache, log, pour, end } = await setUp(t, 5)
  const asked = caching.transcode(source, whole, live)
  await until(() => log.begun === 1)
  pour('0123456789')
  const listener = await asked
  end()
  assert.equal(String(await readWhole(listener)), '0123456789')
  assert.equal(cache.status().entries, 0)
})
