import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHead } from './head.ts'

const head = (...lines: string[]) => Buffer.from(`${lines.join('\r\n')}\r\n\r\nbody`)

test('a head is read once it has come whole', () => {
  const bytes = head('HTTP/1.1 206 Partial Content', 'Content-Length:  12 ', 'ETag: "a: b"', 'x-empty:')
  for (let end = 0; end < bytes.length - 4; end += 1) assert.equal(parseHead(bytes.subarray(0, end)), null)
  assert.deepEqual(parseHead(bytes), {
    status: 206,
    headers: { 'content-length': '12', etag: '"a: b"', 'x-empty': '' },
    length: bytes.length - 4,
    bodyBytes: 12,
  })
  assert.equal(parseHead(head('HTTP/1.1 304 Not Modified'))?.bodyBytes, 0)
  assert.equal(parseHead(head('HTTP/1.1 200', 'content-length: 0'))?.bodyBytes, 0)
})

test('what is no head, is too long, or does not tell how long its body is, is refused', () => {
  for (const bytes of [
    head('SSH-2.0-OpenSSH'),
    head('HTTP/1.0 200 OK', 'content-length: 1'),
    head('HTTP/1.1 100 Continue'),
    head('HTTP/1.1 200 OK'),
    head('HTTP/1.1 200 OK', 'content-length: -1'),
    head('HTTP/1.1 200 OK', 'content-length: 1, 1'),
    head('HTTP/1.1 200 OK', 'content-length: 1', 'transfer-encoding: chunked'),
    head('HTTP/1.1 200 OK', 'content-length: 1', 'no field'),
    head('HTTP/1.1 200 OK', 'content-length: 1', ' folded'),
    Buffer.alloc(16_384, 'a'),
  ])
    assert.throws(() => parseHead(bytes), Error, bytes.toString('latin1', 0, 60))
})
