import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { lyrics } from '../../../protocol/api/catalog.ts'
import { playlistDetail } from '../../../protocol/api/listening.ts'
import { problemDocument } from '../../../protocol/api/problem.ts'
import { tracks, world } from '../../testing/shared.ts'

const track = tracks.find(({ title }) => title === 'One') ?? assert.fail()
const stored = readFileSync(join(world.music.path, 'Ana/First/01 One.mp3'))

const audio = (headers: Record<string, string> = {}, query = '', method = 'GET') =>
  world.guest.fetch(`/api/tracks/${track.id}/audio${query}`, { headers, method })

test('a track is played as it is stored, byte for byte', async () => {
  const whole = await audio()
  assert.equal(whole.status, 200)
  assert.ok(whole.bytes.equals(stored))
  assert.equal(whole.headers.get('content-type'), 'audio/mpeg')
  assert.equal(whole.headers.get('accept-ranges'), 'bytes')
  assert.equal(whole.headers.get('x-content-type-options'), 'nosniff')
  const head = await audio({}, '', 'HEAD')
  assert.equal(head.headers.get('content-length'), String(stored.length))
  assert.equal(head.bytes.length, 0)
})

test('ranges are byte-exact', async () => {
  const size = stored.length
  const ranges: readonly (readonly [range: string, start: number, end: number])[] = [
    ['bytes=0-0', 0, 1],
    ['bytes=100-299', 100, 300],
    [`bytes=${size - 10}-`, size - 10, size],
    ['bytes=-7', size - 7, size],
    [`bytes=5-${size + 999}`, 5, size],
  ]
  for (const [range, start, end] of ranges) {
    const part = await audio({ range })
    assert.equal(part.status, 206, range)
    assert.ok(part.bytes.equals(stored.subarray(start, end)), range)
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/${size}`)
  }
  const beyond = await audio({ range: `bytes=${size}-` })
  assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${size}`])
})

test('an answer is kept for ever only under the address of its version', async () => {
  const plain = await audio()
  assert.match(plain.headers.get('cache-control') ?? '', /no-cache/)
  const versioned = await audio({}, `?v=${track.version}`)
  assert.match(versioned.headers.get('cache-control') ?? '', /private.*immutable/)
  assert.doesNotMatch((await audio({}, '?v=other')).headers.get('cache-control') ?? '', /immutable/)
  const etag = plain.headers.get('etag') ?? ''
  assert.equal((await audio({ 'if-none-match': etag })).status, 304)
  assert.equal((await audio({ range: 'bytes=0-9', 'if-range': etag })).status, 206)
  assert.equal((await audio({ range: 'bytes=0-9', 'if-range': '"other"' })).status, 200)
})

test('a download has a name that is safe', async () => {
  const answer = await audio({}, '?download=1')
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="One.mp3"')
})

test('a track is made into another format while it is heard', async () => {
  for (const [format, type] of [
    ['opus', 'audio/ogg'],
    ['aac', 'audio/aac'],
    ['mp3', 'audio/mpeg'],
  ] as const) {
    const answer = await world.guest.get(
      `/api/tracks/${track.id}/transcode?format=${format}&bitrate=48&offsetMs=200`,
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), type)
    assert.ok(answer.bytes.length > 500, format)
  }
  assert.equal((await world.guest.get(`/api/tracks/${track.id}/transcode?format=exe`)).status, 400)
})

test('lyrics beside the file are read with their times', async () => {
  const found = lyrics.parse((await world.guest.get(`/api/tracks/${track.id}/lyrics`)).body)
  assert.deepEqual(found.items[0]?.lines, [
    { atMs: 500, text: 'la la' },
    { atMs: 1000, text: 'la' },
  ])
  const other = (await world.tracks(world.guest)).find(({ title }) => title === 'Three')
  assert.deepEqual((await world.guest.get(`/api/tracks/${other?.id}/lyrics`)).body, { items: [] })
})

test('everything has a picture, no larger than asked', async () => {
  const album = (await world.albums(world.guest)).find(({ name }) => name === 'First')
  const cover = await world.guest.fetch(`/api/covers/album/${album?.id}?size=128&v=${album?.cover}`, {
    headers: { accept: 'image/webp,*/*' },
  })
  assert.equal(cover.headers.get('content-type'), 'image/webp')
  assert.match(cover.headers.get('cache-control') ?? '', /immutable/)
  assert.match(cover.headers.get('vary') ?? '', /accept/i)
  assert.equal((await sharp(cover.bytes).metadata()).width, 128)
  const bare = (await world.albums(world.guest)).find(({ name }) => name === 'Second')
  const placeholder = await world.guest.get(`/api/covers/album/${bare?.id}`)
  assert.match(placeholder.headers.get('content-type') ?? '', /^image\//)
  assert.match(placeholder.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  const artist = album?.artists[0]?.id
  assert.equal((await world.guest.get(`/api/covers/artist/${artist}`)).status, 200)
  assert.equal((await world.guest.get(`/api/covers/track/${track.id}`)).status, 200)
  assert.equal((await world.guest.get(`/api/covers/nonsense/${track.id}`)).status, 400)
})

test('a playlist shows the pictures of its albums, to whoever may read it', async () => {
  const tracks = (await world.tracks(world.guest)).map(({ id }) => id)
  const made = await world.guest.post('/api/playlists', { name: 'Mixed', tracks: [...tracks, ...tracks] })
  const { id } = playlistDetail.parse(made.body)
  const cover = await world.guest.get(`/api/covers/playlist/${id}?size=64`)
  assert.equal(cover.status, 200)
  const [red, green] = (await sharp(cover.bytes).stats()).channels
  assert.ok(red && green && red.mean > 2 * green.mean, 'it is of the red cover of an album in it')
  assert.equal((await world.administrator.get(`/api/covers/playlist/${id}`)).status, 404)
})

test('a file that has gone is a coded problem, and one that has changed is not kept for ever', async () => {
  const three = (await world.tracks(world.guest)).find(({ title }) => title === 'Three')
  const path = join(world.music.path, 'Bob/Second/01 Three.ogg')
  const bytes = await readFile(path)
  await writeFile(path, Buffer.concat([bytes, Buffer.alloc(10)]))
  const changed = await world.guest.get(`/api/tracks/${three?.id}/audio?v=${three?.version}`)
  assert.equal(changed.status, 200)
  assert.equal(changed.bytes.length, bytes.length + 10)
  assert.doesNotMatch(changed.headers.get('cache-control') ?? '', /immutable/)
  await rm(path)
  const gone = await world.guest.get(`/api/tracks/${three?.id}/audio`)
  assert.equal(problemDocument.parse(gone.body).code, 'FILE_MISSING')
  assert.doesNotMatch(gone.bytes.toString(), new RegExp(world.music.path))
  await writeFile(path, bytes)
})

test('bytes and streams are counted, by the template of their route', async () => {
  const metrics = await fetch(`${world.edge.url}/metrics`)
  const text = await metrics.text()
  const sent = /hocket_http_sent_bytes_total\{route="\/api\/tracks\/:id\/audio"\} (\d+)/.exec(text)?.[1]
  assert.ok(Number(sent) > stored.length)
  assert.match(text, /hocket_streams_active 0/)
  assert.match(text, /nodejs_eventloop_lag_p99_seconds/)
  assert.doesNotMatch(text, new RegExp(track.id))
})
