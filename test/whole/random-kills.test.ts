import assert from 'node:assert/strict'
import { createHash, randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { librarySummary, trackSummary } from '../../src/protocol/api/catalog.ts'
import { playlistDetail, playlistSummary } from '../../src/protocol/api/listening.ts'
import { nodeStatus } from '../../src/protocol/api/node.ts'
import { uploadResult } from '../../src/protocol/api/uploads.ts'
import { id3v2, textFrame } from '../fixtures/id3.ts'
import { makeMusicFolder } from '../fixtures/make.ts'
import { tracksOf } from '../harness/catalog.ts'
import { type Client, client } from '../harness/client.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startNode } from '../harness/node.ts'
import { createRandom } from '../harness/random.ts'
import { scanned } from '../harness/scan.ts'
import { createUpload, sendUpload } from '../harness/upload.ts'
import { waitFor } from '../harness/wait.ts'

/** Killed again and again while everything is being written: what was acknowledged is there, and nothing by half. */

const kills = 8
const longestLifeMs = 1_200

/** What a writer knows: the last value that was acknowledged, and one that was sent and not answered. */
interface Belief<Value> {
  acknowledged: Value
  sent?: Value
}

interface Beliefs {
  readonly ratings: Map<string, Belief<number | undefined>>
  readonly libraryName: Belief<string>
  /** The names of playlists that were made; those in doubt. */
  readonly playlists: { readonly made: Set<string>; readonly doubtful: Set<string> }
  /** A playlist to which the same track is added twice with each edit. */
  readonly log: { id: string; count: Belief<number> }
  /** Titles to the SHA-256 of what was uploaded. */
  readonly uploads: { readonly made: Map<string, string>; readonly doubtful: Map<string, string> }
  acknowledged: number
}

test('[F1] [B3] [N2] killed at random moments, every acknowledged write is there and none by half', async (t) => {
  const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
  t.diagnostic(`seed ${seed} (TEST_SEED repeats it)`)
  const random = createRandom(seed)
  await using music = await makeMusicFolder()
  for (let at = 0; at < 6; at++) await music.add(`${at}.mp3`, { title: `song ${at}` }, { hertz: 200 + at })
  const sound = await music.sound('mp3', { hertz: 150 })
  await using data = await temporaryFolder('data')
  const start = () => startNode({ data: data.path, music: [music.path] })

  let node = await start()
  try {
    const first = await node.administrator()
    await scanned(first)
    const songs = (await tracksOf(first)).map(({ id }) => id)
    const beliefs = await newBeliefs(first, songs)
    for (let kill = 0; kill < kills; kill++) {
      const ada = client(node.baseUrl, first.token)
      const stopping = new AbortController()
      const writers = writersOf(beliefs, songs, sound).map((write) => writeOn(write, ada, stopping.signal))
      const before = beliefs.acknowledged
      await waitFor(() => beliefs.acknowledged > before, { what: 'something to be written in this life' })
      await pause(random() * longestLifeMs)
      await node.kill9()
      stopping.abort()
      await Promise.all(writers)
      node = await start()
      await verify(client(node.baseUrl, first.token), beliefs)
    }
    t.diagnostic(`kills ${kills}, acknowledged ${beliefs.acknowledged}, lost 0`)
    assert.ok(beliefs.acknowledged > kills, 'too little was written to prove anything')
    await verifyUploads(client(node.baseUrl, first.token), beliefs)
    assert.equal(await node.stop(), 0)
  } finally {
    await node[Symbol.asyncDispose]()
  }
})

async function newBeliefs(ada: Client, songs: readonly string[]): Promise<Beliefs> {
  const made = await ada.call('POST', '/api/playlists', { name: 'log' })
  const { id } = playlistDetail.parse(made.body)
  return {
    ratings: new Map(songs.map((song) => [song, { acknowledged: undefined }])),
    libraryName: { acknowledged: 'music' },
    playlists: { made: new Set(['log']), doubtful: new Set() },
    log: { id, count: { acknowledged: 0 } },
    uploads: { made: new Map(), doubtful: new Map() },
    acknowledged: 1,
  }
}

type Writer = (ada: Client, turn: number) => Promise<void>

/** Each of them writes one kind of thing, one after another; together they write at the same time. */
function writersOf(beliefs: Beliefs, songs: readonly string[], sound: Buffer): Writer[] {
  const [track = ''] = songs
  const expect = async (answering: Promise<{ status: number }>, status: number) => {
    assert.equal((await answering).status, status)
    beliefs.acknowledged += 1
  }
  return [
    async (ada, turn) => {
      const song = songs[turn % songs.length] ?? ''
      const belief = beliefs.ratings.get(song)
      assert.ok(belief)
      const rating = ((belief.sent ?? belief.acknowledged ?? 0) % 5) + 1
      belief.sent = rating
      await expect(ada.call('PUT', `/api/marks/track/${song}`, { rating }), 200)
      settle(belief)
    },
    async (ada) => {
      const { made, doubtful } = beliefs.playlists
      const name = `list ${made.size + doubtful.size}`
      doubtful.add(name)
      await expect(ada.call('POST', '/api/playlists', { name, comment: name, tracks: songs }), 201)
      doubtful.delete(name)
      made.add(name)
    },
    async (ada) => {
      const { id, count } = beliefs.log
      count.sent = count.acknowledged + 2
      const edits = [
        { do: 'append', tracks: [track] },
        { do: 'append', tracks: [track] },
      ]
      await expect(ada.call('PATCH', `/api/playlists/${id}`, { edits }), 200)
      settle(count)
    },
    async (ada, turn) => {
      const { libraryName } = beliefs
      const list = z.object({ items: z.array(librarySummary) }).parse((await ada.get('/api/libraries')).body)
      const library = list.items.find(({ kind }) => kind === 'folder')
      assert.ok(library)
      libraryName.sent = `music ${turn} ${beliefs.acknowledged}`
      await expect(ada.call('PATCH', `/api/libraries/${library.id}`, { name: libraryName.sent }), 200)
      settle(libraryName)
    },
    async (ada) => {
      const { made, doubtful } = beliefs.uploads
      const title = `upload ${made.size + doubtful.size}`
      const bytes = Buffer.concat([id3v2([textFrame('TIT2', title)]), sound])
      const digest = digestOf(bytes)
      doubtful.set(title, digest)
      const location = await createUpload(ada, `${title}.mp3`, bytes.length)
      const answer = await sendUpload(ada, location, 0, bytes)
      assert.equal(answer.status, 200)
      uploadResult.parse(await answer.json())
      beliefs.acknowledged += 1
      doubtful.delete(title)
      made.set(title, digest)
    },
  ]
}

function settle<Value>(belief: Belief<Value>): void {
  if (belief.sent !== undefined) belief.acknowledged = belief.sent
  delete belief.sent
}

/** Writes until the node dies, which ends the request that was under way; any other failure is one of the test. */
async function writeOn(write: Writer, ada: Client, stopping: AbortSignal): Promise<void> {
  for (let turn = 0; !stopping.aborted; turn++) {
    try {
      await write(ada, turn)
    } catch (error) {
      if (error instanceof TypeError || stopping.aborted) return
      throw error
    }
  }
}

/** Compares what is there with what was acknowledged; from then on, what is there counts as acknowledged. */
async function verify(ada: Client, beliefs: Beliefs): Promise<void> {
  await waitFor(async () => nodeStatus.parse((await ada.get('/api/status')).body).index.behind === 0, {
    what: 'the index to have every fact',
  })
  for (const [song, belief] of beliefs.ratings) {
    const { mark } = trackSummary.parse((await ada.get(`/api/tracks/${song}`)).body)
    assertBelieved(belief, mark.rating, `the rating of ${song}`)
  }
  const found = z
    .object({ items: z.array(playlistSummary) })
    .parse((await ada.get('/api/playlists')).body)
    .items.map(({ name, comment, trackCount }) => ({ name, comment, trackCount }))
  const { made, doubtful } = beliefs.playlists
  for (const name of made)
    assert.ok(
      found.some((each) => each.name === name),
      `${name} is lost`,
    )
  for (const { name, comment, trackCount } of found) {
    assert.ok(made.has(name) || doubtful.has(name), `${name} is there though nobody made it`)
    if (name === 'log') continue
    assert.deepEqual(
      { comment, trackCount },
      { comment: name, trackCount: beliefs.ratings.size },
      'half a list',
    )
    made.add(name)
  }
  const log = playlistDetail.parse((await ada.get(`/api/playlists/${beliefs.log.id}`)).body)
  assertBelieved(beliefs.log.count, log.items.length, 'the length of the playlist')
  const libraries = z.object({ items: z.array(librarySummary) }).parse((await ada.get('/api/libraries')).body)
  const name = libraries.items.find(({ kind }) => kind === 'folder')?.name ?? ''
  assertBelieved(beliefs.libraryName, name, 'the name of the library')
}

function assertBelieved<Value>(belief: Belief<Value>, found: Value, what: string): void {
  const possible = 'sent' in belief ? [belief.acknowledged, belief.sent] : [belief.acknowledged]
  assert.ok(possible.includes(found), `${what} is ${found}, not one of ${possible}`)
  belief.acknowledged = found
  delete belief.sent
}

/** Every upload that was acknowledged plays byte for byte; one in doubt is there whole, or not at all. */
async function verifyUploads(ada: Client, { uploads }: Beliefs): Promise<void> {
  const tracks = (await tracksOf(ada)).filter(({ title }) => title.startsWith('upload'))
  const titles = tracks.map(({ title }) => title)
  assert.equal(new Set(titles).size, titles.length, 'an upload is there twice')
  for (const title of uploads.made.keys()) assert.ok(titles.includes(title), `${title} is lost`)
  for (const { id, title } of tracks) {
    const audio = await ada.fetch(`/api/tracks/${id}/audio`)
    assert.equal(audio.status, 200, title)
    const digest = digestOf(Buffer.from(await audio.arrayBuffer()))
    assert.equal(digest, uploads.made.get(title) ?? uploads.doubtful.get(title), `the bytes of ${title}`)
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
