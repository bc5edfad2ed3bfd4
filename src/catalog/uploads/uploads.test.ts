import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Upload } from 'tus-js-client'
import { type UploadResult, uploadResult } from '../../protocol/api/uploads.ts'
import type { Track } from '../../protocol/facts/catalog.ts'
import { derivedId } from '../../store/derived-id.ts'
import type { Viewer } from '../catalog.ts'
import { createCopies } from '../copies.ts'
import { albumParts, libraries } from '../facts.ts'
import { createPlaces } from '../places.ts'
import { createRecords } from '../records.ts'
import {
  alice,
  newPerson,
  type Sent,
  send,
  startUploadServer,
  type UploadServer,
  wav,
} from './test-support.ts'

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-uploads-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** Most tests share a server, each with people and songs of its own; those that restart it have their own. */
const { folder, ...place } = await openFolder()
const server = await startUploadServer(folder)
after(async () => {
  await server[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

/** The tracks that the user uploaded, as facts say it. */
async function tracksOf({ store }: Pick<UploadServer, 'store'>, user: string): Promise<Track[]> {
  const found: Track[] = []
  for await (const { value } of albumParts.walk(store)) found.push(...value.tracks)
  return found.filter(({ upload }) => upload?.user === user)
}

function request(url: string, method: string, user: string, headers = {}, body?: Uint8Array) {
  const type = body ? { 'content-type': 'application/offset+octet-stream' } : {}
  const all = { 'tus-resumable': '1.0.0', authorization: user, ...type, ...headers }
  return fetch(url, { method, headers: all, ...(body && { body }) })
}

/** Begins an upload of `size` bytes and sends none; answers its address. */
async function begin(url: string, size: number, user: string): Promise<string> {
  const answer = await request(url, 'POST', user, { 'upload-length': String(size) })
  assert.equal(answer.status, 201, await answer.text())
  return new URL(answer.headers.get('location') ?? '', url).href
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const resultOf = ({ body }: Sent): UploadResult => uploadResult.parse(JSON.parse(body))

test('[B3] an upload is acknowledged when its blob is durable and its facts are committed', async () => {
  const user = newPerson(server)
  const bytes = wav(1)
  const answer = await send(server.url, bytes, { user, name: '07 Some Song.wav' })
  assert.equal(answer.status, 200)
  const [track] = await tracksOf(server, user)
  assert.equal(track?.id, resultOf(answer).track)
  assert.equal(track?.blob, sha256(bytes))
  assert.deepEqual([track?.tags.title, track?.size], ['Some Song', bytes.length])
  const library = await libraries.get(server.store, track?.upload?.library ?? '')
  assert.equal(library?.value.kind, 'uploads')
  assert.equal(await server.blobs.verify(sha256(bytes)), 'sound')
  // [F4] The answer carries the revision at which the track is there.
  await server.index.waitFor(Number(answer.revision))
  assert.equal(await server.catalog.uploadedBytes(user), bytes.length)
})

test('several uploads at once, in pieces or in one, all arrive', async () => {
  const user = newPerson(server)
  const songs = Array.from({ length: 8 }, (_, seed) => wav(100 + seed))
  const sending = songs.map((bytes, seed) =>
    send(server.url, bytes, { user, chunkSize: seed % 2 ? 9_999 : 1e9, atOnce: seed > 5 }),
  )
  const results = (await Promise.all(sending)).map(resultOf)
  assert.equal(new Set(results.map(({ track }) => track)).size, 8)
  const blobs = (await tracksOf(server, user)).map(({ blob }) => blob)
  assert.deepEqual(blobs.toSorted(), songs.map(sha256).toSorted())
})

test('the same bytes again are recognised, whoever sends them and under whatever name', async () => {
  const [user, other] = [newPerson(server), newPerson(server)]
  const first = resultOf(await send(server.url, wav(4), { user, name: 'One.wav' }))
  const again = resultOf(await send(server.url, wav(4), { user: other, name: 'Other.wav' }))
  assert.deepEqual(again, { ...first, duplicate: true })
  assert.equal(await server.catalog.uploadedBytes(other), 0)
  assert.deepEqual(await tracksOf(server, other), [])
})

/** A track as a scan leaves it, before or after its file has been read whole. */
async function addToMusicFolder(seed: number, hashed: boolean) {
  const library = randomUUID()
  const root = join(folder, library)
  const bytes = wav(seed)
  const file = join(root, 'song.wav')
  await mkdir(root)
  await writeFile(file, bytes)
  const [reading] = await server.tagReader.readTags([file])
  assert.ok(reading?.ok)
  const { tags, audio, size, fingerprint, modifiedAt } = reading
  const fact = { id: library, name: 'Music', kind: 'folder', path: root, visibleTo: 'everyone' } as const
  await server.store.commit(libraries.create(library, { ...fact, createdAt: 1 }))
  const track = randomUUID()
  await server.records.apply([
    {
      kind: 'put',
      track,
      identity: randomUUID(),
      content: { tags, audio, size, fingerprint },
      file: { library, path: 'song.wav', modifiedAt },
      blob: hashed ? sha256(bytes) : undefined,
      addedAt: 1,
    },
  ])
  return { track, file, bytes }
}

for (const hashed of [true, false])
  test(`[B4] what lies in a music folder ${hashed ? 'with' : 'without'} a hash is recognised and not kept twice`, async () => {
    const { track, file, bytes } = await addToMusicFolder(hashed ? 201 : 202, hashed)
    const answer = resultOf(await send(server.url, bytes, { user: newPerson(server) }))
    assert.deepEqual([answer.track, answer.duplicate], [track, true])
    assert.equal(await server.blobs.size(sha256(bytes)), null)
    assert.equal(sha256(await readFile(file)), sha256(bytes))
  })

test('[B4] the blob stays where the copy in the music folder turns out damaged', async () => {
  const { file, bytes } = await addToMusicFolder(203, true)
  const { mtime } = await stat(file)
  await writeFile(file, Buffer.from(bytes).fill(0, 20_000, 20_001))
  await utimes(file, mtime, mtime)
  const answer = resultOf(await send(server.url, bytes, { user: newPerson(server) }))
  assert.equal(answer.duplicate, true)
  assert.equal(await server.blobs.verify(sha256(bytes)), 'sound')
})

test('what is no audio is refused with its code, and removed', async () => {
  const user = newPerson(server)
  const files: [string, Buffer][] = [
    ['words.mp3', Buffer.from('these are words\n'.repeat(1_000))],
    ['zeros.flac', Buffer.alloc(50_000)],
    ['half.wav', wav(1).subarray(0, 20)],
    ['page.html', Buffer.from('<!doctype html><script>alert(1)</script>')],
  ]
  for (const [name, bytes] of files) {
    await assert.rejects(send(server.url, bytes, { user, name }), /UPLOAD_NOT_AUDIO/, name)
    assert.equal(await server.blobs.size(sha256(bytes)), null)
  }
  assert.deepEqual(await tracksOf(server, user), [])
  for (const { id, problem } of await server.uploads.list(user)) {
    assert.equal(problem?.code, 'UPLOAD_NOT_AUDIO')
    assert.match(problem?.detail ?? '', /^The file is /, 'the reason is said in words')
    await assert.rejects(stat(join(folder, 'uploads', id)))
    // Whoever asks again hears the same.
    assert.equal((await request(`${server.url}/${id}`, 'HEAD', user)).status, 415)
  }
})

test('a quota holds for what is there and what has been begun, at the beginning and at the end', async () => {
  const user = newPerson(server, 100_000)
  await send(server.url, wav(11), { user })
  const begun = await begin(server.url, 40_044, user)
  await assert.rejects(send(server.url, wav(12), { user }), /QUOTA_EXCEEDED/)
  await send(server.url, wav(12), { user: newPerson(server) })
  server.people.set(user, { administrator: false, quotaBytes: 50_000 })
  const late = await request(begun, 'PATCH', user, { 'upload-offset': '0' }, wav(13))
  assert.equal(late.status, 413)
  assert.match(await late.text(), /QUOTA_EXCEEDED/)
  assert.equal((await tracksOf(server, user)).length, 1)
  const states = (await server.uploads.list(user)).map(({ state }) => state)
  assert.deepEqual(states, ['refused', 'done'])
})

test('nobody sees, continues or ends the upload of another', async () => {
  const [user, stranger] = [newPerson(server), newPerson(server)]
  const upload = await begin(server.url, 100, user)
  const bytes = Buffer.alloc(10)
  assert.equal((await request(upload, 'HEAD', stranger)).status, 404)
  assert.equal((await request(upload, 'PATCH', stranger, { 'upload-offset': '0' }, bytes)).status, 404)
  assert.equal((await request(upload, 'DELETE', stranger)).status, 404)
  assert.deepEqual(await server.uploads.list(stranger), [])
  assert.equal((await request(upload, 'HEAD', user)).headers.get('upload-offset'), '0')
  assert.equal((await request(upload, 'DELETE', user)).status, 204)
  assert.deepEqual(await server.uploads.list(user), [])
  assert.ok(!(await readdir(join(folder, 'uploads'))).some((name) => upload.includes(name.slice(0, 36))))
})

test('two requests that send the same upload take turns, and no byte is written twice', async () => {
  const user = newPerson(server)
  const bytes = wav(14)
  const upload = await begin(server.url, bytes.length, user)
  const both = await Promise.all(
    [1, 2].map(() => request(upload, 'PATCH', user, { 'upload-offset': '0' }, bytes)),
  )
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 409])
  const [track] = await tracksOf(server, user)
  assert.equal(track?.blob, sha256(bytes))
})

test('requests that make no sense get a coded answer', async () => {
  const user = newPerson(server)
  const { url } = server
  const post = (headers: Record<string, string>) => request(url, 'POST', user, headers)
  const plain = { method: 'POST', headers: { 'upload-length': '5', authorization: user } }
  const outside = `${url}/..%2f..%2fsecrets`
  const cases: [number, string, Promise<Response>][] = [
    [400, 'BAD_REQUEST', fetch(url, plain)],
    [400, 'BAD_REQUEST', post({})],
    [400, 'BAD_REQUEST', post({ 'upload-length': '-5' })],
    [400, 'BAD_REQUEST', post({ 'upload-length': '5', 'upload-metadata': 'filename ???' })],
    [400, 'BAD_REQUEST', post({ 'upload-defer-length': '1' })],
    [413, 'TOO_LARGE', post({ 'upload-length': '999999999999' })],
    [415, 'UPLOAD_NOT_AUDIO', post({ 'upload-length': '0' })],
    [404, 'NOT_FOUND', request(outside, 'PATCH', user, { 'upload-offset': '0' }, Buffer.alloc(1))],
    [403, 'FORBIDDEN', request(url, 'POST', 'nobody', { 'upload-length': '5' })],
  ]
  for (const [status, code, answering] of cases) {
    const answer = await answering
    assert.deepEqual([answer.status, JSON.parse(await answer.text()).code], [status, code])
  }
  const upload = await begin(url, 100, user)
  const tooMuch = await request(upload, 'PATCH', user, { 'upload-offset': '0' }, Buffer.alloc(101))
  assert.equal(tooMuch.status, 413)
  assert.equal((await request(url, 'OPTIONS', user)).headers.get('tus-version'), '1.0.0')
})

test('after a restart an upload goes on where it was, one that is too old is gone, and so is garbage', async () => {
  await using own = await openFolder()
  const uploads = join(own.folder, 'uploads')
  const bytes = wav(3)
  const [young, old] = await (async () => {
    await using before = await startUploadServer(own.folder)
    const begun = [await begin(before.url, bytes.length, alice), await begin(before.url, 100, alice)]
    for (const [index, upload] of begun.entries()) {
      const piece = index === 0 ? bytes.subarray(0, 12_345) : Buffer.alloc(10)
      const answer = await request(upload, 'PATCH', alice, { 'upload-offset': '0' }, piece)
      assert.equal(answer.headers.get('upload-offset'), String(piece.length))
      assert.ok(answer.headers.get('upload-expires'))
    }
    return begun.map((upload) => upload.slice(-36))
  })()
  const record = join(uploads, `${old}.json`)
  const weekAgo = Date.now() - 7 * 86_400_000 - 1
  await writeFile(
    record,
    JSON.stringify({ ...JSON.parse(await readFile(record, 'utf8')), createdAt: weekAgo }),
  )
  // What a crash may leave.
  await mkdir(join(uploads, 'no-record'))
  await writeFile(join(uploads, 'torn.json'), '{"id":')

  await using restarted = await startUploadServer(own.folder)
  await restarted.uploads.recovered()
  assert.equal((await request(`${restarted.url}/${old}`, 'HEAD', alice)).status, 404)
  assert.deepEqual((await readdir(uploads)).toSorted(), [young, `${young}.json`])
  const uploadUrl = `${restarted.url}/${young}`
  assert.equal((await request(uploadUrl, 'HEAD', alice)).headers.get('upload-offset'), '12345')
  const wrong = await request(uploadUrl, 'PATCH', alice, { 'upload-offset': '5' }, bytes.subarray(5))
  assert.equal(wrong.status, 409)
  await new Promise<void>((resolve, reject) => {
    const headers = { authorization: alice }
    new Upload(bytes, { uploadUrl, headers, onSuccess: () => resolve(), onError: reject }).start()
  })
  const [track] = await tracksOf(restarted, alice)
  assert.equal(track?.blob, sha256(bytes))
})

test('an upload can be taken back by its owner, and its blob goes after a day, unless it comes again', async () => {
  const [user, other] = [newPerson(server), newPerson(server)]
  const [gone, kept] = [sha256(wav(5)), sha256(wav(6))]
  const { track } = resultOf(await send(server.url, wav(5), { user }))
  await send(server.url, wav(6), { user })
  const yesterday = new Date(Date.now() - 2 * 86_400_000)
  for (const hash of [gone, kept])
    await utimes(join(folder, 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash), yesterday, yesterday)
  const mayTakeBack = async (viewer: Viewer) => (await server.catalog.track(viewer, track)).withdrawable
  assert.equal(await mayTakeBack({ user: other, administrator: false }), false)
  assert.equal(await mayTakeBack({ user: other, administrator: true }), true)
  assert.equal(await mayTakeBack({ user, administrator: false }), true)
  await assert.rejects(server.withdraw({ user: other, administrator: false }, track), /may not/)
  await server.index.waitFor(await server.withdraw({ user, administrator: false }, track))
  assert.equal(await server.catalog.uploadedBytes(user), wav(6).length)
  const { isReferenced } = createCopies(server.index, createPlaces(server.index, null))
  assert.deepEqual(await server.blobs.collect(isReferenced, 86_400_000), { blobs: 1, bytes: wav(5).length })
  assert.equal(await server.blobs.size(gone), null)
  assert.equal(await server.blobs.verify(kept), 'sound')
  const again = resultOf(await send(server.url, wav(5), { user }))
  assert.deepEqual([again.track, again.duplicate], [track, false])
})

test('none of this was an error inside the server', () => {
  assert.deepEqual(server.errors, [])
})

test('an upload joins an album that was retagged since the last upload, under the id that it has kept', async () => {
  const [before, user] = [newPerson(server), newPerson(server)]
  await send(server.url, wav(71), { user: before, name: 'before.wav' })
  const [song] = await tracksOf(server, before)
  assert.ok(song?.upload)
  const { id: track, tags, audio, size, fingerprint, upload, blob, addedAt } = song
  const identityFor = (uploader: string) => derivedId(`album/folder/${upload.library}/uploads/${uploader}`)
  const [album, retagged] = [identityFor(before), identityFor(user)]
  const content = { tags, audio, size, fingerprint }
  // As a scan does: it knows nothing of uploads, and they nothing of it.
  await createRecords(server.store).apply([
    { kind: 'put', track, identity: retagged, content, upload, blob, addedAt, from: album },
  ])
  await send(server.url, wav(72), { user, name: 'after.wav' })
  const parts = await Array.fromAsync(albumParts.walk(server.store, { under: `${album}/` }))
  const uploaders = parts.flatMap(({ value }) => value.tracks.map((each) => each.upload?.user))
  assert.deepEqual(uploaders.toSorted(), [before, user].toSorted())
})
