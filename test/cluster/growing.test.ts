import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { keepersOf, listMembers } from '../../src/node/cluster/etcd.ts'
import { storeMembers } from '../../src/node/cluster/membership.ts'
import { joinInvitation } from '../../src/protocol/api/cluster.ts'
import { isCoded } from '../../src/protocol/errors.ts'
import { joinTokens } from '../../src/registry/facts.ts'
import { type Identity, readIdentity } from '../../src/registry/trust/identity.ts'
import { connectEtcdStore, type EtcdStore } from '../../src/store/etcd/etcd.ts'
import type { Client } from '../harness/client.ts'
import { type ClusterNode, startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { runHocket } from '../harness/node.ts'
import { freeRow } from '../harness/ports.ts'
import { waitFor } from '../harness/wait.ts'

/** One machine becomes five and one again, by the commands that a person gives, while somebody goes on writing. */

let folder: TemporaryFolder
let cluster: TestCluster
let writer: Writer
before(async () => {
  folder = await temporaryFolder('growing')
  cluster = await startCluster({ nodes: 1 })
})
after(async () => {
  await writer?.end()
  await cluster?.[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

function nodeAt(number: number): ClusterNode {
  const node = cluster.nodes[number - 1]
  assert.ok(node, `node-${number}`)
  return node
}

async function identityOf(node: ClusterNode): Promise<Identity> {
  const identity = await readIdentity(node.data)
  assert.ok(identity)
  return identity
}

const hourMs = 3_600_000

/** Loaded before the program: its clock is wrong. */
function wrongClock(skewMs: number): Readonly<Record<string, string>> {
  const script = `
    const Right = Date
    globalThis.Date = class extends Right {
      constructor(...given) { given.length === 0 ? super(Right.now() + ${skewMs}) : super(...given) }
      static now() { return Right.now() + ${skewMs} }
    }`
  return skewMs === 0 ? {} : { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` }
}

/** The names of the nodes whose members of etcd vote, as the store itself says, and waits until it is these. */
async function votersBecome(seenFrom: ClusterNode, ...names: readonly string[]): Promise<void> {
  const ids = new Map<string, string>()
  for (const node of cluster.nodes) ids.set((await identityOf(node)).id, node.name)
  let last = ''
  await waitFor(
    async () => {
      const members = await listMembers(await identityOf(seenFrom), AbortSignal.timeout(5_000))
      last = members
        .map(({ name, learner }) => (learner ? 'a learner' : ids.get(name)))
        .toSorted()
        .join()
      return last === names.toSorted().join()
    },
    { what: `${names.join()} to be the members of the store`, deadline: 90_000 },
  ).catch((error: unknown) => {
    throw new Error(`the members of the store are ${last}`, { cause: error })
  })
}

interface Writer {
  readonly written: ReadonlySet<string>
  readonly unknown: ReadonlySet<string>
  end(): Promise<void>
}

/** Makes one playlist after another through one gateway, and notes which of them were acknowledged. */
async function startWriting(node: ClusterNode): Promise<Writer> {
  const ada = await node.administrator()
  const ending = new AbortController()
  const written = new Set<string>()
  const unknown = new Set<string>()
  const writing = (async () => {
    for (let number = 1; !ending.signal.aborted; number += 1) {
      const name = `list ${number}`
      const { status } = await ada.call('POST', '/api/playlists', { name })
      if (status === 201) written.add(name)
      else unknown.add(name)
    }
  })()
  return {
    written,
    unknown,
    async end() {
      ending.abort()
      await writing
    },
  }
}

async function assertKept(client: Client): Promise<void> {
  const { items } = z
    .object({ items: z.array(z.object({ name: z.string() })) })
    .parse((await client.get('/api/playlists')).body)
  const held = new Set(items.map(({ name }) => name))
  assert.deepEqual(
    [...writer.written].filter((name) => !held.has(name)),
    [],
    'acknowledged, and lost',
  )
  assert.deepEqual(
    [...held].filter((name) => !writer.written.has(name) && !writer.unknown.has(name)),
    [],
  )
}

async function goesOn(): Promise<void> {
  const before = writer.written.size
  await waitFor(() => writer.written.size > before + 3, { what: 'further writes to be acknowledged' })
}

const invite = async (ada: Client) =>
  joinInvitation.parse((await ada.call('POST', '/api/cluster/invitations')).body).line

const remove = async (through: ClusterNode, name: string) =>
  await runHocket(['remove', name, '--now', '--data', through.data])

test('nodes that run a member are those that joined first, without the ones that are being emptied', () => {
  const member = (id: string, state: 'active' | 'draining' | 'removed' = 'active') => ({
    id,
    name: id,
    zone: id,
    roles: [],
    capacityBytes: null,
    state,
    joinedAt: Number(id),
    certificates: [],
  })
  const keepers = (...members: Parameters<typeof keepersOf>[0]) => [...keepersOf(members)].join('')
  assert.equal(keepers(member('1'), member('2')), '1')
  assert.equal(keepers(member('1', 'draining'), member('2')), '2')
  assert.equal(keepers(member('1'), member('2', 'draining'), member('3')), '132')
  assert.equal(keepers(member('1'), member('2', 'draining'), member('3'), member('4')), '134')
  assert.equal(keepers(member('1', 'removed'), member('2')), '2')
})

test('[F1] one machine grows to five, and so do the members of its store', async () => {
  for (const skewMs of [0, 0, hourMs, -hourMs]) await cluster.grow([], wrongClock(skewMs))
  writer = await startWriting(nodeAt(3))
  await votersBecome(nodeAt(1), 'node-1', 'node-2', 'node-3', 'node-4', 'node-5')
  await cluster.settled(5)
  await goesOn()
})

test('clocks that are wrong by an hour are noticed by the others, and said', async () => {
  await waitFor(
    async () => {
      const { nodes } = await nodeAt(1).status()
      const skews = nodes.map(({ clockSkewMs }) => Math.round((clockSkewMs ?? 0) / hourMs))
      assert.deepEqual(skews, [0, 0, 0, 1, -1])
      return true
    },
    // One that is behind is believed only when a second message says so, and there is one a minute.
    { what: 'the skews of the clocks', deadline: 180_000 },
  )
  const { stdout } = await runHocket(['status', '--data', nodeAt(1).data])
  assert.match(stdout, /node-4 .*its clock is wrong by 3[56]\d{5} ms/)
})

test('a join line that was used, or is older than a day, lets nobody in', async () => {
  const used = await start(`${folder.path}/used`, ['--join', nodeAt(2).line ?? ''])
  assert.notEqual(used.code, 0)
  assert.match(used.stderr, /JOIN_TOKEN_USED/)
  const ada = await nodeAt(1).administrator()
  const line = await invite(ada)
  await using store = connectEtcdStore(storeMembers(await identityOf(nodeAt(1))))
  for await (const { id, value, revision } of joinTokens.walk(store)) {
    if (value.usedBy !== null) continue
    await store.commit(joinTokens.replace(id, revision, { ...value, expiresAt: Date.now() - 1 }))
  }
  const expired = await start(`${folder.path}/expired`, ['--join', line])
  assert.notEqual(expired.code, 0)
  assert.match(expired.stderr, /JOIN_TOKEN_EXPIRED/)
})

test('a copy of a data folder is refused while the original lives, and its member of etcd never runs', async () => {
  const copy = `${folder.path}/copy`
  // The original goes on writing: what is about to be renamed may be gone between being found and being read.
  const stays = (path: string) => !/(?:\.new|\.tmp|-journal)$/.test(path)
  await cp(nodeAt(2).data, copy, { recursive: true, force: true, errorOnExist: false, filter: stays })
  const { code, stderr, stdout } = await start(copy, [])
  assert.notEqual(code, 0)
  assert.match(stderr, /NODE_DUPLICATE/)
  assert.doesNotMatch(stdout, /etcd: /)
  await goesOn()
})

test('a node that is removed is refused by etcd at once, on connections that are open too', async (test) => {
  const [thief, honest] = [await identityOf(nodeAt(5)), await identityOf(nodeAt(1))]
  // The first machine's own member: it stays one, while another one leaves as soon as the nodes are four.
  const member = `https://127.0.0.1:${nodeAt(1).env.HOCKET_ETCD_PORT}`
  assert.ok(honest.store.includes(member), `${member} is among ${honest.store.join()}`)
  const reach = (identity: Identity) => connectEtcdStore(storeMembers({ ...identity, store: [member] }))
  await using open = reach(thief)
  await using others = reach(honest)
  assert.notEqual(await open.get(`cluster/members/${thief.id}`), null)
  const mistaken = await runHocket(['remove', 'node-5', '--data', nodeAt(1).data])
  assert.equal(mistaken.code, 1)
  assert.match(mistaken.stderr, /NODE_NOT_DRAINED/)
  const { code, stderr } = await remove(nodeAt(1), 'node-5')
  assert.equal(code, 0, stderr)
  // A member that starts again refuses everybody for a moment: it must take the one while it refuses the other.
  const isOut = async (store: EtcdStore) =>
    (await isRefused(store)) && (await others.get(`cluster/members/${thief.id}`)) !== null
  const startedAt = performance.now()
  await waitFor(
    async () => {
      await using fresh = reach(thief)
      return await isOut(fresh)
    },
    { what: 'a new connection to be refused' },
  )
  test.diagnostic(`a new connection is refused after ${Math.round(performance.now() - startedAt)} ms`)
  await waitFor(() => isOut(open), { what: 'the open connection to be cut' })
  test.diagnostic(`the open one is cut after ${Math.round(performance.now() - startedAt)} ms`)
  await using again = reach(thief)
  await waitFor(() => isOut(again), { what: 'one more connection to be refused' })
  await assert.rejects(
    again.commit(
      { conditions: [], writes: [{ key: 'thief', value: Buffer.from('1') }] },
      AbortSignal.timeout(5_000),
    ),
  )
  const found = await waitFor(async () => ({ entry: await others.get('thief') }), {
    what: 'the member to answer',
  })
  assert.equal(found.entry, null)
  await goesOn()
})

async function isRefused(store: EtcdStore): Promise<boolean> {
  const patience = AbortSignal.timeout(4_000)
  try {
    await store.get('cluster/trust/authority', patience)
    return false
  } catch (error) {
    // etcd closes the connection without a word, and the client tries again.
    if (patience.aborted || isCoded(error)) return true
    throw error
  }
}

test('[F1] of five machines four are left: the store has three members, and the fourth has stopped its own', async () => {
  await votersBecome(nodeAt(1), 'node-1', 'node-2', 'node-3')
  await goesOn()
})

test('[N2] [N3] a machine dies and is removed: another takes over its place in the store, and it hears of it when it returns', async () => {
  await nodeAt(2).node.kill9()
  const { code, stderr } = await remove(nodeAt(1), 'node-2')
  assert.equal(code, 0, stderr)
  const { data, env } = nodeAt(2)
  const [returned] = await Promise.all([
    runHocket(['up', '--data', data], { env }),
    votersBecome(nodeAt(1), 'node-1', 'node-3', 'node-4'),
  ])
  // etcd refuses it without a word, and it was off when it was removed: it hears of it from the other machines.
  assert.equal(returned.code, 1, returned.stdout)
  assert.match(returned.stdout, /"level":60.*"NODE_REMOVED"/)
  assert.match(returned.stderr, /removed from the cluster[\s\S]*cluster invite/)
  assert.match(returned.stdout, /the store does not answer/)
  const [again, joining, status, doctor] = await Promise.all(
    [['up'], ['up', '--join', await invite(await nodeAt(1).administrator())], ['status'], ['doctor']].map(
      (words) => runHocket([...words, '--data', data], { env }),
    ),
  )
  assert.doesNotMatch(again?.stdout ?? '', /the store does not answer/, 'it asks nobody any more')
  assert.doesNotMatch(joining?.stderr ?? '', /machine is node/, 'it is not said to have joined')
  for (const said of [again, joining, status, doctor]) {
    assert.equal(said?.code, 1)
    assert.match(`${said?.stdout}${said?.stderr}`, /has been removed from the cluster/)
  }
  await goesOn()
})

test('[F1] of three machines two are left: the store shrinks to one member, so that the other may fail', async () => {
  const { code, stderr } = await remove(nodeAt(3), 'node-4')
  assert.equal(code, 0, stderr)
  await votersBecome(nodeAt(3), 'node-1')
  const begun =
    nodeAt(4)
      .node.logs()
      .match(/this node runs a member of the store from now on/g) ?? []
  assert.equal(
    begun.length,
    2,
    'it was the fifth and then the third, and came back no more when it was taken out',
  )
  await goesOn()
})

test('the machine that holds the only member cannot be removed before another one has taken it over', async () => {
  const refused = await remove(nodeAt(3), 'node-1')
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /NODE_HOLDS_STORE/)
  const drained = await runHocket(['drain', 'node-1', '--data', nodeAt(3).data])
  assert.equal(drained.code, 0, drained.stderr)
  await votersBecome(nodeAt(3), 'node-3')
  const removed = await remove(nodeAt(3), 'node-1')
  assert.equal(removed.code, 0, removed.stderr)
})

test('[F1] what was acknowledged on the way is there, on the one machine that is left', async (test) => {
  await goesOn()
  await writer.end()
  test.diagnostic(`${writer.written.size} writes acknowledged, of ${writer.unknown.size} nobody knows`)
  await assertKept(await nodeAt(3).administrator())
  await nodeAt(3).node.stop()
  await nodeAt(3).start()
  await assertKept(await nodeAt(3).administrator())
})

/** Starts what is refused, and answers how it ended. */
async function start(data: string, flags: readonly string[]) {
  const port = await freeRow()
  return await runHocket(['up', '--data', data, ...flags], {
    env: {
      HOCKET_ADDRESS: '127.0.0.1',
      HOCKET_PORT: String(port),
      HOCKET_PEER_PORT: String(port + 1),
      HOCKET_ETCD_PORT: String(port + 2),
    },
  })
}
