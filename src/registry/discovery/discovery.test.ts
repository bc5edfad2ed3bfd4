import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { waitFor } from '../../../test/harness/wait.ts'
import { isCoded } from '../../protocol/errors.ts'
import { resolveAddresses } from './addresses.ts'
import { answerBroadcasts, askByBroadcast } from './broadcast.ts'
import { advertise, discover } from './discovery.ts'
import type { Hint } from './hint.ts'
import { advertiseByMdns, askByMdns } from './mdns.ts'

const here = '127.0.0.1'
const fail = (error: unknown) => assert.fail(String(error))

function newHint(name: string): Hint {
  const addresses = ['192.0.2.7:4651', '[2001:db8::7]:4651']
  return { cluster: crypto.randomUUID(), node: crypto.randomUUID(), name, addresses }
}

/** A UDP port that is free now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

/** Asks until the hint has been heard, or fails. */
async function hear(ask: typeof askByMdns, wanted: Hint, port?: number): Promise<Hint> {
  const heard: Hint[] = []
  const ending = new AbortController()
  const asking = ask({ interface: here, port }, (found) => heard.push(found), ending.signal)
  try {
    return await waitFor(() => heard.find((found) => found.node === wanted.node), { what: 'the hint' })
  } finally {
    ending.abort()
    await asking
  }
}

test('a node is found by mDNS, with its addresses', async () => {
  const hint = newHint('Küche & cellar')
  await using _advertised = await advertiseByMdns(() => hint, { interface: here }, fail)
  assert.deepEqual(await hear(askByMdns, hint), hint)
})

test('a node is found by broadcast, with its addresses', async () => {
  const hint = newHint('cellar')
  const port = await freePort()
  await using _answering = await answerBroadcasts(() => hint, { interface: here, port }, fail)
  assert.deepEqual(await hear(askByBroadcast, hint, port), hint)
})

test('what is found is listed once, and who has gone is not', async () => {
  const hint = newHint('attic')
  const scope = { interface: here, port: await freePort() }
  {
    await using _advertised = await advertise(() => hint, fail, scope)
    const found = await waitFor(
      async () => {
        const all = await discover(AbortSignal.timeout(600), scope)
        const ours = all.filter((each) => each.node === hint.node)
        return ours.length > 0 && ours
      },
      { what: 'the node to be found' },
    )
    assert.equal(found.length, 1, 'by mDNS and by broadcast, and listed once')
  }
  const found = await discover(AbortSignal.timeout(500), scope)
  assert.ok(found.every((each) => each.node !== hint.node))
})

test('nonsense and short questions are not answered', async () => {
  const hint = newHint('quiet')
  const port = await freePort()
  await using _answering = await answerBroadcasts(() => hint, { port }, fail)
  const socket = createSocket('udp4')
  let answers = 0
  socket.on('message', () => {
    answers += 1
  })
  socket.bind(0)
  await once(socket, 'listening')
  for (const text of ['', '{', JSON.stringify({ hocket: 'who is there', padding: '' }), 'x'.repeat(1_400)]) {
    socket.send(text, port, here)
  }
  // An answer to a proper question comes after those to the others would have.
  const proper = { hocket: 'who is there', padding: ' '.repeat(1_300) }
  socket.send(JSON.stringify(proper), port, here)
  await waitFor(() => answers > 0, { what: 'the one answer' })
  assert.equal(answers, 1)
  socket.close()
})

test('a list of addresses stays as it is, and names stand for all of their addresses', async () => {
  assert.deepEqual(await resolveAddresses(['192.0.2.1:4651', '[::1]:1']), ['192.0.2.1:4651', '[::1]:1'])
  const local = await resolveAddresses(['localhost:4651', 'nobody.invalid:4651'])
  assert.ok(local.includes('127.0.0.1:4651') || local.includes('[::1]:4651'), String(local))
  await assert.rejects(resolveAddresses(['nobody.invalid:4651']), (error) => isCoded(error, 'UNREACHABLE'))
})
