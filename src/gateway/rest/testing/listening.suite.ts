import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { z } from 'zod'
import { itemMark, type TrackSummary, trackSummary } from '../../../protocol/api/catalog.ts'
import { importResult, playlistDetail, playlistSummary, queueView } from '../../../protocol/api/listening.ts'
import { listen } from '../../testing/listener.ts'
import { tracks, world } from '../../testing/shared.ts'
import type { Visitor } from '../../testing/visitor.ts'

const idsOf = (found: readonly (TrackSummary | null)[]) => found.map((track) => track?.id)
const bearer = ({ token }: Visitor) => ({ authorization: `Bearer ${token}` })

test("[F4] stars and ratings are one person's own, and seen at once", async () => {
  const [track] = tracks
  const path = `/api/marks/track/${track?.id}`
  const marked = await world.guest.put(path, { starred: true, rating: 4 })
  const mark = itemMark.parse(marked.body)
  assert.ok(mark.starredAt !== undefined && mark.rating === 4)
  const seen = (await world.tracks(world.guest)).find(({ id }) => id === track?.id)
  assert.equal(seen?.mark.rating, 4)
  const others = (await world.tracks(world.administrator)).find(({ id }) => id === track?.id)
  assert.equal(others?.mark.rating, undefined)
  assert.equal(itemMark.parse((await world.guest.put(path, { rating: null })).body).rating, undefined)
  assert.equal((await world.guest.put(path, { rating: 6 })).status, 400)
  const secret = (await world.tracks(world.administrator)).find(({ title }) => title === 'Secret')
  for (const id of [randomUUID(), secret?.id]) {
    assert.equal((await world.guest.put(`/api/marks/track/${id}`, { starred: true })).status, 404)
    assert.equal((await world.guest.post('/api/plays', { play: randomUUID(), track: id })).status, 404)
  }
})

test('a play that is reported twice counts once', async () => {
  const play = { play: randomUUID(), track: tracks[0]?.id }
  assert.equal(itemMark.parse((await world.guest.post('/api/plays', play)).body).playCount, 1)
  assert.equal(itemMark.parse((await world.guest.post('/api/plays', play)).body).playCount, 1)
})

test('the queue follows a person, and their pages hear of it', async () => {
  using page = await listen(world.edge.url, bearer(world.guest))
  using other = await listen(world.edge.url, bearer(world.administrator))
  await page.expect('the greeting', ({ type }) => type === 'hello')
  const ids = tracks.map(({ id }) => id)
  const saved = await world.guest.put('/api/queue', { tracks: ids, current: 1, positionMs: 500 })
  assert.deepEqual(idsOf(queueView.parse(saved.body).items), ids)
  const read = queueView.parse((await world.guest.get('/api/queue')).body)
  assert.deepEqual([read.current, read.positionMs], [1, 500])
  await page.expect('the queue', (message) => message.type === 'changed' && message.what === 'queue')
  assert.ok(!other.messages.some((message) => message.type === 'changed' && message.what === 'queue'))
  assert.deepEqual(queueView.parse((await world.administrator.get('/api/queue')).body).items, [])
})

test('a playlist is made, changed step by step, exported, imported and deleted', async () => {
  const { guest } = world
  const [one, two, three] = tracks.map(({ id }) => id)
  const made = await guest.post('/api/playlists', { name: 'Evening', tracks: [one, two] })
  const { id } = playlistDetail.parse(made.body)
  const edits = [
    { do: 'append', tracks: [three] },
    { do: 'move', from: 2, to: 0 },
    { do: 'remove', positions: [1] },
  ]
  const changed = await guest.patch(`/api/playlists/${id}`, { name: 'Night', edits })
  assert.deepEqual(idsOf(playlistDetail.parse(changed.body).items), [three, two])
  assert.deepEqual(idsOf(playlistDetail.parse((await guest.get(`/api/playlists/${id}`)).body).items), [
    three,
    two,
  ])
  const file = await guest.get(`/api/playlists/${id}/m3u`)
  assert.match(file.headers.get('content-type') ?? '', /^audio\/x-mpegurl/)
  assert.match(file.headers.get('content-disposition') ?? '', /^attachment; filename="Night\.m3u8?"/)
  const again = await guest.fetch('/api/playlists/import?name=Copy', {
    method: 'POST',
    headers: { 'content-type': 'audio/x-mpegurl' },
    body: `${file.bytes}\nnowhere/to be found.mp3\n`,
  })
  const imported = importResult.parse(again.body)
  assert.equal(imported.playlist.name, 'Copy')
  assert.deepEqual(
    imported.unmatched.map(({ text }) => text),
    ['nowhere/to be found.mp3'],
  )
  const list = z.object({ items: z.array(playlistSummary) }).parse((await guest.get('/api/playlists')).body)
  assert.deepEqual(list.items.map(({ name }) => name).sort(), ['Copy', 'Night'])
  assert.equal((await guest.delete(`/api/playlists/${id}`)).status, 204)
  assert.equal((await guest.get(`/api/playlists/${id}`)).status, 404)
})

test('a smart playlist holds what its rules say, and shows it before', async () => {
  const rules = { match: 'all', rules: [{ field: 'genre', operator: 'is', value: 'Rock' }] }
  const preview = z.object({ items: z.array(trackSummary), total: z.int() })
  const shown = preview.parse((await world.guest.post('/api/playlists/preview', rules)).body)
  assert.deepEqual(shown.items.map(({ title }) => title).sort(), ['One', 'Two'])
  const made = playlistDetail.parse((await world.guest.post('/api/playlists', { name: 'Rock', rules })).body)
  assert.equal(made.trackCount, 2)
})

test("[S3] other people's playlists are not there, unless they are shared", async () => {
  const { administrator, guest } = world
  const secret = (await world.tracks(administrator)).find(({ title }) => title === 'Secret')
  const made = await administrator.post('/api/playlists', {
    name: 'Private',
    tracks: [secret?.id, tracks[0]?.id],
  })
  const { id } = playlistDetail.parse(made.body)
  const refusals = [
    await guest.get(`/api/playlists/${id}`),
    await guest.get(`/api/playlists/${id}/m3u`),
    await guest.get(`/api/covers/playlist/${id}`),
    await guest.patch(`/api/playlists/${id}`, { name: 'Mine' }),
    await guest.delete(`/api/playlists/${id}`),
  ]
  for (const { status } of refusals) assert.equal(status, 404)
  assert.doesNotMatch((await guest.get('/api/playlists')).bytes.toString(), /Private/)

  await administrator.patch(`/api/playlists/${id}`, { sharedWith: 'everyone' })
  const shared = playlistDetail.parse((await guest.get(`/api/playlists/${id}`)).body)
  assert.deepEqual(idsOf(shared.items), [undefined, tracks[0]?.id])
  assert.equal(shared.editable, false)
  assert.doesNotMatch((await guest.get(`/api/playlists/${id}/m3u`)).bytes.toString(), /Secret/)
  assert.equal((await guest.get(`/api/covers/playlist/${id}`)).status, 200)
  assert.equal((await guest.patch(`/api/playlists/${id}`, { name: 'Mine' })).status, 403)
})

test('pages hear that playlists have changed', async () => {
  using page = await listen(world.edge.url, bearer(world.guest))
  await page.expect('the greeting', ({ type }) => type === 'hello')
  await world.guest.post('/api/playlists', { name: 'Mine' })
  await page.expect('the playlists', (message) => message.type === 'changed' && message.what === 'playlists')
})
