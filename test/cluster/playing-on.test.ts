import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import type { OpenApiDocument } from '../../src/gateway/openapi/document.ts'
import { createChecker, readDocument } from '../../src/gateway/testing/checked.ts'
import { createVisitor } from '../../src/gateway/testing/visitor.ts'
import { lyrics, type TrackSummary } from '../../src/protocol/api/catalog.ts'
import { clusterStatus, joinInvitation } from '../../src/protocol/api/cluster.ts'
import { uploadResult } from '../../src/protocol/api/uploads.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { makePicture } from '../fixtures/picture.ts'
import { tracksOf } from '../harness/catalog.ts'
import { blobNames, type ClusterNode, heldBy, startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { listen } from '../harness/listener.ts'
import { scanned } from '../harness/scan.ts'
import { createUpload, sendUpload } from '../harness/upload.ts'
import { waitFor } from '../harness/wait.ts'

/** Three machines as a person makes them of one, each with its own etcd: real processes, killed as a power cut does. */

let music: TemporaryFolder
let cluster: TestCluster
let tracks: readonly TrackSummary[]
before(async () => {
  music = await temporaryFolder('music')
  await writeMusic(music.path, 40)
  await writeFile(join(music.path, 'cover.png'), await makePicture())
  for (const name of await readdir(music.path))
    if (name.endsWith('.wav')) await writeFile(join(music.path, name.replace(/wav$/, 'lrc')), wordsOf(name))
  cluster = await startCluster({ nodes: 3, music: (node) => (node === 0 ? [music.path] : []) })
  await cluster.settled(3)
  const ada = await nodeAt(0).administrator()
  await scanned(ada)
  tracks = await tracksOf(ada)
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await music[Symbol.asyncDispose]()
})

function nodeAt(number: number): ClusterNode {
  const node = cluster.nodes[number]
  assert.ok(node)
  return node
}

/** Lyrics beside a file, with their times. */
const wordsOf = (name: string) => `[00:01.00]These are the words\n[00:02.50]of ${name}\n`

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const fileOf = ({ track, title }: TrackSummary) => readFile(join(music.path, `${track} ${title}.wav`))

/** What lies beside a song as a node shows it: the picture in a size that nobody has asked for before, and the words. */
async function besideAt(node: ClusterNode, { id, album }: TrackSummary) {
  const ada = await node.administrator()
  const picture = await ada.fetch(`/api/covers/album/${album.id}?size=256`)
  const words = lyrics.parse(await (await ada.fetch(`/api/tracks/${id}/lyrics`)).json())
  assert.match(
    picture.headers.get('content-type') ?? '',
    /^image\/(jpeg|webp)/,
    `${node.name} draws a placeholder`,
  )
  assert.equal(words.items[0]?.synced, true, `${node.name} has no lyrics`)
  return { picture: sha256(Buffer.from(await picture.arrayBuffer())), words }
}

async function bytesAt(node: ClusterNode, track: string): Promise<Buffer> {
  const response = await (await node.administrator()).fetch(`/api/tracks/${track}/audio`)
  assert.equal(response.status, 200, node.name)
  return Buffer.from(await response.arrayBuffer())
}

/** Waits until every file of the music folder has a copy on a machine that has no such folder: songs, lyrics, picture. */
async function copied(): Promise<void> {
  const names = await readdir(music.path)
  const files = await Promise.all(names.map(async (name) => sha256(await readFile(join(music.path, name)))))
  await heldBy(cluster.nodes.slice(1), files)
}

test('three machines are one service: each shows and plays the music of the first, byte for byte', async () => {
  assert.equal(tracks.length, 6)
  for (const node of cluster.nodes) {
    const seen = await waitFor(
      async () => {
        const found = await tracksOf(await node.administrator())
        return found.length === tracks.length && found
      },
      { what: `the music at ${node.name}` },
    )
    for (const track of seen) assert.equal(sha256(await bytesAt(node, track.id)), sha256(await fileOf(track)))
  }
})

test('a picture beside the music of one machine is shown by the others', async () => {
  const [track] = tracks
  assert.ok(track)
  for (const node of cluster.nodes) {
    const ada = await node.administrator()
    const picture = await ada.fetch(`/api/covers/album/${track.album.id}?size=64`)
    assert.match(
      picture.headers.get('content-type') ?? '',
      /^image\/(jpeg|webp)/,
      `${node.name} draws a placeholder`,
    )
  }
})

test('administrators see the machines, empty one and take it back, each answer as the OpenAPI document says', async () => {
  const [first, second] = [nodeAt(0), nodeAt(1)]
  const { token } = await first.administrator()
  const document = await fetch(`${first.node.baseUrl}/openapi.json`)
  const described: OpenApiDocument = JSON.parse(await document.text())
  const checker = createChecker(readDocument(described))
  const ada = createVisitor(first.node.baseUrl, checker, token)
  const seen = clusterStatus.parse((await ada.get('/api/cluster')).body)
  assert.deepEqual(
    seen.nodes.map(({ name, alive, here }) => ({ name, alive, here })),
    cluster.nodes.map(({ name }, at) => ({ name, alive: true, here: at === 0 })),
  )
  const id = seen.nodes.find(({ name }) => name === second.name)?.id
  for (const state of ['draining', 'active'] as const) {
    assert.equal((await ada.patch(`/api/cluster/nodes/${id}`, { state })).status, 204)
    await waitFor(async () => (await second.status()).nodes.find((node) => node.id === id)?.state === state, {
      what: `${second.name} to be ${state}`,
    })
  }
  assert.match(joinInvitation.parse((await ada.post('/api/cluster/invitations')).body).line, /^hocket:/)
})

test('[F4] what is written through one gateway is read through another by who presents its revision', async () => {
  const [track] = tracks
  assert.ok(track)
  const one = await nodeAt(0).administrator()
  const other = await nodeAt(1).administrator()
  for (let rating = 1; rating <= 5; rating++) {
    const written = await one.call('PUT', `/api/marks/track/${track.id}`, { rating })
    const revision = written.headers.get('hocket-revision') ?? ''
    const read = await other.fetch(`/api/tracks/${track.id}`, { headers: { 'hocket-after': revision } })
    const { mark } = z.object({ mark: z.object({ rating: z.number() }) }).parse(await read.json())
    assert.equal(mark.rating, rating)
  }
})

test('[B5] [N1] the machine that has the music dies, and the others play it on, byte for byte', async (test) => {
  await copied()
  const [track] = tracks
  assert.ok(track)
  const whole = await fileOf(track)
  const gateway = nodeAt(2)
  const { token } = await gateway.administrator()
  const ahead = Promise.withResolvers<void>()
  const shown = await besideAt(nodeAt(0), track)
  const hearing = listen({
    gateways: [gateway.node.baseUrl],
    path: `/api/tracks/${track.id}/audio`,
    token,
    bytesPerSecond: whole.length / 12,
    bufferSeconds: 5,
    onAhead: ahead.resolve,
    signal: AbortSignal.timeout(60_000),
  })
  await Promise.race([ahead.promise, hearing])
  await nodeAt(0).node.kill9()
  const heard = await hearing
  test.diagnostic(`changed over in ${heard.changeovers.map(Math.round).join(', ')} ms`)
  assert.equal(heard.hash, sha256(whole))
  assert.equal(heard.underruns, 0)
  for (const each of tracks) assert.equal(sha256(await bytesAt(gateway, each.id)), sha256(await fileOf(each)))
  for (const node of [nodeAt(1), nodeAt(2)]) assert.deepEqual(await besideAt(node, track), shown, node.name)
  // What stays is the picture itself, not only what was made of it.
  const copies = [nodeAt(1), nodeAt(2)].map(({ data }) => blobNames(data))
  const picture = sha256(await readFile(join(music.path, 'cover.png')))
  assert.ok((await Promise.all(copies)).flat().includes(picture))
  await nodeAt(0).start()
  await cluster.settled(3)
})

test('[B5] the gateway that serves dies, and a listener goes on at another one at the same byte', async (test) => {
  const [, track] = tracks
  assert.ok(track)
  const whole = await fileOf(track)
  const { token } = await nodeAt(1).administrator()
  const served: string[] = []
  const ahead = Promise.withResolvers<void>()
  const hearing = listen({
    gateways: [nodeAt(1), nodeAt(2)].map(({ node }) => node.baseUrl),
    path: `/api/tracks/${track.id}/audio`,
    token,
    bytesPerSecond: whole.length / 12,
    bufferSeconds: 5,
    onServedBy: (gateway) => served.push(gateway),
    onAhead: ahead.resolve,
    signal: AbortSignal.timeout(60_000),
  })
  await Promise.race([ahead.promise, hearing])
  await nodeAt(1).node.kill9()
  const heard = await hearing
  test.diagnostic(`changed over in ${heard.changeovers.map(Math.round).join(', ')} ms`)
  assert.equal(heard.hash, sha256(whole))
  assert.equal(heard.underruns, 0)
  assert.equal(served.at(-1), nodeAt(2).node.baseUrl)
  await nodeAt(1).start()
  await cluster.settled(3)
})

test('[B3] an upload that was acknowledged is there when the machine that took it is gone', async () => {
  const third = nodeAt(2)
  await using other = await temporaryFolder('upload')
  await writeMusic(other.path, 3)
  const [name = ''] = await readdir(other.path)
  const bytes = await readFile(join(other.path, name))
  const ada = await third.administrator()
  const location = await createUpload(ada, name, bytes.length)
  const { track } = uploadResult.parse(await (await sendUpload(ada, location, 0, bytes)).json())
  await third.node.kill9()
  for (const node of [nodeAt(0), nodeAt(1)]) {
    await waitFor(async () => sha256(await bytesAt(node, track)) === sha256(bytes), {
      what: `the upload at ${node.name}`,
    })
  }
  await third.start()
  await cluster.settled(3)
})
