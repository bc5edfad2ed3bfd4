import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { lyrics, type TrackSummary } from '../../src/protocol/api/catalog.ts'
import { problemDocument } from '../../src/protocol/api/problem.ts'
import { uploadResult } from '../../src/protocol/api/uploads.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { encodeTone } from '../fixtures/audio.ts'
import { makePicture } from '../fixtures/picture.ts'
import { tracksOf } from '../harness/catalog.ts'
import type { Client } from '../harness/client.ts'
import { blobsIn, type ClusterNode, startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { listen } from '../harness/listener.ts'
import { runHocket } from '../harness/node.ts'
import { feedOf, item, startPodcastServer } from '../harness/podcast.ts'
import { rescan } from '../harness/scan.ts'
import { openApp } from '../harness/subsonic.ts'
import { createUpload, offsetOf, sendUpload } from '../harness/upload.ts'
import { waitFor } from '../harness/wait.ts'

/**
 * Five machines of which none does everything: two gateways, two that know passwords, two catalogs, two with copies and
 * two operators. People notice nothing of that, nor of the death of one of each.
 */
const duties = [
  'accounts,catalog,operator',
  'gateway',
  'gateway,accounts',
  'catalog,media,operator',
  'media',
] as const
/** Where the music folder is; two gateways, of which one knows no passwords; and one that has copies and nothing else. */
const [home, edge, otherEdge, disk] = [0, 1, 2, duties.length - 1] as const

let music: TemporaryFolder
let cluster: TestCluster
let tracks: readonly TrackSummary[]
before(async () => {
  music = await temporaryFolder('music')
  await writeMusic(music.path, 40)
  await writeFile(join(music.path, 'cover.png'), await makePicture())
  cluster = await startCluster({
    nodes: duties.length,
    roles: (node) => duties[node],
    music: (node) => (node === home ? [music.path] : []),
  })
  await cluster.settled(duties.length)
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await music?.[Symbol.asyncDispose]()
})

function nodeAt(number: number): ClusterNode {
  const node = cluster.nodes[number]
  assert.ok(node)
  return node
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const fileOf = ({ track, title }: TrackSummary) => readFile(join(music.path, `${track} ${title}.wav`))
const having = (role: string) => cluster.nodes.filter((_, at) => duties[at]?.split(',').includes(role))
const gateways = () => having('gateway')

async function bytesOf(client: Client, path: string, headers: Record<string, string> = {}) {
  const answer = await client.fetch(path, { headers })
  const bytes = Buffer.from(await answer.arrayBuffer())
  assert.ok(answer.ok, `${path} answered ${answer.status}: ${bytes.subarray(0, 300)}`)
  return { bytes, status: answer.status, type: answer.headers.get('content-type') ?? '' }
}

async function holds(node: ClusterNode, bytes: Uint8Array): Promise<boolean> {
  const found = await readdir(join(node.data, 'blobs'), { recursive: true }).catch(() => [])
  return found.some((path) => path.endsWith(sha256(bytes)))
}

test('people sign in, ask for a scan and see the music at gateways that do none of that themselves', async () => {
  const [first] = cluster.nodes
  assert.ok(first)
  const ada = await nodeAt(edge).administrator()
  await rescan(ada)
  for (const node of gateways()) {
    const client = await node.administrator()
    tracks = await waitFor(
      async () => {
        const found = await tracksOf(client)
        return found.length === 6 && found
      },
      { what: `the music at ${node.name}` },
    )
    for (const track of tracks) {
      const { bytes } = await bytesOf(client, `/api/tracks/${track.id}/audio`)
      assert.equal(sha256(bytes), sha256(await fileOf(track)))
    }
  }
  const copies = async () =>
    (await Promise.all(having('media').map(({ data }) => blobsIn(data)))).reduce((sum, count) => sum + count)
  // Of each song, and of the picture beside them.
  await waitFor(async () => (await copies()) === 2 * (tracks.length + 1), {
    what: 'two copies on machines with the role media',
    deadline: 90_000,
  })
  for (const node of gateways()) assert.equal(await blobsIn(node.data), 0, `${node.name} holds no music`)
})

test('what is made of music comes from the machines with media: conversions, pictures, lyrics', async () => {
  const [track] = tracks
  assert.ok(track)
  const path = `/api/tracks/${track.id}/transcode?format=opus&bitrate=64`
  const made: string[] = []
  for (const node of gateways()) {
    const client = await node.administrator()
    const whole = await bytesOf(client, path)
    assert.equal(whole.type, 'audio/ogg')
    made.push(sha256(whole.bytes))
    // Once it is made it is kept, and had in ranges.
    const part = await waitFor(
      async () => {
        const asked = await bytesOf(client, path, { range: 'bytes=1000-1999' })
        return asked.status === 206 && asked
      },
      { what: 'a range of what is kept' },
    )
    assert.deepEqual(part.bytes, whole.bytes.subarray(1_000, 2_000))
    const later = await bytesOf(client, `${path}&offsetMs=30000`)
    assert.ok(later.bytes.length < whole.bytes.length / 2)
    const picture = await bytesOf(client, `/api/covers/album/${track.album.id}?size=64`)
    assert.match(picture.type, /^image\/(jpeg|webp)/, `${node.name} draws a placeholder`)
  }
  assert.equal(new Set(made).size, 1)
  // The file of lyrics lies beside the music, on a machine that is neither gateway nor media.
  await writeFile(join(music.path, `${track.track} ${track.title}.lrc`), '[00:01.00]la la\n')
  const ada = await nodeAt(edge).administrator()
  await rescan(ada)
  await waitFor(
    async () => {
      const { items } = lyrics.parse((await ada.get(`/api/tracks/${track.id}/lyrics`)).body)
      return items[0]?.lines[0]?.text === 'la la'
    },
    { what: 'the lyrics' },
  )
})

test('[B3] an upload begun at one gateway goes on at another, and is kept on machines with media', async () => {
  await using other = await temporaryFolder('upload')
  await writeMusic(other.path, 3)
  const [name = ''] = await readdir(other.path)
  const bytes = await readFile(join(other.path, name))
  const [one, two] = [await nodeAt(edge).administrator(), await nodeAt(otherEdge).administrator()]
  const location = await createUpload(one, name, bytes.length)
  const half = Math.floor(bytes.length / 2)
  await sendUpload(one, location, 0, bytes.subarray(0, half))
  assert.equal(await offsetOf(two, location), half)
  const { track } = uploadResult.parse(
    await (await sendUpload(two, location, half, bytes.subarray(half))).json(),
  )
  const keepers = await Promise.all(having('media').map((node) => holds(node, bytes)))
  assert.equal(keepers.filter(Boolean).length, 2, 'two copies before the answer')
  await waitFor(async () => (await tracksOf(one)).some(({ id }) => id === track), {
    what: 'the uploaded track',
  })
  assert.equal(sha256((await bytesOf(one, `/api/tracks/${track}/audio`)).bytes), sha256(bytes))
  await waitFor(async () => !(await holds(nodeAt(home), bytes)), {
    what: 'a catalog without media to let go of its copy',
    deadline: 60_000,
  })
})

test('[B3] a podcast that one gateway subscribes to plays at another, as it is and converted, and has its picture', async () => {
  await using outside = await startPodcastServer()
  const sound = await encodeTone('mp3', 12)
  const image = '<itunes:image href="/cover.png"/>'
  outside.put('/feed.xml', { bytes: feedOf('A show', [item('one', 'One', 'one.mp3')], image) })
  outside.put('/one.mp3', { bytes: sound })
  outside.put('/cover.png', { bytes: await makePicture() })
  const [here, there] = [nodeAt(edge).node, nodeAt(otherEdge).node]
  const app = await openApp(here)
  await app.ask(here, 'createPodcastChannel', { url: `${outside.url}/feed.xml` })
  const { id } = await app.episode(there, 'new')
  await app.ask(there, 'downloadPodcastEpisode', { id })
  const { streamId = '' } = await app.episode(here, 'completed')
  const keepers = await Promise.all(having('media').map((node) => holds(node, sound)))
  assert.equal(keepers.filter(Boolean).length, 2, 'two copies before it is there')
  await app.episode(there, 'completed')
  const bytesAt = async (endpoint: string, query: Record<string, string>) => {
    const answer = await app.ask(there, endpoint, query)
    return { bytes: Buffer.from(await answer.arrayBuffer()), type: answer.headers.get('content-type') ?? '' }
  }
  assert.ok(sound.equals((await bytesAt('stream', { id: streamId })).bytes))
  const made = await bytesAt('stream', { id: streamId, format: 'opus', timeOffset: '6' })
  assert.equal(made.type, 'audio/ogg')
  assert.ok(made.bytes.length > 1_000)
  const cover = await bytesAt('getCoverArt', { id, size: '64' })
  const colours = await sharp(cover.bytes).stats()
  // A picture of many colours, and not the one that is drawn where there is none.
  assert.match(cover.type, /^image\/(?:jpeg|webp)/)
  assert.ok(colours.entropy > 5, `entropy ${colours.entropy}`)
  await app.ask(there, 'deletePodcastEpisode', { id })
  await app.episode(here, 'deleted')
})

test('a machine that is no gateway answers its command line and says how it is, and nobody else', async () => {
  const node = nodeAt(disk)
  for (const path of ['/', '/api/welcome', '/api/albums', '/openapi.json', '/api/live']) {
    const answer = await fetch(`${node.node.baseUrl}${path}`)
    assert.equal(answer.status, 421, path)
    assert.equal(problemDocument.parse(await answer.json()).code, 'ROLE_ELSEWHERE')
  }
  const subsonic = await fetch(`${node.node.baseUrl}/rest/getOpenSubsonicExtensions?f=json`)
  assert.match(await subsonic.text(), /"status":"failed"/)
  for (const path of ['/livez', '/readyz', '/metrics']) {
    assert.equal((await fetch(`${node.node.baseUrl}${path}`)).status, 200, path)
  }
  const { code, stdout, stderr } = await runHocket(['status', '--data', node.data])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /node-2 \(node-2\): active, gateway, /)
  const edgeClient = await nodeAt(edge).administrator()
  const refused = await edgeClient.call('POST', '/api/libraries', { path: music.path, name: 'Again' })
  assert.equal(problemDocument.parse(refused.body).code, 'ROLE_ELSEWHERE')
})

test('[B5] [N1] [N2] one machine of each role dies while people listen, and nobody notices', async (test) => {
  const [, track] = tracks
  assert.ok(track)
  const whole = await fileOf(track)
  const { token } = await nodeAt(otherEdge).administrator()
  const hearing = (at: readonly ClusterNode[], onAhead: () => void) =>
    listen({
      gateways: at.map(({ node }) => node.baseUrl),
      path: `/api/tracks/${track.id}/audio`,
      token,
      bytesPerSecond: whole.length / 12,
      bufferSeconds: 5,
      onAhead,
      signal: AbortSignal.timeout(60_000),
    })
  // Accounts, catalog and operator: the music lies there, too. Then media. Then a gateway, with accounts.
  for (const [victim, through] of [
    [home, gateways()],
    [disk, gateways()],
    [otherEdge, gateways().toReversed()],
  ] as const) {
    const ahead = Promise.withResolvers<void>()
    const heard = hearing(through, ahead.resolve)
    await Promise.race([ahead.promise, heard])
    await nodeAt(victim).node.kill9()
    const client = await nodeAt(edge).administrator()
    const made = await bytesOf(client, `/api/tracks/${track.id}/transcode?format=mp3&bitrate=${96 + victim}`)
    assert.ok(made.bytes.length > 0)
    const { hash, underruns, changeovers } = await heard
    test.diagnostic(`${duties[victim]}: changed over in ${changeovers.map(Math.round).join(', ') || 'no'} ms`)
    assert.equal(hash, sha256(whole), duties[victim])
    assert.equal(underruns, 0, duties[victim])
    await nodeAt(victim).start()
    await cluster.settled(duties.length)
  }
})

test('what a machine does is changed by starting it anew', async () => {
  await nodeAt(edge).node.stop()
  await nodeAt(edge).start({ HOCKET_ROLES: 'gateway,media' })
  await waitFor(
    async () => {
      const { nodes } = await nodeAt(otherEdge).status()
      return nodes.find(({ name }) => name === nodeAt(edge).name)?.roles.join() === 'gateway,media'
    },
    { what: 'the new roles', deadline: 60_000 },
  )
})
