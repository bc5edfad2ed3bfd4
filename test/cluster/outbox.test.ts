import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { deviceMade } from '../../src/protocol/api/accounts.ts'
import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import { connectionList, connectionMade } from '../../src/protocol/api/outbox.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { encodeTone } from '../fixtures/audio.ts'
import { tracksOf } from '../harness/catalog.ts'
import { type ClusterNode, startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { administrator } from '../harness/node.ts'
import { feedOf, item, startPodcastServer } from '../harness/podcast.ts'
import { scanned } from '../harness/scan.ts'
import { type ListenBrainz, type Receiver, startListenBrainz, startReceiver } from '../harness/services.ts'
import { openApp } from '../harness/subsonic.ts'
import { waitFor } from '../harness/wait.ts'

let music: TemporaryFolder
let service: ListenBrainz
let receiver: Receiver
let cluster: TestCluster
let tracks: readonly TrackSummary[]
before(async () => {
  music = await temporaryFolder('music')
  await writeMusic(music.path, 40)
  service = await startListenBrainz()
  receiver = await startReceiver()
  cluster = await startCluster({ nodes: 3, music: (node) => (node === 0 ? [music.path] : []) })
  await cluster.settled(3)
  const ada = await nodeAt(0).administrator()
  await scanned(ada)
  tracks = await tracksOf(ada)
  for (const node of cluster.nodes) {
    const there = await node.administrator()
    await waitFor(async () => (await tracksOf(there)).length === tracks.length, {
      what: `the music at ${node.name}`,
    })
  }
  const input = { kind: 'listenbrainz', url: service.url, token: 'good token' }
  assert.equal((await ada.call('POST', '/api/connections', input)).status, 201)
  const webhook = { kind: 'webhook', url: receiver.url, events: ['cluster.changed'] }
  receiver.secret = connectionMade.parse((await ada.call('POST', '/api/connections', webhook)).body).secret
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
  await receiver?.[Symbol.asyncDispose]()
  await music[Symbol.asyncDispose]()
})

function nodeAt(number: number): ClusterNode {
  const node = cluster.nodes[number]
  assert.ok(node)
  return node
}

/** Plays carry times of their own, in seconds, so that each is told from the others. */
let clock = Math.floor(Date.now() / 1_000) - 3_600
const nextAt = () => {
  clock += 1
  return clock
}
const listened = (at: number) => service.listens.filter(({ listenedAt }) => listenedAt === at).length

const isOperator = ({ node }: ClusterNode) =>
  node.logs().includes('is the operator of the cluster from now on')

async function playCount(node: ClusterNode, track: string): Promise<number> {
  const { body } = await (await node.administrator()).get(`/api/tracks/${track}`)
  return z.object({ mark: z.object({ playCount: z.number() }) }).parse(body).mark.playCount
}

test('[N2][B3] the operator dies in the middle of a download, and all machines play the whole episode', async () => {
  await using outside = await startPodcastServer()
  const sound = await encodeTone('wav', 20)
  outside.put('/feed.xml', { bytes: feedOf('A show', [item('one', 'One', 'one.wav')]) })
  outside.put('/one.wav', { bytes: sound })
  const holder = await waitFor(() => cluster.nodes.find(isOperator), { what: 'an operator' })
  const [here, there] = cluster.nodes.filter((node) => node !== holder)
  assert.ok(here && there)
  const app = await openApp(here.node)
  assert.equal(
    (await app.ask(here.node, 'createPodcastChannel', { url: `${outside.url}/feed.xml` })).status,
    200,
  )
  const { id } = await app.episode(there.node, 'new')

  const held = outside.hold('/one.wav')
  await app.ask(there.node, 'downloadPodcastEpisode', { id })
  const downloads = () => outside.asked.filter(({ path }) => path === '/one.wav').length
  await waitFor(() => downloads() === 1, { what: 'the operator to begin' })
  await holder.node.kill9()
  held.letGo()
  for (const { node, name } of [here, there]) {
    const { streamId = '' } = await app.episode(node, 'completed')
    const answer = await app.ask(node, 'stream', { id: streamId, format: 'raw' })
    assert.ok(sound.equals(Buffer.from(await answer.arrayBuffer())), name)
  }
  assert.equal(downloads(), 2)
  await holder.start()
  await cluster.settled(3)
  const { streamId = '' } = await app.episode(holder.node, 'completed')
  const range = { range: 'bytes=400000-400999' }
  const part = await app.ask(holder.node, 'stream', { id: streamId, format: 'raw' }, range)
  assert.equal(part.status, 206)
  assert.ok(sound.subarray(400_000, 401_000).equals(Buffer.from(await part.arrayBuffer())))
})

test('[N2] the node that delivers dies, and another delivers what was written through any gateway, and tells of it', async () => {
  const [track] = tracks
  assert.ok(track)
  const holder = await waitFor(() => cluster.nodes.find(isOperator), { what: 'an operator' })
  const others = cluster.nodes.filter((node) => node !== holder)
  let asked = 0
  service.disturb((path) => {
    if (path === '/1/submit-listens') asked += 1
    return { status: 503 }
  })
  const times: number[] = []
  for (const node of cluster.nodes) {
    const at = nextAt()
    times.push(at)
    const play: object = { play: randomUUID(), track: track.id, at: at * 1_000 }
    assert.equal((await (await node.administrator()).call('POST', '/api/plays', play)).status, 200)
  }
  await waitFor(() => asked > 0, { what: 'the holder to try' })
  await holder.node.kill9()
  service.disturb(undefined)
  await waitFor(() => times.every((at) => listened(at) > 0), { what: 'another node to deliver' })
  assert.ok(others.some(isOperator))
  await toldOf('silent', holder)
  await holder.start()
  await cluster.settled(3)
  await toldOf('returned', holder)
  assert.equal(receiver.forged, 0)
})

/** Waits until the webhook of the administrator has heard of it: once, however often it was sent. */
async function toldOf(kind: string, { name }: ClusterNode): Promise<void> {
  const told = () =>
    receiver.received.filter(({ type, data }) => {
      return type === 'cluster.changed' && data.kind === kind && data.name === name
    })
  await waitFor(() => told().length > 0, { what: `the webhook to hear that ${name} is ${kind}` })
  assert.equal(new Set(told().map(({ id }) => id)).size, 1)
}

test('[N2] without the store plays are kept, through a kill -9 too, and count and are delivered once it is back', async (t) => {
  const [, track] = tracks
  assert.ok(track)
  const last = nodeAt(2)
  const ada = await last.administrator()
  const made = await ada.call('POST', '/api/devices', { label: 'phone' })
  const { secret } = deviceMade.parse(made.body)
  await waitFor(async () => (await ada.get('/api/devices')).status === 200, {
    what: 'the device to be known',
  })
  const before = await playCount(last, track.id)
  await Promise.all([nodeAt(0).node.kill9(), nodeAt(1).node.kill9()])

  const [byRest, bySubsonic] = [nextAt(), nextAt()]
  const play = { play: randomUUID(), track: track.id, at: byRest * 1_000 }
  const startedAt = performance.now()
  const answer = await ada.call('POST', '/api/plays', play)
  t.diagnostic(`kept after ${Math.round(performance.now() - startedAt)} ms`)
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  assert.equal(z.object({ kept: z.literal(true) }).parse(answer.body).kept, true)
  assert.equal((await ada.call('POST', '/api/plays', play)).status, 202, 'said again')
  const query = new URLSearchParams({
    u: administrator.name,
    p: secret,
    v: '1.16.1',
    c: 'test',
    f: 'json',
    id: track.id,
    time: String(bySubsonic * 1_000),
  })
  const scrobbled = await fetch(`${last.node.baseUrl}/rest/scrobble?${query}`)
  assert.equal(scrobbled.headers.get('hocket-kept'), 'true', await scrobbled.text())

  await last.node.kill9()
  await Promise.all(cluster.nodes.map((node) => node.start()))
  await cluster.settled(3)
  await waitFor(async () => (await playCount(nodeAt(0), track.id)) === before + 2, { what: 'both to count' })
  await waitFor(() => listened(byRest) > 0 && listened(bySubsonic) > 0, { what: 'both to be delivered' })
  const [connection] = connectionList.parse(
    (await (await nodeAt(1).administrator()).get('/api/connections')).body,
  ).items
  assert.ok(connection)
  assert.equal(connection.needsAttention, false)
  for (const node of cluster.nodes)
    await waitFor(async () => (await playCount(node, track.id)) === before + 2, {
      what: `each to count once at ${node.name}`,
    })
})
