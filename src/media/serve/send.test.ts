import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { connect } from 'node:net'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import { listen } from '../../../test/harness/listen.ts'
import type { Production, Representation } from './representation.ts'
import { send } from './send.ts'

const content = randomBytes(700_000)

/** Bytes that are lent from one small buffer, as readers do; counts what was read, and whether it was disposed of. */
function lent(size: number, pieceSize: number) {
  const log = { read: 0, disposed: 0, open: 0 }
  const bytes: Representation = {
    size,
    etag: '"1"',
    mediaType: 'audio/flac',
    async *open({ start, end }, signal) {
      const buffer = Buffer.alloc(pieceSize)
      log.open += 1
      try {
        for (let position = start; position < end; position += pieceSize) {
          signal.throwIfAborted()
          const length = Math.min(pieceSize, end - position)
          for (let done = 0; done < length; done += content.length) {
            content.copy(buffer, done, (position + done) % content.length)
          }
          log.read += length
          yield buffer.subarray(0, length)
          buffer.fill(0)
        }
      } finally {
        log.open -= 1
      }
    },
    [Symbol.dispose]() {
      log.disposed += 1
    },
  }
  return { bytes, log }
}

async function serve(t: TestContext, bytes: () => Representation | Production) {
  const results: PromiseSettledResult<void>[] = []
  let settled = Promise.withResolvers<void>()
  const server = createServer(async (incoming, response) => {
    const [result] = await Promise.allSettled([send(incoming, response, bytes())])
    results.push(result)
    settled.resolve()
    settled = Promise.withResolvers()
  })
  const port = await listen(server)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port, results, settled: () => settled.promise }
}

async function fetchBytes(
  port: number,
  options: RequestOptions = {},
): Promise<{ message: IncomingMessage; body: Buffer }> {
  const asked = request({ port, host: '127.0.0.1', ...options }).end()
  const [message]: IncomingMessage[] = await once(asked, 'response')
  assert(message !== undefined)
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return { message, body: Buffer.concat(chunks) }
}

test('any range equals the slice', async (t) => {
  const { port } = await serve(t, () => lent(content.length, 50_000).bytes)
  const position = fc.integer({ min: 0, max: content.length + 1_000 })
  await fc.assert(
    fc.asyncProperty(position, position, fc.constantFrom('both', 'open', 'suffix'), async (a, b, kind) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)]
      const range = kind === 'both' ? `${first}-${last}` : kind === 'open' ? `${first}-` : `-${last}`
      const { message, body } = await fetchBytes(port, { headers: { range: `bytes=${range}` } })
      const slice =
        kind === 'both'
          ? content.subarray(first, last + 1)
          : kind === 'open'
            ? content.subarray(first)
            : content.subarray(Math.max(0, content.length - last))
      assert.equal(message.statusCode, slice.length === 0 ? 416 : 206)
      assert.deepEqual(body, slice)
    }),
    { numRuns: 60 },
  )
})

test('the whole comes without Range; HEAD has only its headers', async (t) => {
  const { port } = await serve(t, () => lent(content.length, 64 * 1_024).bytes)
  assert.deepEqual((await fetchBytes(port)).body, content)
  const head = await fetchBytes(port, { method: 'HEAD' })
  assert.equal(head.message.headers['content-length'], String(content.length))
  assert.equal(head.body.length, 0)
})

test('bytes are disposed of once, whatever the answer', async (t) => {
  const made: ReturnType<typeof lent>[] = []
  const { port } = await serve(t, () => {
    const next = lent(1_000, 100)
    made.push(next)
    return next.bytes
  })
  await fetchBytes(port)
  await fetchBytes(port, { method: 'HEAD' })
  await fetchBytes(port, { headers: { 'if-none-match': '"1"' } })
  await fetchBytes(port, { headers: { range: 'bytes=5000-' } })
  assert.deepEqual(
    made.map(({ log }) => log.disposed),
    [1, 1, 1, 1],
  )
})

test('a listener who goes away in the middle ends the reading', async (t) => {
  const { bytes, log } = lent(1e12, 64 * 1_024)
  const { port, results, settled } = await serve(t, () => bytes)
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await once(socket, 'data')
  socket.pause()
  const over = settled()
  socket.destroy()
  await over
  assert.equal(results[0]?.status, 'fulfilled')
  assert.deepEqual({ disposed: log.disposed, open: log.open }, { disposed: 1, open: 0 })
})

test('a listener who takes their time is waited for, not read ahead of', async (t) => {
  const { bytes, log } = lent(1e12, 64 * 1_024)
  const { port, settled } = await serve(t, () => bytes)
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await once(socket, 'data')
  socket.pause()
  let before = -1
  while (log.read !== before) {
    before = log.read
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert(log.read < 64 * 1_024 * 1_024, `${log.read} bytes were read for a listener who took almost none`)
  const over = settled()
  socket.destroy()
  await over
})

test('a failure in the middle cuts the connection, so that a part is not taken for the whole', async (t) => {
  const failure = new Error('the disk')
  const { port, results } = await serve(t, () => ({
    ...lent(1_000_000, 1).bytes,
    async *open() {
      yield content.subarray(0, 1_000)
      throw failure
    },
  }))
  await assert.rejects(fetchBytes(port), { code: 'ECONNRESET' })
  assert.deepEqual(results, [{ status: 'rejected', reason: failure }])
})

test('bytes that end before their size cut the connection too', async (t) => {
  const { port } = await serve(t, () => ({
    ...lent(1_000, 1).bytes,
    async *open() {},
  }))
  await assert.rejects(fetchBytes(port), { code: 'ECONNRESET' })
})

test('what is still being made is sent as it comes', async (t) => {
  let disposed = 0
  const { port } = await serve(t, () => ({
    mediaType: 'audio/ogg',
    bytes: (async function* () {
      for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000)
    })(),
    [Symbol.dispose]() {
      disposed += 1
    },
  }))
  const { message, body } = await fetchBytes(port)
  assert.equal(message.headers['transfer-encoding'], 'chunked')
  assert.deepEqual(body, content)
  assert.equal(disposed, 1)
})

test('a listener who goes away while nothing is being made gives up their share at once', async (t) => {
  const disposed = Promise.withResolvers<void>()
  const { port, settled } = await serve(t, () => ({
    mediaType: 'audio/ogg',
    bytes: (async function* () {
      yield content.subarray(0, 10)
      await disposed.promise
    })(),
    [Symbol.dispose]: disposed.resolve,
  }))
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await once(socket, 'data')
  const over = settled()
  socket.destroy()
  await over
})
