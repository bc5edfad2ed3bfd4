import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { listen } from '../../../test/harness/listen.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import { CodedError, type ErrorCode, isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { type Calls, createCalls } from '../../registry/calls.ts'
import type { LiveNode } from '../../registry/registry.ts'
import { splitAddress } from '../../registry/trust/address.ts'
import { readAuthority } from '../../registry/trust/authority.ts'
import type { Identity } from '../../registry/trust/identity.ts'
import { withMaker } from '../../registry/trust/maker.ts'
import { setMemberState } from '../../registry/trust/membership.ts'
import type { PeerRoutes } from './server.ts'
import { startCluster, startNode, type TestCluster, type TestNode } from './testing/cluster.ts'

let cluster: TestCluster
let other: TestCluster
let one: TestNode
let two: TestNode
/** How often `/count` was carried out. */
let counted = 0

/** How many wait for what `/stalls` owes them. */
let stalling = 0
/** What `/endless` has sent. */
let sent = 0

const chunk = Buffer.alloc(65_536, 7)
const noise = randomBytes(3 * 1_048_576 + 777)

const routes: PeerRoutes = (app) => {
  app.get('/who', async (request) => ({ caller: request.peer }))
  app.get('/port', async (request) => request.raw.socket.remotePort)
  app.get('/refused', async () => {
    throw new CodedError('BLOB_MISSING', 'that one')
  })
  app.post('/count', async () => {
    counted += 1
    return { counted }
  })
  app.get('/silent', async () => await new Promise(() => undefined))
  // Some bytes, and then nothing more, or the end of the connection.
  app.get('/stalls', (_request, reply) => {
    stalling += 1
    reply.raw.on('close', () => {
      stalling -= 1
    })
    reply.hijack().raw.writeHead(200, { 'content-length': 10 * chunk.length })
    reply.raw.write(chunk)
  })
  app.get('/breaks', (_request, reply) => {
    reply.hijack().raw.writeHead(200, { 'content-length': 10 * chunk.length })
    reply.raw.write(chunk, () => reply.raw.destroy())
  })
  app.get('/drips', async (_request, reply) => {
    reply.hijack().raw.writeHead(200, { 'content-length': 10 })
    for (let left = 10; left > 0; left -= 1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      reply.raw.write('.')
    }
    reply.raw.end()
  })
  app.get('/noise', (_request, reply) => reply.send(noise))
  app.get('/endless', (_request, reply) => {
    const { raw } = reply.hijack()
    raw.writeHead(200, { 'content-length': 1e12 })
    const write = () => {
      do sent += chunk.length
      while (!raw.destroyed && raw.write(chunk))
    }
    raw.on('drain', write)
    write()
  })
  app.get('/chunked', (_request, reply) => {
    reply.hijack().raw.write('of a length that nobody knows')
    reply.raw.end()
  })
  app.get('/bytes', (_request, reply) => reply.send(Buffer.concat([chunk, chunk, chunk])))
}

before(async () => {
  ;[cluster, other] = [await startCluster([routes]), await startCluster()]
  one = cluster.founder
  two = await cluster.add('two', [routes])
  await waitFor(() => one.registry.node(two.id), { what: 'the nodes to see each other' })
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const coded = (code: ErrorCode) => (error: unknown) => isCoded(error, code)
const patient = { deadlineMs: 10_000, stallMs: 10_000 }
const caller = z.object({ caller: z.string() })

const who = (calls: Calls, node: Id, deadlineMs = patient.deadlineMs) =>
  calls.ask(node, { method: 'GET', path: '/who' }, caller, { deadlineMs })

interface Reading {
  readonly stallMs: number
  readonly signal?: AbortSignal
  readonly bulk?: boolean
}

async function read(calls: Calls, node: Id, path: string, { bulk = false, ...limits }: Reading) {
  using answer = await calls.open(node, { method: 'GET', path, bulk }, { ...patient, ...limits })
  let size = 0
  for await (const bytes of answer.body) size += bytes.length
  return size
}

/** Calls that find other nodes where the test says they are, as who the test says. */
function callsOf(identity: Identity, nodes: readonly LiveNode[]): Calls {
  return createCalls({
    registry: {
      nodes: () => nodes,
      node: (id) => nodes.find((node) => node.id === id) ?? null,
      member: () => null,
      subscribe: () => () => undefined,
    },
    trust: { identity, subscribe: () => () => undefined },
  })
}

function seen(node: TestNode): LiveNode {
  const live = node.registry.node(node.id)
  assert.ok(live !== null)
  return live
}

test('a node hears which node asks it, and what it refuses reaches the caller as the same error', async () => {
  assert.deepEqual(await who(one.calls, two.id), { caller: one.id })
  const refused = one.calls.ask(two.id, { method: 'GET', path: '/refused' }, z.unknown(), patient)
  await assert.rejects(refused, (error) => isCoded(error, 'BLOB_MISSING') && error.detail === 'that one')
  await assert.rejects(
    one.calls.open(two.id, { method: 'GET', path: '/nothing' }, patient),
    coded('NOT_FOUND'),
  )
  assert.equal(await read(one.calls, two.id, '/bytes', patient), 3 * chunk.length)
  assert.equal(one.calls.isAvoided(two.id), false, 'a refusal is an answer')
})

test('many calls on kept connections leave nothing behind on them', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  for (let round = 0; round < 30; round += 1) await who(one.calls, two.id)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  assert.deepEqual(warnings, [])
})

test('[N3] a silent node is unreachable at the deadline, and the next caller does not wait for it', async () => {
  const silent = createTcpServer((socket) => socket.on('error', () => undefined))
  const at = `127.0.0.1:${await listen(silent)}`
  await using calls = callsOf(one.trust.identity, [{ ...seen(two), addresses: [at] }])
  const startedAt = performance.now()
  await assert.rejects(who(calls, two.id, 400), coded('UNREACHABLE'))
  const first = performance.now() - startedAt
  assert.ok(first >= 390, `${first} ms`)
  assert.ok(calls.isAvoided(two.id))
  await assert.rejects(
    who(calls, two.id, 60_000),
    (error) => isCoded(error, 'UNREACHABLE') && error.message.includes('a moment ago'),
  )
  silent.close()
})

test('[N3] a node that answers is tried again after a silence, and at once by who has nobody else to ask', async () => {
  const answer = one.calls.ask(two.id, { method: 'GET', path: '/silent' }, z.unknown(), { deadlineMs: 200 })
  await assert.rejects(answer, coded('UNREACHABLE'))
  assert.ok(one.calls.isAvoided(two.id))
  const insisting = { ...patient, insist: true }
  using found = await one.calls.open(two.id, { method: 'GET', path: '/who' }, insisting)
  assert.equal(found.status, 200)
  assert.equal(one.calls.isAvoided(two.id), false, 'now it has been heard')
  const silence = one.calls.ask(two.id, { method: 'GET', path: '/silent' }, z.unknown(), { deadlineMs: 200 })
  await assert.rejects(silence, coded('UNREACHABLE'))
  await waitFor(() => who(one.calls, two.id), { what: 'it to be tried again' })
  assert.equal(one.calls.isAvoided(two.id), false)
})

for (const bulk of [false, true])
  test(`[N3] a body that stalls, or breaks off, ends as unreachable; one that is given up ends with its reason (bulk: ${bulk})`, async () => {
    await using calls = callsOf(one.trust.identity, [seen(two)])
    await assert.rejects(read(calls, two.id, '/stalls', { stallMs: 200, bulk }), coded('UNREACHABLE'))
    assert.ok(calls.isAvoided(two.id))
    await waitFor(() => who(calls, two.id), { what: 'it to be tried again' })
    await assert.rejects(read(calls, two.id, '/breaks', { stallMs: 5_000, bulk }), coded('UNREACHABLE'))
    assert.equal(calls.isAvoided(two.id), false, 'one answer that is cut off says little of the node')
    await who(calls, two.id)
    const reason = new Error('the listener has gone')
    const gone = new AbortController()
    const reading = read(calls, two.id, '/stalls', { stallMs: 30_000, signal: gone.signal, bulk })
    setTimeout(() => gone.abort(reason), 100)
    await assert.rejects(reading, (error) => error === reason)
    assert.equal(calls.isAvoided(two.id), false, 'who gives up says nothing of the node')
  })

test('what is read in bulk comes whole, again and again on one connection, and refusals come as they are', async () => {
  await using calls = callsOf(one.trust.identity, [seen(two)])
  const ports = new Set<number>()
  for (let round = 0; round < 5; round += 1) {
    using answer = await calls.open(two.id, { method: 'GET', path: '/noise', bulk: true }, patient)
    const pieces: Buffer[] = []
    for await (const piece of answer.body) pieces.push(Buffer.from(piece))
    assert.ok(Buffer.concat(pieces).equals(noise))
    assert.ok(pieces.length < 10, 'in large pieces')
    const port = await calls.ask(two.id, { method: 'GET', path: '/port', bulk: true }, z.number(), patient)
    ports.add(port)
    const refused = calls.open(two.id, { method: 'GET', path: '/refused', bulk: true }, patient)
    await assert.rejects(refused, (error) => isCoded(error, 'BLOB_MISSING') && error.detail === 'that one')
  }
  assert.equal(ports.size, 1)
})

test('what is read in bulk is held by the sender while its reader takes their time, and ends when they leave', async () => {
  await using calls = callsOf(one.trust.identity, [seen(two)])
  {
    using answer = await calls.open(two.id, { method: 'GET', path: '/endless', bulk: true }, patient)
    const pieces = answer.body[Symbol.asyncIterator]()
    await pieces.next()
    let before = -1
    const isHeld = async () => {
      const held = sent === before
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 50))
      return held && sent === before
    }
    await waitFor(isHeld, { what: 'the sender to wait' })
    while (sent === before) assert.equal((await pieces.next()).done, false)
  }
  assert.deepEqual(await who(calls, two.id), { caller: one.id })
})

test('[N3] a slow line is not taken for a silent node, and a body without a length is refused where it is read in bulk', async () => {
  await using calls = callsOf(one.trust.identity, [seen(two)])
  assert.equal(await read(calls, two.id, '/drips', { stallMs: 600, bulk: true }), 10)
  await assert.rejects(read(calls, two.id, '/chunked', { ...patient, bulk: true }), coded('UNREACHABLE'))
})

test('[N3] a server that dies in mid-body is noticed; [N1] a node that starts again elsewhere is called there', async () => {
  const three = await cluster.add('three', [routes])
  await waitFor(() => one.registry.node(three.id), { what: 'the third node' })
  const noticed = Promise.all(
    [false, true].map((bulk) =>
      assert.rejects(read(one.calls, three.id, '/stalls', { ...patient, bulk }), coded('UNREACHABLE')),
    ),
  )
  await waitFor(() => stalling === 2, { what: 'both to be at it' })
  const { data, address } = three
  const { identity } = three.trust
  await three[Symbol.asyncDispose]()
  await noticed
  await waitFor(() => one.registry.node(three.id) === null, { what: 'it to be gone' })
  // That it was silent, time and again, is forgotten with its former life.
  await assert.rejects(who(one.calls, three.id, 1_000), coded('UNREACHABLE'))

  await using again = await startNode(cluster.store, data, identity, [routes])
  assert.notEqual(splitAddress(again.address).port, splitAddress(address).port)
  await waitFor(() => one.registry.node(three.id)?.addresses[0] === again.address, {
    what: 'its new address',
  })
  assert.deepEqual(await who(one.calls, three.id), { caller: one.id })
})

test('what may be repeated survives a connection that the other side closed; what may not is sent at most once', async () => {
  await who(one.calls, two.id)
  const before = counted
  for (let round = 0; round < 5; round += 1) {
    await one.calls.ask(two.id, { method: 'POST', path: '/count' }, z.unknown(), patient)
    await who(one.calls, two.id)
  }
  assert.equal(counted, before + 5)
})

test('an address that does not answer is passed over for the next one, and remembered', async () => {
  const dead = createTcpServer()
  const closed = `127.0.0.1:${await listen(dead)}`
  dead.close()
  await once(dead, 'close')
  await using calls = callsOf(one.trust.identity, [{ ...seen(two), addresses: [closed, two.address] }])
  assert.deepEqual(await who(calls, two.id), { caller: one.id })
})

test('a certificate of another cluster is refused on both sides', async () => {
  const stranger = other.founder
  // They trust our authority, and know our node; we do not trust theirs.
  const identity = { ...stranger.trust.identity, authorities: [...one.trust.identity.authorities] }
  await using asking = callsOf(identity, [seen(two)])
  await assert.rejects(who(asking, two.id), coded('NODE_REFUSED'))
  // Their server stands where we look for our node.
  await using asked = callsOf(one.trust.identity, [{ ...seen(two), addresses: [stranger.address] }])
  await assert.rejects(who(asked, two.id), coded('UNREACHABLE'))
})

test('a node of the cluster that stands where another is meant is not taken for it', async () => {
  await using calls = callsOf(one.trust.identity, [{ ...seen(two), addresses: [one.address] }])
  await assert.rejects(
    who(calls, two.id),
    (error) => isCoded(error, 'UNREACHABLE') && error.message.includes(`not node ${two.id}`),
  )
})

test('a certificate that the authority signed but the cluster never gave is refused, and one that has expired', async () => {
  const authority = await readAuthority(cluster.store, one.trust.identity.secret)
  const hourMs = 3_600_000
  const identities = await withMaker(async (maker) => {
    const { key, request } = await maker.call('request', { node: one.id })
    const sign = async (now: number) => {
      const { certificate } = await maker.call('sign', {
        authority: { certificate: authority.certificate, key: authority.key },
        cluster: authority.cluster,
        node: one.id,
        hosts: [],
        request,
        now,
        days: 1,
      })
      return { ...one.trust.identity, key, certificate }
    }
    return [await sign(Date.now()), await sign(Date.now() - 30 * hourMs)]
  })
  for (const identity of identities) {
    await using calls = callsOf(identity, [seen(two)])
    await assert.rejects(who(calls, two.id), coded('NODE_REFUSED'))
  }
})

test('a removed node is refused by everyone at once, and what it was reading is cut', async () => {
  const three = await cluster.add('removed')
  await waitFor(() => three.registry.node(two.id), { what: 'the others' })
  assert.deepEqual(await who(three.calls, two.id), { caller: three.id })
  // It goes on with what it knew, as a machine would that the news has not reached.
  await using stubborn = callsOf(three.trust.identity, [seen(two)])
  using answer = await stubborn.open(two.id, { method: 'GET', path: '/stalls' }, patient)
  const reading = (async () => {
    for await (const bytes of answer.body) assert.ok(bytes.length > 0)
  })()
  const cut = assert.rejects(reading, coded('UNREACHABLE'))
  await setMemberState(cluster.store, three.id, 'removed')
  await cut
  await waitFor(() => !stubborn.isAvoided(two.id), { what: 'it to try again' })
  await assert.rejects(who(stubborn, two.id), coded('NODE_REMOVED'))
  await waitFor(() => three.lost.includes('NODE_REMOVED'), { what: 'it to hear of it' })
  await three[Symbol.asyncDispose]()
})

test('a renewed certificate is used and accepted at once, without a restart', async () => {
  await waitFor(() => two.registry.node(one.id), { what: 'the other' })
  const former = two.trust.identity.certificate
  await who(two.calls, one.id)
  await who(one.calls, two.id)
  await two.trust.renew()
  assert.notEqual(two.trust.identity.certificate, former)
  assert.deepEqual(await who(two.calls, one.id), { caller: two.id })
  assert.deepEqual(await who(one.calls, two.id), { caller: one.id })
})

test('calls go to the least busy node with the role, and last to one that is draining or silent', async () => {
  const at = (name: string, part: Partial<LiveNode>) => ({
    ...seen(two),
    id: crypto.randomUUID(),
    incarnation: crypto.randomUUID(),
    name,
    ...part,
  })
  const nodes = [
    at('silent', { load: 0, addresses: [] }),
    at('draining', { load: 0, state: 'draining' }),
    at('busy', { load: 0.9 }),
    at('idle', { load: 0.1 }),
    at('other', { load: 0, roles: ['catalog'] }),
  ]
  await using calls = callsOf(one.trust.identity, nodes)
  const [silent] = nodes
  assert.ok(silent !== undefined)
  await assert.rejects(who(calls, silent.id), coded('UNREACHABLE'))
  const order = calls.candidates('media').map((node) => node.name)
  assert.deepEqual(order, ['idle', 'busy', 'draining', 'silent'])
  assert.equal(calls.leastLoaded('media')?.name, 'idle')
  assert.equal(calls.leastLoaded('operator'), null)
})
