import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '../../../test/harness/wait.ts'
import { openTestBlobs, streamOf } from '../../blobs/test-support.ts'
import { id, serveAgain } from './test-again.ts'

/** Bytes go past Node only where the system has a call for it that we know how to make. */
const shortcuts = process.platform === 'linux'
const block = 64 * 1_024
const size = 16 * 1_024 * 1_024
const music = randomBytes(size)

// One page of memory: what is asked for again is read again, and trusted once the file has been at rest for a while.
const context = await openTestBlobs({ cacheBytes: 0 })
const { hash } = await context.blobs.put(streamOf(music))
const world = await serveAgain(async () => {
  const reader = await context.blobs.open(hash)
  return {
    size,
    etag: '"one"',
    version: 'one',
    mediaType: 'audio/flac',
    lastModified: Date.UTC(2026, 0, 1),
    open: (range, signal) => reader.chunks(range, signal),
    ...(reader.shortcut && { shortcut: reader.shortcut }),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  }
}, 'info')
after(async () => {
  await world[Symbol.asyncDispose]()
  await context[Symbol.asyncDispose]()
})
beforeEach(() => Object.assign(world, { signedIn: true }))

/** The text of a request for these bytes. */
function textOf(first: number, last: number, more = ''): string {
  const lines = ['Host: x', `Range: bytes=${first}-${last}`, 'Authorization: Bearer sesame']
  return `GET /tracks/${id}/audio HTTP/1.1\r\n${lines.join('\r\n')}\r\n${more}\r\n`
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A connection as it is on the wire: what is written goes out as it is, and answers are read one after another. */
async function connection() {
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  let got: Buffer[] = []
  let length = 0
  let wake = () => {}
  socket.on('data', (chunk: Buffer) => {
    got.push(chunk)
    length += chunk.length
    wake()
  })
  socket.once('close', () => wake())
  /** Waits until `enough` says where what is wanted ends, and takes that. */
  const take = async (enough: () => number): Promise<Buffer> => {
    while (enough() < 0) {
      if (socket.destroyed) throw new Error('the connection has ended')
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
    }
    const end = enough()
    const all = Buffer.concat(got)
    got = [all.subarray(end)]
    length -= end
    return all.subarray(0, end)
  }
  const endOfHeaders = () => {
    const at = Buffer.concat(got.slice(0, 2)).indexOf('\r\n\r\n')
    return at < 0 ? at : at + 4
  }
  const answer = async (): Promise<Answer> => {
    const [first = '', ...lines] = (await take(endOfHeaders)).toString('latin1').trimEnd().split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ]),
    )
    const wanted = Number(headers['content-length'] ?? 0)
    const body = await take(() => (length >= wanted ? wanted : -1))
    return { status: Number(first.split(' ')[1]), headers, body }
  }
  const ask = async (text: string): Promise<Answer> => {
    socket.write(text)
    return await answer()
  }
  return { socket, answer, ask, left: () => length, [Symbol.dispose]: () => void socket.destroy() }
}

type Connection = Awaited<ReturnType<typeof connection>>

/** Asks until an answer has come without having been parsed: what follows on the connection is held, and fresh. */
async function warm({ ask }: Connection): Promise<void> {
  const isUnparsed = async () => {
    // The one page of memory is taken by another part of the file, so that the first is read and compared again.
    await ask(textOf(8 * block, 9 * block - 1))
    const before = world.parsed
    await ask(textOf(0, block - 1))
    return world.parsed === before || !shortcuts
  }
  await waitFor(isUnparsed, { what: 'a range to be answered without being parsed' })
}

/** One that has not carried much yet, so that the system's buffers are small; all of the file has been compared. */
async function warmConnection(): Promise<Connection> {
  using other = await connection()
  await warm(other)
  await other.ask(textOf(0, size - 1))
  const made = await connection()
  await warm(made)
  return made
}

/** Does `act` until Node has parsed nothing meanwhile: a busy machine may let go of what is held at any moment. */
async function untilUnparsed<T>(made: Connection, act: () => Promise<T>): Promise<T> {
  return await waitFor(
    async () => {
      await warm(made)
      const before = world.parsed
      const result = await act()
      return world.parsed === before || !shortcuts ? result : undefined
    },
    { what: 'something to be answered without being parsed', deadline: 60_000 },
  )
}

test('ranges whose requests are not parsed are answered as if they were, and counted', async () => {
  using made = await warmConnection()
  const read = async () => {
    const text = await world.metrics.registry.metrics()
    return Number(/^hocket_http_request_seconds_count\{[^}]*status="2xx"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0)
  }
  const parsed = await made.ask(textOf(3, 99_999, 'X-Else: 1\r\n'))
  const [first, last] = [block - 7, 3 * block + 11]
  const { answer, counted } = await untilUnparsed(made, async () => {
    const before = await read()
    const answer = await made.ask(textOf(first, last))
    return { answer, counted: (await read()) - before }
  })
  assert.equal(answer.status, 206)
  assert.ok(answer.body.equals(music.subarray(first, last + 1)))
  assert.equal(answer.headers['content-range'], `bytes ${first}-${last}/${size}`)
  assert.equal(counted, 1)
  const own = ['date', 'x-request-id', 'content-range', 'content-length']
  const lasting = ({ headers }: Answer) =>
    Object.entries(headers)
      .filter(([name]) => !own.includes(name))
      .toSorted()
  assert.deepEqual(lasting(answer), lasting(parsed))
  assert.deepEqual(Object.keys(answer.headers).toSorted(), Object.keys(parsed.headers).toSorted())
  assert.notEqual(answer.headers['x-request-id'], parsed.headers['x-request-id'])
  assert.ok(Math.abs(Date.parse(answer.headers['date'] ?? '') - Date.now()) < 60_000)
})

test('[S3] who is not signed in any more is refused at the next range', async () => {
  using made = await warmConnection()
  world.signedIn = false
  const refused = await made.ask(textOf(0, 99))
  assert.equal(refused.status, 401)
  assert.match(refused.body.toString(), /NOT_SIGNED_IN/)
})

test('what differs by more than two numbers is Node’s to parse', async () => {
  using made = await warmConnection()
  const whole = textOf(0, 99)
  const others: readonly (readonly [text: string, status: number, bytes: number])[] = [
    [textOf(0, 99, 'If-Range: "other"\r\n'), 200, size],
    [textOf(0, 99, 'If-None-Match: "one"\r\n'), 304, 0],
    [whole.replace('0-99', `${size}-`), 416, 0],
    [whole.replace('0-99', `${size}-${size + 9}`), 416, 0],
    [whole.replace('0-99', '-100'), 206, 100],
    [whole.replace('0-99', '99-0'), 200, size],
    [whole.replace('0-99', `${size - 5}-${size + 5}`), 206, 5],
    [whole.replace('Range: bytes=0-99\r\n', ''), 200, size],
    [whole.replace('Range:', 'Range: bytes=1-2\r\nRange:'), 200, size],
    [whole.replace('sesame', 'guessed'), 401, -1],
    [whole.replace('/audio', '/nothing'), 404, -1],
  ]
  for (const [text, status, bytes] of others) {
    // Often enough that it would be known by its text.
    for (let time = 0; time < 4; time += 1) {
      const before = world.parsed
      const answer = await made.ask(text)
      assert.equal(answer.status, status, text)
      if (bytes >= 0) assert.equal(answer.body.length, bytes, text)
      assert.equal(world.parsed, before + 1, text)
    }
  }
})

test('HEAD is answered without a body', async () => {
  using made = await warmConnection()
  made.socket.write(textOf(0, 99).replace('GET', 'HEAD'))
  made.socket.write(textOf(3, 4))
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  made.socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    if (text.endsWith(music.subarray(3, 5).toString('latin1')) && text.includes('206')) resolve(text)
  })
  assert.match(await promise, /^HTTP\/1.1 200 .*?\r\n\r\nHTTP\/1.1 206 /s)
})

test('a request that comes in pieces, and several that come at once, are answered in their order', async () => {
  using made = await warmConnection()
  const ranges = Array.from({ length: 9 }, (_, at) => [at * 1_000, at * 1_000 + 2_000 + at] as const)
  const all = ranges.map(([first, last]) => textOf(first, last)).join('')
  const cuts = [
    0,
    10,
    textOf(0, 2_000).length - 2,
    textOf(0, 2_000).length + 30,
    700,
    701,
    all.length,
  ].toSorted((one, other) => one - other)
  for (const [at, cut] of cuts.entries()) {
    made.socket.write(all.slice(cut, cuts[at + 1] ?? cut))
    await pause(5)
  }
  for (const [first, last] of ranges) {
    const { status, body } = await made.answer()
    assert.equal(status, 206)
    assert.ok(body.equals(music.subarray(first, last + 1)), `${first}-${last}`)
  }
  const [again] = ranges
  assert.ok((await made.ask(textOf(...(again ?? [0, 0])))).body.equals(music.subarray(0, 2_001)))
  assert.equal(made.left(), 0)
})

test('[S3] what looks like a request within another is part of that', async () => {
  using made = await warmConnection()
  const inner = textOf(0, 9)
  const post =
    'POST /words HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sesame\r\nContent-Type: text/plain\r\n'
  const words = { status: 200, words: inner }
  const within = [
    { opening: `${post}Content-Length: ${inner.length}\r\n\r\n`, closing: '', expected: words },
    {
      opening: `${post}Transfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n`,
      closing: '\r\n0\r\n\r\n',
      expected: words,
    },
    {
      opening: 'GET /nothing HTTP/1.1\r\nX-Else: ',
      closing: '',
      expected: { status: 404, words: undefined },
    },
  ]
  // Each after nothing, and in one piece with a request that is known.
  for (const before of ['', inner, inner + inner]) {
    for (const { opening, closing, expected } of within) {
      await warm(made)
      const pieces = [before + opening, inner, closing].filter((piece) => piece !== '')
      for (const piece of pieces) {
        made.socket.write(piece)
        await pause(20)
      }
      for (let at = 0; at < before.length; at += inner.length)
        assert.equal((await made.answer()).headers['content-range'], `bytes 0-9/${size}`)
      const { status, body } = await made.answer()
      const { words } = JSON.parse(body.toString())
      assert.deepEqual({ status, words }, expected)
      await pause(20)
      assert.equal(made.left(), 0)
    }
  }
})

test('a listener who takes their time gets every byte, and what they ask meanwhile waits its turn', async () => {
  using made = await warmConnection()
  const before = world.parsed
  made.socket.pause()
  made.socket.write(textOf(1, size - 1))
  await waitFor(() => world.metrics.streams.now === 1, { what: 'it to have begun' })
  made.socket.write(textOf(5, 14))
  await pause(20)
  assert.equal(world.metrics.streams.now, 1)
  made.socket.resume()
  const first = await made.answer()
  if (shortcuts) assert.ok(world.parsed <= before + 1)
  const next = await made.answer()
  assert.ok(first.body.equals(music.subarray(1)))
  assert.ok(next.body.equals(music.subarray(5, 15)))
  assert.equal(world.metrics.streams.now, 0)
})

test('what is asked while a parsed answer is under way waits its turn', async () => {
  using made = await warmConnection()
  made.socket.pause()
  made.socket.write(textOf(0, 9).replace('0-9', '1-'))
  await waitFor(() => world.metrics.streams.now === 1, { what: 'it to have begun' })
  made.socket.write(textOf(5, 14))
  await pause(20)
  made.socket.resume()
  assert.ok((await made.answer()).body.equals(music.subarray(1)))
  assert.ok((await made.answer()).body.equals(music.subarray(5, 15)))
})

test('one who leaves in the middle ends the answer', async () => {
  using made = await warmConnection()
  made.socket.pause()
  made.socket.write(textOf(0, size - 1))
  await waitFor(() => world.metrics.streams.now > 0, { what: 'it to have begun' })
  made.socket.destroy()
  await waitFor(() => world.metrics.streams.now === 0, { what: 'it to have ended' })
})

test('an upgrade on such a connection is what it is on others', async () => {
  using made = await warmConnection()
  world.app.server.once('upgrade', (_request, socket) => {
    socket.on('data', (chunk) => socket.end(`HTTP/1.1 101 Switching Protocols\r\nX-Got: ${chunk}\r\n\r\n`))
  })
  made.socket.write('GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await pause(20)
  const { status, headers } = await made.ask('hello')
  assert.deepEqual([status, headers['x-got']], [101, 'hello'])
})

test('a server that ends lets a slow listener finish', async () => {
  using made = await warmConnection()
  made.socket.pause()
  made.socket.write(textOf(0, size - 1))
  await waitFor(() => world.metrics.streams.now > 0, { what: 'it to have begun' })
  const stopped = world.again.stop()
  made.socket.resume()
  assert.ok((await made.answer()).body.equals(music))
  await stopped
  const before = world.parsed
  assert.equal((await made.ask(textOf(0, 9))).status, 206)
  assert.equal(world.parsed, before + 1)
})
