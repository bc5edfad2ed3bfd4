import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { variables } from '../../src/node/config.ts'
import { clusterStatus } from '../../src/protocol/api/cluster.ts'
import { signIn } from '../harness/client.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { administrator } from '../harness/node.ts'
import { freeRow } from '../harness/ports.ts'
import { waitFor } from '../harness/wait.ts'

/** What containers run, as processes: the files of `deploy/` say no more than variables. */

const script = join(import.meta.dirname, '..', '..', 'tools', 'container.ts')
let folder: TemporaryFolder
const running = new Set<ChildProcess>()
let ports: readonly [number, number]
before(async () => {
  folder = await temporaryFolder('containers')
  ports = [await freeRow(), await freeRow()]
})
after(async () => {
  // A signal that it cannot pass on would leave the program that it has started.
  await Promise.all([...running].map((child) => end(child, 'SIGTERM')))
  await folder[Symbol.asyncDispose]()
})

function start(at: 0 | 1, env: Record<string, string>): { child: ChildProcess; logs: () => string } {
  const port = ports[at]
  const child = spawn(process.execPath, [script], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      HOCKET_DATA: join(folder.path, `data-${at}`),
      HOCKET_NAME: `container-${at}`,
      HOCKET_ADDRESS: '127.0.0.1',
      HOCKET_PORT: String(port),
      HOCKET_PEER_PORT: String(port + 1),
      HOCKET_ETCD_PORT: String(port + 2),
      HOCKET_ADMIN_USER: administrator.name,
      HOCKET_ADMIN_PASSWORD: administrator.password,
      HOCKET_OTHERS: addressOf(at === 0 ? 1 : 0),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  return { child, logs: () => output }
}

const addressOf = (at: 0 | 1) => `http://127.0.0.1:${ports[at]}`

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'exit', { signal: AbortSignal.timeout(60_000) })
  }
  running.delete(child)
  return child.exitCode
}

async function nodesAt(at: 0 | 1): Promise<readonly string[]> {
  const ada = await signIn(addressOf(at), administrator)
  const { nodes } = clusterStatus.parse((await ada.get('/api/cluster')).body)
  return nodes.filter(({ alive }) => alive).map(({ name, roles }) => `${name}: ${roles.join()}`)
}

test('one container founds the cluster, another joins it, and both are who they were when they start again', async () => {
  const roles = { HOCKET_ROLES: 'gateway,media' }
  const founder = start(0, { HOCKET_FOUNDS: 'yes' })
  let other = start(1, roles)
  const both = ['container-0: gateway,accounts,catalog,media,operator', 'container-1: gateway,media']
  const isThere = (at: 0 | 1) =>
    waitFor(async () => (await nodesAt(at).catch(() => [])).join() === both.join(), {
      what: `two machines at container ${at}: ${founder.logs()} ${other.logs()}`,
      deadline: 120_000,
    })
  await isThere(1)
  assert.equal(await end(other.child, 'SIGTERM'), 0, other.logs())
  other = start(1, roles)
  await isThere(1)
  await isThere(0)
  assert.doesNotMatch(founder.logs() + other.logs(), /hocket:\/\//, 'a join line stands in a log')
})

test('the files of deploy name only settings that there are', async () => {
  const names = new Set([...variables, 'HOCKET_OTHERS', 'HOCKET_FOUNDS'])
  const deploy = join(import.meta.dirname, '..', '..', 'deploy')
  for (const file of ['Dockerfile', 'compose.yaml', 'compose.roles.yaml', 'kubernetes/hocket.yaml']) {
    const text = await readFile(join(deploy, file), 'utf8')
    const used = new Set(text.match(/\bHOCKET_[A-Z_]+/g))
    assert.deepEqual(
      [...used].filter((name) => !names.has(name)),
      [],
      file,
    )
  }
})
