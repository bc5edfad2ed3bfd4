import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { clusterStatus } from '../../src/protocol/api/cluster.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { waitFor } from '../harness/wait.ts'

/**
 * Machines find one another on a network of their own: each in a network namespace, joined by a bridge, with real
 * processes. Needs root and `ip`, as the containers in which this runs have.
 */

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const network = `hkt${process.pid}`
const addressOf = (number: number) => `10.211.77.${number}`
const nameOf = (number: number) => `${network}-${number}`
const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: 'pipe' })

/** A bridge with so many machines at it, numbered from 1. */
async function openNetwork(machines: number): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack()
  ip('netns', 'add', nameOf(0))
  stack.defer(() => void ip('netns', 'del', nameOf(0)))
  ip('-n', nameOf(0), 'link', 'add', 'bridge', 'type', 'bridge')
  ip('-n', nameOf(0), 'link', 'set', 'bridge', 'up')
  for (let number = 1; number <= machines; number++) {
    const name = nameOf(number)
    ip('netns', 'add', name)
    stack.defer(() => void ip('netns', 'del', name))
    ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `port${number}`, 'netns', nameOf(0))
    ip('-n', nameOf(0), 'link', 'set', `port${number}`, 'master', 'bridge', 'up')
    ip('-n', name, 'addr', 'add', `${addressOf(number)}/24`, 'broadcast', '+', 'dev', 'eth0')
    ip('-n', name, 'link', 'set', 'eth0', 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
    // A name with three addresses, of which two lead nowhere, as that of a service whose machines are partly down.
    const hosts = `/etc/netns/${name}`
    await mkdir(hosts, { recursive: true })
    stack.defer(() => rm(hosts, { recursive: true, force: true }))
    const lines = [9, 8, 1].map((each) => `${addressOf(each)} machines.test`)
    await writeFile(join(hosts, 'hosts'), `127.0.0.1 localhost\n${lines.join('\n')}\n`)
  }
  return stack
}

interface Started extends AsyncDisposable {
  readonly child: ChildProcess
  /** Whether it has ended, and all that it printed is here. */
  hasEnded(): boolean
  output(): string
}

/** Gives a command on a machine of the network, and lets it run. */
function start(number: number, data: string, args: readonly string[], input = ''): Started {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    HOCKET_DATA: data,
    HOCKET_NAME: `machine-${number}`,
    HOCKET_ADDRESS: addressOf(number),
  }
  const child = spawn('ip', ['netns', 'exec', nameOf(number), process.execPath, main, ...args], { env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  child.stdin.end(input)
  let hasEnded = false
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      hasEnded = true
      resolve()
    }),
  )
  process.on('exit', () => child.kill('SIGKILL'))
  return {
    child,
    hasEnded: () => hasEnded,
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Gives a command on a machine of the network, and answers what it printed. */
async function run(number: number, data: string, ...args: readonly string[]): Promise<string> {
  await using started = start(number, data, args)
  await waitFor(started.hasEnded, { what: args.join(' ') })
  assert.equal(started.child.exitCode, 0, started.output())
  return started.output()
}

async function up(number: number, data: string, args: readonly string[], input?: string): Promise<Started> {
  const started = start(number, data, ['up', ...args], input)
  await waitFor(() => started.output().includes('Hocket is ready') || started.hasEnded(), {
    what: `machine ${number} to be ready`,
  })
  assert.equal(started.child.exitCode, null, started.output())
  return started
}

const codeIn = (output: string) => /hocket:\/\/[^/]+\/(\S+)/.exec(output)?.[1] ?? ''

test('machines are found on their network, and let in by what the person brings; a name is tried at all its addresses', async () => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('discovery'))
  stack.use(await openNetwork(3))
  const data = (number: number) => join(folder.path, String(number))

  await using nobody = start(2, data(2), ['up', '--discover'], 'no code\n')
  await waitFor(nobody.hasEnded, { what: 'the search to end' })
  assert.match(nobody.output(), /DISCOVERY_EMPTY/)

  const first = await run(1, data(1), 'cluster', 'init')
  stack.use(await up(1, data(1), []))

  await using wrong = start(2, data(2), ['up', '--discover'], `${'A'.repeat(43)}/${'B'.repeat(43)}\n`)
  await waitFor(wrong.hasEnded, { what: 'the wrong code to be refused' })
  assert.match(wrong.output(), /machine-1 at 10\.211\.77\.1:4651/)
  assert.match(wrong.output(), /AUTHORITY_UNKNOWN/)

  const second = stack.use(await up(2, data(2), ['--discover'], `${codeIn(first)}\n`))
  assert.match(second.output(), /This machine is node machine-2/)

  const code = codeIn(await run(2, data(2), 'cluster', 'invite'))
  stack.use(await up(3, data(3), ['--join', `hocket://machines.test:4651/${code}`]))
  const { cluster } = z
    .object({ cluster: clusterStatus })
    .parse(JSON.parse(await run(3, data(3), 'status', '--json')))
  assert.deepEqual(
    cluster.nodes.map(({ name, alive }) => [name, alive]),
    [1, 2, 3].map((number) => [`machine-${number}`, true]),
  )
})
