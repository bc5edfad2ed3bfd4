import assert from 'node:assert/strict'
import test from 'node:test'
import { answer, type ServeOptions } from './answer.ts'

const modified = Date.UTC(2024, 4, 6, 7, 8, 9, 321)
const bytes = { size: 1_000, etag: '"v1"', lastModified: modified, mediaType: 'audio/flac' }
const now = modified + 86_400_000
const date = 'Mon, 06 May 2024 07:08:09 GMT'
const earlier = 'Mon, 06 May 2024 07:08:08 GMT'
const later = 'Mon, 06 May 2024 07:08:10 GMT'

const get = (headers: Record<string, string> = {}, method = 'GET', options?: ServeOptions) =>
  answer({ method, headers }, bytes, options, now)

const ranges: [header: string, expected: readonly [number, number] | 'whole' | 'unsatisfiable'][] = [
  ['bytes=0-0', [0, 1]],
  ['bytes=0-499', [0, 500]],
  ['bytes=500-', [500, 1_000]],
  ['bytes=999-', [999, 1_000]],
  ['bytes=0-', [0, 1_000]],
  ['bytes=0-99999999999999999999999999', [0, 1_000]],
  ['bytes=-1', [999, 1_000]],
  ['bytes=-5000', [0, 1_000]],
  ['BYTES=1-2', [1, 3]],
  ['bytes= 1-2 ', [1, 3]],
  ['bytes=1000-', 'unsatisfiable'],
  ['bytes=5000-6000', 'unsatisfiable'],
  ['bytes=99999999999999999999999-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=2-1', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=1', 'whole'],
  ['bytes=--1', 'whole'],
  ['bytes=0x1-2', 'whole'],
  ['bytes=1.5-2', 'whole'],
  ['items=0-1', 'whole'],
  ['bytes=0-1,5-6', 'whole'],
  ['bytes=0-0,-1', 'whole'],
]

for (const [range, expected] of ranges) {
  test(`Range: ${range} is answered with ${expected}`, () => {
    const { status, headers, body } = get({ range })
    if (expected === 'unsatisfiable') {
      assert.equal(status, 416)
      assert.equal(headers['content-range'], 'bytes */1000')
      assert.equal(body, null)
    } else if (expected === 'whole') {
      assert.equal(status, 200)
      assert.deepEqual(body, { start: 0, end: 1_000 })
      assert.equal(headers['content-range'], undefined)
    } else {
      const [start, end] = expected
      assert.equal(status, 206)
      assert.deepEqual(body, { start, end })
      assert.equal(headers['content-range'], `bytes ${start}-${end - 1}/1000`)
      assert.equal(headers['content-length'], String(end - start))
    }
  })
}

const conditions: [headers: Record<string, string>, status: number][] = [
  [{ 'if-none-match': '"v1"' }, 304],
  [{ 'if-none-match': 'W/"v1"' }, 304],
  [{ 'if-none-match': '"a", W/"b,c", "v1"' }, 304],
  [{ 'if-none-match': '*' }, 304],
  [{ 'if-none-match': '"v2"' }, 200],
  [{ 'if-none-match': 'v1' }, 200],
  [{ 'if-modified-since': date }, 304],
  [{ 'if-modified-since': later }, 304],
  [{ 'if-modified-since': earlier }, 200],
  [{ 'if-modified-since': 'yesterday' }, 200],
  [{ 'if-none-match': '"v2"', 'if-modified-since': later }, 200],
  [{ 'if-match': '"v1"' }, 200],
  [{ 'if-match': '*' }, 200],
  [{ 'if-match': '"v0", "v1"' }, 200],
  [{ 'if-match': '"v2"' }, 412],
  [{ 'if-match': 'W/"v1"' }, 412],
  [{ 'if-unmodified-since': date }, 200],
  [{ 'if-unmodified-since': earlier }, 412],
  [{ 'if-match': '"v1"', 'if-unmodified-since': earlier }, 200],
  [{ 'if-match': '"v2"', 'if-none-match': '"v1"' }, 412],
  [{ range: 'bytes=0-1', 'if-none-match': '"v1"' }, 304],
  [{ range: 'bytes=0-1', 'if-range': '"v1"' }, 206],
  [{ range: 'bytes=0-1', 'if-range': 'W/"v1"' }, 200],
  [{ range: 'bytes=0-1', 'if-range': '"v2"' }, 200],
  [{ range: 'bytes=0-1', 'if-range': date }, 206],
  [{ range: 'bytes=0-1', 'if-range': earlier }, 200],
  [{ range: 'bytes=0-1', 'if-range': later }, 200],
  [{ range: 'bytes=0-1', 'if-range': 'nonsense' }, 200],
  [{ range: 'bytes=5000-', 'if-range': '"v2"' }, 200],
  [{ 'if-range': '"v2"' }, 200],
]

for (const [headers, status] of conditions) {
  test(`${JSON.stringify(headers)} is answered with ${status}`, () => {
    assert.equal(get(headers).status, status)
  })
}

test('a file that changed within the last second is no ground for a range by its date', () => {
  const request = { method: 'GET', headers: { range: 'bytes=0-1', 'if-range': date } }
  assert.equal(answer(request, bytes, {}, modified + 500).status, 200)
})

test('HEAD has the headers of the whole and no body, and ignores Range', () => {
  const { status, headers, body } = get({ range: 'bytes=0-1' }, 'HEAD')
  assert.equal(status, 200)
  assert.equal(headers['content-length'], '1000')
  assert.equal(body, null)
})

test('every answer forbids guessing the type; a whole one names what the client needs to come back', () => {
  assert.deepEqual(get().headers, {
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
    'content-type': 'audio/flac',
    etag: '"v1"',
    'accept-ranges': 'bytes',
    'last-modified': date,
    'content-length': '1000',
  })
  assert.equal(get({ range: 'bytes=5000-' }).headers['x-content-type-options'], 'nosniff')
})

test('not modified repeats the validators and how long they are good', () => {
  const { headers } = get({ 'if-none-match': '*' }, 'GET', { immutable: true, vary: 'accept' })
  assert.equal(headers.etag, '"v1"')
  assert.equal(headers['cache-control'], 'private, max-age=31536000, immutable')
  assert.equal(headers.vary, 'accept')
  assert.equal(headers['content-length'], undefined)
})

test('nothing of an empty file satisfies a range', () => {
  const empty = { size: 0, etag: '"e"', mediaType: 'audio/mpeg' }
  assert.equal(answer({ method: 'GET', headers: { range: 'bytes=0-' } }, empty).status, 416)
  assert.equal(answer({ method: 'GET', headers: { range: 'bytes=-5' } }, empty).status, 416)
  assert.equal(answer({ method: 'GET', headers: {} }, empty).status, 200)
})

test('what is still being made is served whole, kept by nobody, and takes no ranges', () => {
  const production = {
    mediaType: 'audio/ogg',
    bytes: (async function* () {})(),
    [Symbol.dispose]() {},
  }
  const { status, headers } = answer({ method: 'GET', headers: { range: 'bytes=5-' } }, production)
  assert.equal(status, 200)
  assert.equal(headers['accept-ranges'], 'none')
  assert.equal(headers['cache-control'], 'private, no-store')
  assert.equal(headers['content-length'], undefined)
})
