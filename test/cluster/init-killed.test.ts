import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import pino from 'pino'
import { runEtcd } from '../../src/node/cluster/etcd.ts'
import { readMembership, storeMembers } from '../../src/node/cluster/membership.ts'
import { connectEtcdStore } from '../../src/store/etcd/etcd.ts'
import { requireFacts } from '../../src/store/move.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { runHocket, startNode } from '../harness/node.ts'
import { freeRow } from '../harness/ports.ts'
import { scanned } from '../harness/scan.ts'

/** `hocket cluster init`, the command as a person gives it, killed after each of the steps of which it tells. */

let folder: TemporaryFolder
let facts: ReadonlyMap<string, string>
const alone = () => `${folder.path}/alone`
before(async () => {
  folder = await temporaryFolder('init')
  await writeMusic(`${folder.path}/music`, 3)
  {
    await using node = await startNode({ data: alone(), music: [`${folder.path}/music`] })
    const ada = await node.administrator()
    await scanned(ada)
    const early = await runHocket(['cluster', 'init', '--data', alone()])
    assert.match(early.stderr, /stop it, give this command again[\s\S]*DATA_FOLDER_IN_USE/)
    for (let number = 0; number < 100; number += 1)
      assert.equal((await ada.call('POST', '/api/playlists', { name: `list ${number}` })).status, 201)
  }
  await using store = await openSqliteStore(`${alone()}/store.db`)
  facts = await factsIn(store)
  assert.ok(facts.size > 100)
})
after(() => folder[Symbol.asyncDispose]())

/** Without what the command itself writes: who belongs to the cluster, how far the move is, whose the folders are. */
async function factsIn(store: Store): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let after: string | undefined
  for (let more = true; more; ) {
    const page = await store.list('', after === undefined ? {} : { after })
    for (const { key, value } of page.entries)
      if (!/^(cluster|store|catalog\/libraries)\//.test(key))
        found.set(key, Buffer.from(value).toString('base64'))
    after = page.entries.at(-1)?.key
    more = page.more
  }
  return found
}

/** Loaded before the program: kills it in the very moment in which it tells of the step of this number. */
const killer = `data:text/javascript,${encodeURIComponent(`
  const write = process.stderr.write.bind(process.stderr)
  let steps = 0
  process.stderr.write = (text, ...rest) => {
    write(text, ...rest)
    if (String(text).startsWith('  ') && ++steps === Number(process.env.KILL_AT)) process.kill(process.pid, 'SIGKILL')
    return true
  }
`)}`

async function init(data: string, port: number, killAt?: number) {
  const env = {
    HOCKET_ADDRESS: '127.0.0.1',
    HOCKET_PEER_PORT: String(port),
    HOCKET_ETCD_PORT: String(port + 1),
    ...(killAt !== undefined && { NODE_OPTIONS: `--import=${killer}`, KILL_AT: String(killAt) }),
  }
  return await runHocket(['cluster', 'init', '--data', data], { env })
}

async function assertHoldsEveryFact(data: string, port: number, what: string): Promise<void> {
  const identity = await readMembership(data)
  assert.ok(identity, what)
  const config = { data, address: '127.0.0.1', etcdPort: port + 1 }
  const log = pino({ level: 'silent' })
  await using _member = await runEtcd({ config, identity, log, signal: AbortSignal.timeout(60_000) })
  await using store = connectEtcdStore(storeMembers(identity))
  await requireFacts(store)
  const held = await factsIn(store)
  assert.equal(held.size, facts.size, what)
  for (const [key, value] of facts) assert.equal(held.get(key), value, `${key} ${what}`)
}

/** Answers whether it came to its end before it reached the step. */
async function killAndGiveAgain(step: number): Promise<boolean> {
  const data = `${folder.path}/killed-${step}`
  await cp(alone(), data, { recursive: true })
  const port = await freeRow()
  const first = await init(data, port, step)
  if (first.code === 0) return true
  const told = first.stderr.trimEnd().split('\n').at(-1)
  assert.equal(first.code, null, first.stderr)
  const again = await init(data, port)
  const what = `killed after “${told?.trim()}”`
  // After the last step nothing is left to be done but to say so.
  if (told?.includes('put aside') === true) assert.match(again.stderr, /ALREADY_IN_CLUSTER/, what)
  else assert.match(again.stdout, /hocket:\/\//, `${what}: ${again.stderr}`)
  await assertHoldsEveryFact(data, port, what)
  return false
}

test('[N2] whenever `cluster init` is killed, giving it again makes the cluster, with every fact', async (test) => {
  let steps = 0
  // Two at a time, as there are two processors.
  for (let done = false; !done; steps += 2) {
    const ended = await Promise.all([steps + 1, steps + 2].map(killAndGiveAgain))
    done = ended.some(Boolean)
  }
  test.diagnostic(`killed at up to ${steps} steps`)
  assert.ok(steps >= 12, `${steps} steps`)
})
