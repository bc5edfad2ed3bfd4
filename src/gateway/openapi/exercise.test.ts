import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { encodeTone } from '../../../test/fixtures/audio.ts'
import { feedOf, item, startPodcastServer } from '../../../test/harness/podcast.ts'
import { startListenBrainz } from '../../../test/harness/services.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import { connectionMade } from '../../protocol/api/outbox.ts'
import { episodeSummary } from '../../protocol/api/podcasts.ts'
import { password } from '../testing/gateway.ts'
import type { Answer, Visitor } from '../testing/visitor.ts'
import { openWorld, type World } from '../testing/world.ts'

let world: World
before(async () => {
  world = await openWorld()
})
after(() => world[Symbol.asyncDispose]())

/** Each visitor holds every answer to the document; this asks for every operation that the document has. */
test('every operation of the OpenAPI document is answered as it says', async () => {
  const { edge, administrator: ada, guest } = world
  const { exercised } = edge.checker
  const [track] = await world.tracks(guest)
  const [album] = await world.albums(guest)
  const artist = album?.artists[0]?.id
  const gets = [
    ...[
      '/api/welcome',
      '/api/me',
      '/api/sessions',
      '/api/devices',
      '/api/albums',
      '/api/artists',
      '/api/tracks',
    ],
    ...[
      '/api/genres',
      '/api/years',
      '/api/letters?list=albums',
      '/api/search?q=one',
      '/api/counts',
      '/api/queue',
    ],
    ...[
      '/api/playlists',
      '/api/libraries',
      '/api/scan',
      '/api/uploads',
      `/api/folders?library=${world.open.id}`,
    ],
    ...[`/api/albums/${album?.id}`, `/api/artists/${artist}`, `/api/tracks/${track?.id}`],
    ...[
      `/api/tracks/${track?.id}/audio`,
      `/api/tracks/${track?.id}/lyrics`,
      `/api/covers/album/${album?.id}`,
    ],
    `/api/tracks/${track?.id}/transcode?format=mp3&bitrate=64`,
    `/api/albums/${album?.id}/download`,
    `/api/artists/${artist}/download`,
  ]
  for (const path of gets) await well(guest.get(path))
  for (const path of [
    '/api/users',
    '/api/invitations',
    '/api/server-folders',
    '/api/problems',
    '/api/status',
  ]) {
    await well(ada.get(path))
  }
  await well(guest.put(`/api/marks/track/${track?.id}`, { starred: true }))
  await well(guest.post('/api/plays', { play: randomUUID(), track: track?.id }))
  await well(guest.post('/api/playing', { track: track?.id }))
  await using service = await startListenBrainz()
  const connecting = ada.post('/api/connections', {
    kind: 'listenbrainz',
    url: service.url,
    token: 'good token',
  })
  const { connection } = connectionMade.parse((await well(connecting)).body)
  await well(ada.get('/api/connections'))
  await well(ada.post(`/api/connections/${connection.id}/test`))
  await well(ada.delete(`/api/connections/${connection.id}`))
  await well(ada.put('/api/services/lastfm', { apiKey: 'key', sharedSecret: 'secret' }))
  await well(ada.get('/api/services/lastfm'))
  await well(ada.delete('/api/services/lastfm'))
  await well(guest.put('/api/queue', { tracks: [track?.id], current: 0, positionMs: 0 }))
  await well(guest.post('/api/tracks/lookup', { ids: [track?.id] }))
  await well(guest.patch('/api/me', { language: 'es' }))
  await well(ada.post('/api/scan', {}))
  await well(ada.post('/api/backup'))

  const rules = { match: 'all', rules: [{ field: 'starred', operator: 'is', value: true }] }
  await well(guest.post('/api/playlists/preview', rules))
  const playlist = await idOf(guest.post('/api/playlists', { name: 'A', tracks: [track?.id] }))
  await well(guest.patch(`/api/playlists/${playlist}`, { name: 'B' }))
  await well(guest.get(`/api/playlists/${playlist}`))
  const file = await well(guest.get(`/api/playlists/${playlist}/m3u`))
  await well(guest.get(`/api/playlists/${playlist}/download`))
  const type = { 'content-type': 'audio/x-mpegurl' }
  await well(guest.fetch('/api/playlists/import', { method: 'POST', headers: type, body: file.bytes }))
  await well(guest.delete(`/api/playlists/${playlist}`))

  const items = [{ kind: 'album', id: album?.id }]
  const { token } = z
    .object({ token: z.string() })
    .parse((await well(guest.post('/api/shares', { items }))).body)
  await well(guest.get('/api/shares'))
  await well(guest.patch(`/api/shares/${token}`, { description: 'Hear' }))
  await well(edge.anyone.get(`/api/shares/${token}`))
  const shared = z.object({ tracks: z.array(z.object({ id: z.string() })) })
  const [first] = shared.parse((await well(edge.anyone.get(`/api/shares/${token}`))).body).tracks
  for (const path of [
    `tracks/${first?.id}/audio`,
    `tracks/${first?.id}/transcode`,
    `covers/album/${album?.id}`,
  ]) {
    await well(edge.anyone.get(`/api/shares/${token}/${path}`))
  }
  await well(guest.delete(`/api/shares/${token}`))

  await fromOutside(ada, guest)

  const device = z.object({ device: z.object({ id: z.string() }) })
  const made = device.parse((await well(guest.post('/api/devices', { label: 'phone' }))).body)
  await well(guest.delete(`/api/devices/${made.device.id}`))
  const user = await idOf(ada.post('/api/users', { name: 'temporary', password }))
  await well(ada.post(`/api/users/${user}/devices`, { label: 'their phone' }))
  await well(ada.patch(`/api/users/${user}`, { role: 'administrator' }))
  await well(ada.delete(`/api/users/${user}`))

  const invited = z.object({ invitation: z.object({ id: z.string() }), token: z.string() })
  const [one, two] = [
    invited.parse((await well(ada.post('/api/invitations', {}))).body),
    invited.parse((await well(ada.post('/api/invitations', {}))).body),
  ]
  await well(edge.anyone.get(`/api/invitations/${one.token}`))
  await well(edge.anyone.post(`/api/invitations/${one.token}/accept`, { name: 'invited', password }))
  await well(ada.delete(`/api/invitations/${two.invitation.id}`))

  const name = 'new.mp3'
  const song = await readFile(await world.music.add(name, { title: 'New' }, { hertz: 770 }))
  await rm(join(world.music.path, name))
  const upload = { 'tus-resumable': '1.0.0', 'upload-length': String(song.length) }
  const begin = () => well(guest.fetch('/api/uploads', { method: 'POST', headers: upload }))
  const place = async () => new URL((await begin()).headers.get('location') ?? '', edge.url).pathname
  const part = {
    'tus-resumable': '1.0.0',
    'upload-offset': '0',
    'content-type': 'application/offset+octet-stream',
  }
  const brought = await well(guest.fetch(await place(), { method: 'PATCH', headers: part, body: song }))
  await well(guest.delete(`/api/tracks/${z.object({ track: z.string() }).parse(brought.body).track}`))
  await well(guest.fetch(await place(), { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } }))

  const other = z.object({ session: z.string() })
  const session = await well(edge.anyone.post('/api/session', { name: 'guest', password }))
  await well(guest.delete(`/api/sessions/${other.parse(session.body).session}`))
  await well(guest.post('/api/session/pass'))
  await well(guest.delete('/api/session'))
  await well(ada.patch(`/api/libraries/${world.hidden.id}`, { name: 'Cellar' }))
  await well(ada.delete(`/api/libraries/${world.hidden.id}`))

  const operations = Object.values(edge.gateway.document.paths).flatMap((path) => Object.values(path))
  const missing = operations.map(({ operationId }) => operationId).filter((id) => !exercised.has(id))
  // The WebSocket has tests of its own: `fetch` cannot open one. A cluster is several machines: see `test/cluster`.
  assert.deepEqual(missing.toSorted(), [
    'changeClusterSettings',
    'changeNode',
    'inviteNode',
    'listClusterEvents',
    'listen',
    'readCluster',
    'renewAuthority',
  ])
})

/** Every operation of what comes from outside: an episode of a podcast is heard, and a station. */
async function fromOutside(ada: Visitor, guest: Visitor): Promise<void> {
  await using outside = await startPodcastServer()
  outside.put('/feed.xml', { bytes: feedOf('Show', [item('one', 'One', '/one.mp3')]) })
  outside.put('/one.mp3', { bytes: await encodeTone('mp3', 12) })
  const podcast = await idOf(ada.post('/api/podcasts', { url: `${outside.url}/feed.xml` }))
  await well(guest.get('/api/podcasts'))
  await well(guest.get(`/api/podcasts/${podcast}`))
  await well(ada.post('/api/podcasts/refresh'))
  const listed = z.object({ items: z.array(episodeSummary) })
  const episode = await waitFor(
    async () => listed.parse((await well(guest.get(`/api/episodes?podcast=${podcast}`))).body).items[0]?.id,
    { what: 'the episode' },
  )
  await well(guest.get(`/api/episodes/${episode}`))
  await well(ada.put(`/api/episodes/${episode}/download`, undefined))
  await waitFor(async () => (await guest.get(`/api/episodes/${episode}/audio`)).status === 200, {
    what: 'the episode to be downloaded',
  })
  await well(guest.get(`/api/episodes/${episode}/transcode?format=mp3`))
  await well(guest.put(`/api/episodes/${episode}/place`, { positionMs: 1_000 }))
  await well(ada.delete(`/api/episodes/${episode}/download`))
  await well(ada.delete(`/api/podcasts/${podcast}`))

  outside.put('/live', { bytes: 'some sound', headers: { 'content-type': 'audio/mpeg' } })
  const radio = { name: 'Lagoon', streamUrl: `${outside.url}/live` }
  const station = await idOf(ada.post('/api/stations', radio))
  await well(guest.get('/api/stations'))
  await well(guest.get(`/api/stations/${station}/stream`))
  await well(ada.put(`/api/stations/${station}`, radio))
  await well(ada.delete(`/api/stations/${station}`))
}

async function well(answering: Promise<Answer>): Promise<Answer> {
  const answer = await answering
  assert.ok(answer.status < 300, `${answer.status} ${answer.bytes.subarray(0, 500)}`)
  return answer
}

async function idOf(answering: Promise<Answer>): Promise<string> {
  return z.object({ id: z.string() }).parse((await well(answering)).body).id
}
