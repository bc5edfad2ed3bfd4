import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { storeMembers } from '../../src/node/cluster/membership.ts'
import { knownTrack, searchResult, type TrackSummary } from '../../src/protocol/api/catalog.ts'
import { clusterStatus } from '../../src/protocol/api/cluster.ts'
import { problemDocument } from '../../src/protocol/api/problem.ts'
import { readIdentity } from '../../src/registry/trust/identity.ts'
import { createConnection } from '../../src/store/etcd/connection.ts'
import { openMembership } from '../../src/store/etcd/members.ts'
import { methods } from '../../src/store/etcd/methods.ts'
import { message } from '../../src/store/etcd/wire.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { tracksOf } from '../harness/catalog.ts'
import { type Client, client } from '../harness/client.ts'
import { type ClusterNode, etcdOf, heldBy, startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { listen } from '../harness/listener.ts'
import { runHocket } from '../harness/node.ts'
import { scanned } from '../harness/scan.ts'
import { standStill } from '../harness/stand-still.ts'
import { waitFor } from '../harness/wait.ts'

/**
 * Three machines whose store has lost its majority: two members of etcd are stopped where they stand (SIGSTOP), which
 * looks to everybody like a network that swallows everything. The nodes themselves go on.
 */

let music: TemporaryFolder
let cluster: TestCluster
let tracks: readonly TrackSummary[]
let token: string
const stopped: number[] = []
const station = 'Radio of the house'

before(async () => {
  music = await temporaryFolder('music')
  await writeMusic(music.path, 40)
  cluster = await startCluster({ nodes: 3, music: (node) => (node === 0 ? [music.path] : []) })
  await cluster.settled(3)
  const ada = await nodeAt(0).administrator()
  await scanned(ada)
  tracks = await tracksOf(ada)
  assert.equal(tracks.length, 6)
  await ada.call('POST', '/api/stations', { name: station, streamUrl: 'http://radio.example/live' })
  token = (await nodeAt(1).administrator()).token
  await heldBy(
    cluster.nodes.slice(1),
    await Promise.all(tracks.map(async (track) => sha256(await fileOf(track)))),
  )
  for (const node of cluster.nodes)
    await waitFor(async () => (await tracksOf(at(node))).length === tracks.length, {
      what: `the music at ${node.name}`,
    })
  for (const node of cluster.nodes) await waitFor(() => hasStation(node), { what: `radio at ${node.name}` })
  for (const node of [nodeAt(0), nodeAt(2)]) {
    const pid = await etcdOf(node.data)
    stopped.push(pid)
    await standStill(pid)
  }
})
after(async () => {
  goOn()
  await cluster?.[Symbol.asyncDispose]()
  await music[Symbol.asyncDispose]()
})

function nodeAt(number: number): ClusterNode {
  const node = cluster.nodes[number]
  assert.ok(node)
  return node
}

/** Who was signed in before, at this node. */
const at = ({ node }: ClusterNode): Client => client(node.baseUrl, token)

function goOn(): void {
  for (const pid of stopped.splice(0)) process.kill(pid, 'SIGCONT')
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const fileOf = ({ track, title }: TrackSummary) => readFile(join(music.path, `${track} ${title}.wav`))

async function hasStation(node: ClusterNode): Promise<boolean> {
  return JSON.stringify((await at(node).get('/api/stations')).body).includes(station)
}

async function assertPlays(node: ClusterNode): Promise<void> {
  for (const track of tracks) {
    const response = await at(node).fetch(`/api/tracks/${track.id}/audio`)
    assert.equal(response.status, 200, `${track.title} at ${node.name}`)
    assert.equal(sha256(Buffer.from(await response.arrayBuffer())), sha256(await fileOf(track)))
  }
}

async function assertSaysThatNothingCanBeSaved(node: ClusterNode): Promise<void> {
  const [track] = tracks
  const answer = await at(node).call('PUT', `/api/marks/track/${track?.id}`, { rating: 3 })
  // A member that stands still may yet carry out what it was sent: then nobody knows.
  assert.match(problemDocument.parse(answer.body).code, /^(UNREACHABLE|TIMED_OUT)$/)
  const ready = await fetch(new URL('/readyz', node.node.baseUrl))
  assert.deepEqual(
    [ready.status, await ready.text()],
    [200, 'ready to browse and play; nothing can be saved\n'],
  )
}

test('without its majority, machines play on, say what they cannot do, and answer `status` at once', async () => {
  for (const node of cluster.nodes) await assertPlays(node)
  for (const node of cluster.nodes) assert.ok(await hasStation(node), `radio at ${node.name}`)
  await assertSaysThatNothingCanBeSaved(nodeAt(2))
  const startedAt = performance.now()
  const { stdout, code } = await runHocket(['status', '--data', nodeAt(0).data])
  assert.match(stdout, /^Copies +\d+ of \d+ are made here; how it is elsewhere is not known$/m)
  assert.equal(code, 0)
  assert.match(stdout, /Store +does not answer/)
  assert.match(stdout, /Etcd +too few of its members answer: nothing can be saved/)
  assert.match(stdout, /node-1 .*\n.*node-2 .*\n.*node-3 /)
  assert.ok(performance.now() - startedAt < 12_000, 'it waits for what does not come')
})

test('[F3] a machine that starts meanwhile serves whoever is signed in from its index, and plays from the others', async (test) => {
  const node = nodeAt(1)
  await node.node.kill9()
  const startedAt = performance.now()
  await node.start()
  test.diagnostic(`ready after ${Math.round(performance.now() - startedAt)} ms`)
  assert.match(node.node.logs(), /nothing can be saved until it does/)
  assert.equal((await tracksOf(at(node))).length, tracks.length)
  const [track] = tracks
  const answer = await at(node).get(`/api/search?q=${encodeURIComponent(track?.title ?? '')}`)
  assert.ok(searchResult.parse(answer.body).tracks.some(({ id }) => id === track?.id))
  const known = knownTrack.parse((await at(node).get(`/api/tracks/${track?.id}`)).body)
  assert.deepEqual([known.title, known.codec, known.tags], [track?.title, track?.codec, undefined])
  await assertPlays(node)
  await assertSaysThatNothingCanBeSaved(node)
})

test('[B5] the gateway of a listener dies meanwhile, and another one that can play goes on at the same byte', async () => {
  const [, track] = tracks
  assert.ok(track)
  const whole = await fileOf(track)
  const ahead = Promise.withResolvers<void>()
  const hearing = listen({
    gateways: [nodeAt(0), nodeAt(1)].map(({ node }) => node.baseUrl),
    path: `/api/tracks/${track.id}/audio`,
    token,
    bytesPerSecond: whole.length / 12,
    bufferSeconds: 5,
    onAhead: ahead.resolve,
    signal: AbortSignal.timeout(60_000),
  })
  await waitFor(async () => (await fetch(new URL('/readyz', nodeAt(1).node.baseUrl))).ok, {
    what: 'the other gateway to say that it can play',
  })
  await Promise.race([ahead.promise, hearing])
  await nodeAt(0).node.kill9()
  const heard = await hearing
  assert.equal(heard.hash, sha256(whole))
  assert.equal(heard.underruns, 0)
})

test('the majority comes back: what is written is read at the machine that had started without it', async () => {
  goOn()
  await nodeAt(0).start()
  const [track] = tracks
  assert.ok(track)
  const written = await waitFor(
    async () => {
      const answer = await at(nodeAt(2)).call('PUT', `/api/marks/track/${track.id}`, { rating: 5 })
      return answer.status < 300 && answer
    },
    { what: 'a star that is kept', deadline: 60_000 },
  )
  const revision = written.headers.get('hocket-revision') ?? ''
  const read = await waitFor(
    async () => {
      const response = await at(nodeAt(1)).fetch(`/api/tracks/${track.id}`, {
        headers: { 'hocket-after': revision },
      })
      return response.ok && (await response.text())
    },
    { what: 'the index to catch up' },
  )
  assert.match(read, /"rating":5/)
  await cluster.settled(3)
  await waitFor(() => nodeAt(1).node.logs().includes('the store answers again'), {
    what: 'the log to say it',
  })
  const said =
    nodeAt(0)
      .node.logs()
      .match(/the index met trouble/g) ?? []
  assert.ok(said.length < 6, `once a minute is enough: ${said.length} times`)
  const lines = await runHocket(['status', '--data', nodeAt(1).data])
  assert.match(lines.stdout, /Etcd +3 members vote/)
})

test('a store at its quota says so wherever an administrator looks, and takes writes again afterwards', async () => {
  const node = nodeAt(1)
  const identity = await readIdentity(node.data)
  assert.ok(identity)
  using connection = createConnection(storeMembers(identity))
  using membership = openMembership(storeMembers(identity))
  const [first] = await membership.list()
  // Field by field: activate, the member, no space. As a member raises it; 8 GiB would take too long.
  const alarm = message([1, 1], [2, BigInt(`0x${first?.id}`)], [3, 1])
  await connection.call(methods.alarm, alarm, { repeatable: true })
  const [track] = tracks
  const star = () => at(node).call('PUT', `/api/marks/track/${track?.id}`, { rating: 4 })
  assert.equal(problemDocument.parse((await star()).body).code, 'STORE_FULL')
  assert.equal(clusterStatus.parse((await at(node).get('/api/cluster')).body).storeAlarm, 'full')
  assert.match((await runHocket(['status', '--data', node.data])).stdout, /its quota is reached/)
  const doctor = await runHocket(['doctor', '--data', node.data])
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, /✗ .*its quota is reached/)
  for (const each of await membership.alarms()) await membership.takeBack(each)
  assert.equal((await star()).status, 200)
  assert.equal(clusterStatus.parse((await at(node).get('/api/cluster')).body).storeAlarm, undefined)
})

test('[F1] a machine that comes back with another address votes as before, is found there, and plays', async (test) => {
  const [first, second, third] = [nodeAt(0), nodeAt(1), nodeAt(2)]
  const identity = await readIdentity(first.data)
  assert.ok(identity)
  using membership = openMembership(storeMembers(identity))
  const idsOf = async () => (await membership.list()).map(({ id }) => id).toSorted()
  const before = await idsOf()
  await second.node.kill9()
  const startedAt = performance.now()
  await second.start({ HOCKET_HOST: '127.0.0.2', HOCKET_ADDRESS: '127.0.0.2' })
  await cluster.settled(3)
  test.diagnostic(`at its new address after ${Math.round(performance.now() - startedAt)} ms`)
  assert.deepEqual(await idsOf(), before, 'the same members')
  assert.ok((await membership.list()).some(({ peerUrls }) => peerUrls[0]?.startsWith('https://127.0.0.2:')))
  // Of three members two are left, and one of them is the one that has moved.
  await third.node.kill9()
  const [track] = tracks
  assert.ok(track)
  const star = () => at(first).call('PUT', `/api/marks/track/${track.id}`, { rating: 3 })
  await waitFor(async () => (await star()).status === 200, { what: 'a majority with it' })
  const heard = await at(second).fetch(`/api/tracks/${track.id}/audio`)
  assert.ok(Buffer.from(await heard.arrayBuffer()).equals(await fileOf(track)))
})
