import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { deviceMade } from '../../src/protocol/api/accounts.ts'
import { catalogCounts, page, scanStatus, trackSummary } from '../../src/protocol/api/catalog.ts'
import { uploadResult } from '../../src/protocol/api/uploads.ts'
import { encodeTone } from '../fixtures/audio.ts'
import { makeCollection, makeMusicFolder } from '../fixtures/make.ts'
import type { Client } from '../harness/client.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { runHocket, startNode } from '../harness/node.ts'
import { feedOf, item, startPodcastServer } from '../harness/podcast.ts'
import { rescan, scanned } from '../harness/scan.ts'
import { openApp } from '../harness/subsonic.ts'
import { createUpload, offsetOf, sendUpload } from '../harness/upload.ts'
import { waitFor } from '../harness/wait.ts'

const files = 2_000

test('[F1] [N2] killed in mid-scan, again and again, it ends with every file once', async () => {
  await using music = await makeMusicFolder()
  await makeCollection(music, files)
  await using data = await temporaryFolder('data')
  const starred: string[] = []

  for (const share of [0.1, 0.4, 0.8]) {
    await using node = await startNode({ data: data.path, music: [music.path] })
    const ada = await node.administrator()
    await waitFor(async () => (await countTracks(ada)) >= files * share || (await isIdle(ada)), {
      what: `${share * 100} % of the tracks`,
      deadline: 120_000,
    })
    const some = (await tracksOf(ada, 1))[0]
    assert.ok(some)
    const answer = await ada.call('PUT', `/api/marks/track/${some.id}`, { starred: true })
    assert.equal(answer.status, 200)
    starred.push(some.id)
    await node.kill9()
  }

  await using node = await startNode({ data: data.path, music: [music.path] })
  const ada = await node.administrator()
  await scanned(ada)
  assert.equal(await countTracks(ada), files)
  const tracks = await tracksOf(ada, files)
  assert.equal(new Set(tracks.map(({ id }) => id)).size, files)
  const titles = new Set(tracks.map(({ title, album }) => `${album.name}/${title}`))
  assert.equal(titles.size, files, 'a song stands in the catalog twice, or is missing')
  for (const id of starred) {
    const track = tracks.find((one) => one.id === id)
    assert.ok(track?.mark.starredAt, 'a star that was acknowledged is gone')
  }
  const last = tracks.at(-1)
  assert.ok(last)
  assert.equal((await ada.fetch(`/api/tracks/${last.id}/audio`)).status, 200)
})

test('[N2] killed in mid-download, an episode is downloaded anew by the next start, and is in a backup', async () => {
  await using outside = await startPodcastServer()
  await using data = await temporaryFolder('data')
  await using other = await temporaryFolder('restored')
  const sound = await encodeTone('wav', 20)
  outside.put('/feed.xml', { bytes: feedOf('A show', [item('one', 'One', 'one.wav')]) })
  outside.put('/one.wav', { bytes: sound })
  const held = outside.hold('/one.wav')
  const unfinished = () => readdir(join(data.path, 'blobs', 'tmp')).catch(() => [])
  {
    await using node = await startNode({ data: data.path })
    const app = await openApp(node)
    await app.ask(node, 'createPodcastChannel', { url: `${outside.url}/feed.xml` })
    await app.ask(node, 'downloadPodcastEpisode', { id: (await app.episode(node, 'new')).id })
    await waitFor(async () => (await unfinished()).length === 1, { what: 'the download to be in its middle' })
    await node.kill9()
  }
  assert.equal((await unfinished()).length, 1)
  held.letGo()
  const archive = join(other.path, 'backup.tar')
  {
    await using node = await startNode({ data: data.path })
    await (await openApp(node)).episode(node, 'completed')
    assert.deepEqual(await unfinished(), [])
    const { code, stderr } = await runHocket(['backup', archive, '--data', data.path])
    assert.equal(code, 0, stderr)
  }
  const restored = join(other.path, 'data')
  const { code, stderr } = await runHocket(['restore', archive, '--data', restored])
  assert.equal(code, 0, stderr)
  await using node = await startNode({ data: restored })
  const app = await openApp(node)
  const { streamId = '' } = await app.episode(node, 'completed')
  const answer = await app.ask(node, 'stream', { id: streamId, format: 'raw' })
  assert.ok(sound.equals(Buffer.from(await answer.arrayBuffer())))
})

test('[B3] [N2] killed in mid-upload, the upload goes on where it was, and what was acknowledged is there', async () => {
  const sent = await readFile('/usr/share/games/wesnoth/1.16/data/core/music/elf-land.ogg')
  const digest = createHash('sha256').update(sent).digest('hex')
  await using data = await temporaryFolder('data')
  let location = ''
  {
    await using node = await startNode({ data: data.path })
    const ada = await node.administrator()
    location = await createUpload(ada, 'elf-land.ogg', sent.length)
    const half = sent.subarray(0, Math.floor(sent.length / 2))
    const answer = await sendUpload(ada, location, 0, half)
    assert.equal(answer.headers.get('upload-offset'), String(half.length))
    await node.kill9()
  }
  let track = ''
  {
    await using node = await startNode({ data: data.path })
    const ada = await node.administrator()
    const offset = await offsetOf(ada, location)
    assert.equal(offset, Math.floor(sent.length / 2), 'bytes that were acknowledged are gone')
    const answer = await sendUpload(ada, location, offset, sent.subarray(offset))
    track = uploadResult.parse(await answer.json()).track
    await node.kill9()
  }
  await using node = await startNode({ data: data.path })
  const ada = await node.administrator()
  const audio = await ada.fetch(`/api/tracks/${track}/audio`)
  assert.equal(audio.status, 200)
  const received = Buffer.from(await audio.arrayBuffer())
  assert.equal(createHash('sha256').update(received).digest('hex'), digest)
  assert.equal(await countTracks(ada), 1)
})

test('[F3] after a restart, a rescan and without its index it is the same as before, each id included', async () => {
  await using music = await makeMusicFolder()
  await makeCollection(music, 60)
  await using data = await temporaryFolder('data')
  let secret: string | undefined
  const look = async (again: (ada: Client) => Promise<unknown> = scanned) => {
    await using node = await startNode({ data: data.path, music: [music.path] })
    const ada = await node.administrator()
    await again(ada)
    await waitFor(() => isIdle(ada), { what: 'every file to be hashed' })
    secret ??= deviceMade.parse((await ada.call('POST', '/api/devices', { label: 'An app' })).body).secret
    const seen = { tracks: await tracksOf(ada, 60), app: await asAppsSee(node.baseUrl, secret) }
    await node.stop()
    return seen
  }
  const before = await look()
  assert.equal(before.app.song.length, 60)
  assert.deepEqual(await look(), before, 'after a restart')
  assert.deepEqual(await look((ada) => rescan(ada, { full: true })), before, 'after a rescan')
  for (const name of ['index.db', 'index.db-wal', 'index.db-shm'])
    await rm(`${data.path}/${name}`, { force: true })
  assert.deepEqual(await look(), before, 'without its index')
})

const named = z.looseObject({ id: z.string() })
const everything = z.object({
  'subsonic-response': z.object({
    searchResult3: z.object({ artist: z.array(named), album: z.array(named), song: z.array(named) }),
  }),
})

/** The whole library as Subsonic apps keep it, for years. */
async function asAppsSee(baseUrl: string, apiKey: string) {
  const counts = { artistCount: '500', albumCount: '500', songCount: '500' }
  const search = new URLSearchParams({ apiKey, v: '1.16.1', c: 'app', f: 'json', query: '""', ...counts })
  const answer = await fetch(`${baseUrl}/rest/search3?${search}`)
  return everything.parse(await answer.json())['subsonic-response'].searchResult3
}

async function countTracks(client: Client): Promise<number> {
  return catalogCounts.parse((await client.get('/api/counts')).body).tracks
}

async function isIdle(client: Client): Promise<boolean> {
  const status = scanStatus.parse((await client.get('/api/scan')).body)
  return status.phase === 'idle' && status.finishedAt !== undefined
}

async function tracksOf(client: Client, most: number) {
  const items = []
  let next = ''
  do {
    const cursor = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`
    const answer = await client.get(`/api/tracks?order=title&limit=${Math.min(most, 500)}${cursor}`)
    const found = page(trackSummary).parse(answer.body)
    items.push(...found.items)
    next = found.next ?? ''
  } while (next !== '' && items.length < most)
  return items
}
