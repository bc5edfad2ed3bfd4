import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { PlacedFile } from '../../blobs/blobs.ts'
import { flipByte, openTestBlobs, streamOf, until } from '../../blobs/test-support.ts'
import { isCoded } from '../../protocol/errors.ts'
import { send } from './send.ts'

/** Bytes go past Node only where the system has a call for it that we know how to make. */
const shortcuts = process.platform === 'linux'
const size = 16 * 1_024 * 1_024 + 12_345
const block = 64 * 1_024

// One page of memory: what is asked for again is read again.
const context = await openTestBlobs({ cacheBytes: 0 })
const sound = await blob()
const damaged = await blob()
const placed = await placedFile()
const results: PromiseSettledResult<void>[] = []
let past = 0

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { blobs } = context
  const open = request.url === '/placed' ? blobs.inPlace.open(placed.file) : blobs.open(hashOf(request.url))
  const reader = await open
  const bytes = {
    size: reader.size,
    etag: '"1"',
    mediaType: 'audio/flac',
    open: (range: { start: number; end: number }, signal: AbortSignal) => reader.chunks(range, signal),
    ...(reader.shortcut && { shortcut: reader.shortcut }),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  }
  const onShortcut = (sent: number) => {
    past += sent
  }
  await send(request, response, bytes, { onShortcut })
}

const server = createServer(async (request, response) => {
  const [result] = await Promise.allSettled([serve(request, response)])
  if (result.status === 'rejected') response.destroy()
  results.push(result)
}).listen(0, '127.0.0.1')
await once(server, 'listening')
after(async () => {
  server.closeAllConnections()
  server.close()
  await context[Symbol.asyncDispose]()
})
const address = server.address()
assert(address !== null && typeof address === 'object')
const { port } = address

async function blob() {
  const bytes = randomBytes(size)
  return { bytes, hash: (await context.blobs.put(streamOf(bytes))).hash }
}

async function placedFile() {
  const bytes = randomBytes(size)
  const path = join(context.folder, 'song.flac')
  await writeFile(path, bytes)
  const { mtimeMs: modifiedAt } = await stat(path)
  const file: Omit<PlacedFile, 'hash'> = { root: context.folder, path: 'song.flac', size, modifiedAt }
  return { bytes, path, file: { ...file, hash: await context.blobs.inPlace.hash(file) } }
}

const hashOf = (url = '') => (url === '/sound' ? sound.hash : damaged.hash)

/** The answer, once it has begun; rejects where the connection is cut before. */
async function ask(path: string, headers = {}): Promise<IncomingMessage> {
  const [answer]: IncomingMessage[] = await once(
    get({ port, host: '127.0.0.1', path, headers, agent: false }),
    'response',
  )
  assert(answer !== undefined)
  return answer
}

/** Everything that comes, be it the whole or not. */
async function read(path: string, headers = {}): Promise<Buffer> {
  const chunks: Buffer[] = []
  const answer = await ask(path, headers).catch(() => null)
  answer?.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (answer) await new Promise((resolve) => answer.once('close', resolve))
  return Buffer.concat(chunks)
}

/** Reads the file until all of it goes past Node: soon, but not at once after it was written. */
async function warm(path: string): Promise<void> {
  await until(async () => {
    // The one page of memory is taken by another part of the file, so that the first is read and compared again.
    await read(path, { range: `bytes=${8 * block}-${9 * block - 1}` })
    past = 0
    await read(path, { range: `bytes=0-${block - 1}` })
    if (past === 0) await pause(50)
    return past > 0 || !shortcuts
  })
  await read(path)
}

test('[B1] a range that was compared moments ago goes past Node, the same to the byte', async () => {
  await warm('/sound')
  for (const [first, last] of [
    [0, 0],
    [1, block],
    [block - 1, 5 * block],
    [1_000_000, 4_000_000],
    [size - 10, size - 1],
  ] as const) {
    await until(async () => {
      past = 0
      const got = await read('/sound', { range: `bytes=${first}-${last}` })
      assert.ok(got.equals(sound.bytes.subarray(first, last + 1)), `${first}-${last}`)
      if (past > 0 || !shortcuts) return true
      // On a busy machine a call can look as if it had waited for the disk: then blocks are read and compared first.
      await warm('/sound')
      return false
    })
  }
})

test('a listener who takes their time gets both what goes past Node and what does not, in order', async () => {
  await warm('/sound')
  past = 0
  const answer = await ask('/sound')
  const chunks: Buffer[] = []
  for await (const chunk of answer) {
    chunks.push(chunk)
    if (chunks.length % 20 === 0) await pause(5)
  }
  assert.ok(Buffer.concat(chunks).equals(sound.bytes))
  if (shortcuts) assert.ok(past > 0)
})

test('answers to requests that were sent together come in their order', async () => {
  await warm('/sound')
  const ranges = Array.from(
    { length: 12 },
    (_, number) => [number * 700_000, number * 700_000 + 300_000] as const,
  )
  const socket = connect(port, '127.0.0.1')
  const requests = ranges.map(([first, last], number) => {
    const connection = number === ranges.length - 1 ? 'close' : 'keep-alive'
    return `GET /sound HTTP/1.1\r\nHost: x\r\nRange: bytes=${first}-${last}\r\nConnection: ${connection}\r\n\r\n`
  })
  socket.write(requests.join(''))
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  let rest = Buffer.concat(chunks)
  for (const [first, last] of ranges) {
    const body = rest.indexOf('\r\n\r\n') + 4
    assert.match(rest.toString('latin1', 0, body), new RegExp(`content-range: bytes ${first}-${last}/`))
    const length = last + 1 - first
    assert.ok(rest.subarray(body, body + length).equals(sound.bytes.subarray(first, last + 1)))
    rest = rest.subarray(body + length)
  }
  assert.equal(rest.length, 0)
})

test('a listener who leaves in the middle ends the answer, and disturbs nobody', async () => {
  await warm('/sound')
  results.length = 0
  const leaving = Array.from({ length: 8 }, async () => {
    const answer = await ask('/sound')
    await once(answer, 'data')
    answer.destroy()
  })
  const [undisturbed] = await Promise.all([read('/sound'), ...leaving])
  assert.ok(undisturbed?.equals(sound.bytes))
  await until(() => results.length === 9)
  assert.deepEqual(new Set(results.map(({ status }) => status)), new Set(['fulfilled']))
})

test('[B1] a byte that flips in a file whose times are set back never leaves', async () => {
  await warm('/placed')
  const place = 7 * block + 3
  await flipByte(placed.path, place, new Date(placed.file.modifiedAt))
  results.length = 0
  const got = await read('/placed')
  assert.ok(got.length <= 7 * block)
  assert.ok(got.equals(placed.bytes.subarray(0, got.length)))
  await until(() => results.length > 0)
  assert.equal(results[0]?.status, 'rejected')
})

test('[B1] a byte of a blob that flips while a listener takes their time never leaves', async () => {
  await warm('/other')
  results.length = 0
  const answer = await ask('/other')
  const chunks: Buffer[] = []
  answer.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(answer, 'data')
  answer.pause()
  // Far behind all that can be under way: the buffers of both ends hold less.
  const place = size - 10
  await flipByte(
    join(context.folder, 'blobs', damaged.hash.slice(0, 2), damaged.hash.slice(2, 4), damaged.hash),
    place,
  )
  answer.resume()
  await new Promise((resolve) => answer.once('close', resolve))
  const got = Buffer.concat(chunks)
  assert.ok(got.length < place)
  assert.ok(got.equals(damaged.bytes.subarray(0, got.length)))
  await until(() => results.length > 0)
  const [result] = results
  assert(result?.status === 'rejected' && isCoded(result.reason, 'BLOB_CORRUPT'))
})
