import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { startReceiver } from '../../../../test/harness/services.ts'
import { trackDetail } from '../../../protocol/api/catalog.ts'
import { connectionList } from '../../../protocol/api/outbox.ts'
import { problemDocument } from '../../../protocol/api/problem.ts'
import { uploadResult, uploadSummary } from '../../../protocol/api/uploads.ts'
import { song, world } from '../../testing/shared.ts'

const tus = { 'tus-resumable': '1.0.0' }
const metadata = `filename ${Buffer.from('later.mp3').toString('base64')}`

async function begin(size: number): Promise<string> {
  const answer = await world.guest.fetch('/api/uploads', {
    method: 'POST',
    headers: { ...tus, 'upload-length': String(size), 'upload-metadata': metadata },
  })
  assert.equal(answer.status, 201, answer.bytes.toString())
  return new URL(answer.headers.get('location') ?? '', world.edge.url).pathname
}

const send = (path: string, offset: number, bytes: Buffer) =>
  world.guest.fetch(path, {
    method: 'PATCH',
    headers: { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
    body: bytes,
  })

test('an upload goes on where it stopped, and plays when it is done', async () => {
  const path = await begin(song.length)
  assert.equal((await send(path, 0, song.subarray(0, 1_000))).status, 204)
  const head = await fetch(world.edge.url + path, {
    method: 'HEAD',
    headers: { ...tus, authorization: `Bearer ${world.guest.token}` },
  })
  assert.equal(head.headers.get('upload-offset'), '1000')
  const last = await send(path, 1_000, song.subarray(1_000))
  const { track, title } = uploadResult.parse(last.body)
  assert.equal(title, 'Uploaded')
  const detail = trackDetail.parse((await world.guest.get(`/api/tracks/${track}`)).body)
  assert.equal(detail.tags.title, 'Uploaded')
  assert.ok((await world.guest.get(`/api/tracks/${track}/audio`)).bytes.equals(song))
  const uploads = z
    .object({ items: z.array(uploadSummary) })
    .parse((await world.guest.get('/api/uploads')).body)
  assert.equal(uploads.items[0]?.state, 'done')
  assert.equal((await world.guest.fetch(`/api/tracks/${track}`, { method: 'DELETE' })).status, 204)
  assert.equal((await world.guest.get(`/api/tracks/${track}`)).status, 404)
})

test('an upload of somebody else is not there', async () => {
  const path = await begin(song.length)
  const other = await world.administrator.fetch(path, {
    method: 'PATCH',
    headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: song,
  })
  assert.equal(other.status, 404)
  assert.equal(problemDocument.parse(other.body).code, 'NOT_FOUND')
  const given = await world.guest.fetch(path, { method: 'DELETE', headers: tus })
  assert.equal(given.status, 204)
})

test('what is no audio, and what is no upload, is refused with a code', async () => {
  const text = Buffer.from('this is no audio. '.repeat(100))
  const path = await begin(text.length)
  const refused = await send(path, 0, text)
  assert.equal(problemDocument.parse(refused.body).code, 'UPLOAD_NOT_AUDIO')
  const odd = await world.guest.fetch('/api/uploads', { method: 'POST', headers: tus })
  assert.equal(problemDocument.parse(odd.body).code, 'BAD_REQUEST')
})

test('an upload that has become a song waits for the webhooks of who brought it, once', async () => {
  await using receiver = await startReceiver()
  const ada = world.administrator
  const input = { kind: 'webhook', url: receiver.url, events: ['upload.finished'] }
  assert.equal((await ada.post('/api/connections', input)).status, 201)
  for (const duplicate of [false, true]) {
    const begun = await ada.fetch('/api/uploads', {
      method: 'POST',
      headers: { ...tus, 'upload-length': String(song.length), 'upload-metadata': metadata },
    })
    const ended = await ada.fetch(new URL(begun.headers.get('location') ?? '', world.edge.url).pathname, {
      method: 'PATCH',
      headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
      body: song,
    })
    assert.equal(uploadResult.parse(ended.body).duplicate, duplicate)
    const { items } = connectionList.parse((await ada.get('/api/connections')).body)
    assert.equal(items[0]?.waiting, 1)
  }
})
