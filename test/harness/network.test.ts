import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type { Host } from './namespaces.ts'
import { createNetwork, type Network } from './network.ts'
import { waitFor } from './wait.ts'

/** The ground on which clusters are tested must itself do what it says. */

const port = 4_651
/** Answers who asks, with the address from which it is asked. */
const answering = `require('node:http').createServer((request, response) => response.end(request.socket.remoteAddress)).listen(${port}, '0.0.0.0')`
const asking = (address: string, ms: number) =>
  `fetch('http://${address}:${port}', { signal: AbortSignal.timeout(${ms}) }).then((answer) => answer.text()).catch(() => 'silence').then((heard) => { console.log(heard); process.exit() })`

let network: Network
let one: Host
let other: Host
let third: Host
before(async () => {
  network = await createNetwork()
  one = await network.host()
  other = await network.host()
  third = await network.host()
  for (const host of [one, other, third]) run(host, answering)
  for (const host of [one, other, third]) {
    await waitFor(async () => (await fetch(`http://${host.address}:${port}`)).ok, {
      what: 'a host to answer',
    })
  }
})
after(() => network?.[Symbol.asyncDispose]())

function run(host: Host, script: string) {
  return spawn('ip', ['netns', 'exec', host.namespace, process.execPath, '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** What `from` hears of `to`: its own address, as it is seen there, or `silence`. */
async function ask(from: Host, to: Host, ms = 60_000): Promise<string> {
  const child = run(from, asking(to.address, ms))
  let heard = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  await once(child, 'close')
  return heard.trim()
}

test('hosts hear one another, each under its own address', async () => {
  assert.equal(await ask(one, other), one.address)
  assert.equal(await ask(third, one), third.address)
})

test('a cut in one direction leaves the others open, and what is healed is heard again', async () => {
  await network.trouble({ cut: [{ from: [one], to: [other, third] }] })
  assert.equal(await ask(one, other, 1_000), 'silence')
  assert.equal(await ask(other, one, 1_000), 'silence', 'the answers do not arrive either')
  assert.equal(await ask(other, third), other.address)
  await network.heal()
  assert.equal(await ask(one, other), one.address)
})

test('with packets lost, what is said still arrives', async () => {
  await network.trouble({ lossPercent: 5 })
  const heard = await Promise.all([ask(one, other), ask(other, third), ask(third, one)])
  assert.deepEqual(heard, [one.address, other.address, third.address])
  await network.heal()
})

test('what is delayed arrives so much later in each direction, and still from who has said it', async () => {
  await network.trouble({ delayMs: 300 })
  // The question alone takes as long as this one waits, and the answer as long again.
  const [quick, slow] = await Promise.all([ask(one, other, 300), ask(one, other)])
  assert.equal(quick, 'silence')
  assert.equal(slow, one.address)
  await network.heal()
  assert.equal(await ask(one, other), one.address)
})

test('all processes of a host stand still, go on and end at a signal', async () => {
  const host = await network.host()
  run(host, answering)
  await waitFor(async () => (await fetch(`http://${host.address}:${port}`)).ok, { what: 'it to answer' })
  assert.equal(await host.signal('SIGSTOP'), 1)
  assert.equal(await ask(one, host, 1_000), 'silence')
  await host.signal('SIGCONT')
  assert.equal(await ask(one, host), one.address)
  await host.signal('SIGKILL')
  await waitFor(async () => (await host.processes()).length === 0, { what: 'it to end' })
})

test('nothing is left of a network that is disposed of', async () => {
  const { namespace } = await (async () => {
    await using shortLived = await createNetwork()
    const host = await shortLived.host()
    run(host, answering)
    return host
  })()
  const left = await readdir('/run/netns')
  assert.equal(
    left.some((name) => name.startsWith(namespace.slice(0, -2))),
    false,
  )
})
