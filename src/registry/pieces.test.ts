import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as next } from 'node:timers/promises'
import { piecesOf } from './pieces.ts'

test('pieces come in order and as they were, however many wait', async () => {
  const sent = Array.from({ length: 100 }, (_, number) => Buffer.alloc(16_384, number))
  const got: Uint8Array[] = []
  for await (const piece of piecesOf(Readable.from(sent, { objectMode: false }))) {
    if (got.length % 7 === 0) await next()
    got.push(piece)
  }
  assert.deepEqual(got, sent)
})

test('a reader who takes their time holds little, and the sender waits', async () => {
  const stream = new PassThrough()
  const pieces = piecesOf(stream)
  let written = 0
  const write = () => {
    while (written < 10_000_000 && stream.write(Buffer.alloc(16_384))) written += 16_384
  }
  stream.on('drain', write)
  write()
  await pieces.next()
  for (let turn = 0; turn < 100; turn += 1) await next()
  assert.ok(written < 500_000, `${written} bytes were taken of it`)
  stream.destroy()
})

test('what came before a stream broke off is handed out, and then its error', async () => {
  const stream = new PassThrough()
  const pieces = piecesOf(stream)
  stream.write('before')
  assert.equal(String((await pieces.next()).value), 'before')
  const waiting = pieces.next()
  stream.destroy(new Error('it broke off'))
  await assert.rejects(waiting, /it broke off/)
})

test('a stream that is destroyed without an error has no more pieces', async () => {
  const stream = new PassThrough()
  const pieces = piecesOf(stream)
  const waiting = pieces.next()
  stream.destroy()
  assert.equal((await waiting).done, true)
  assert.equal((await piecesOf(stream).next()).done, true)
})
