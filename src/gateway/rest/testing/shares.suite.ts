import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../../test/harness/wait.ts'
import { type ShareSummary, sharedMusic, shareSummary } from '../../../protocol/api/listening.ts'
import { secret, tracks, world } from '../../testing/shared.ts'
import type { Visitor } from '../../testing/visitor.ts'

const song = (title: string) => tracks.find((track) => track.title === title) ?? assert.fail(title)
const item = (title: string) => ({ kind: 'track', id: song(title).id })
const codeOf = (body: unknown) =>
  typeof body === 'object' && body !== null && 'code' in body ? body.code : ''

async function share(visitor: Visitor, items: unknown[], more: object = {}): Promise<ShareSummary> {
  const { status, body } = await visitor.post('/api/shares', { items, ...more })
  assert.equal(status, 201, JSON.stringify(body))
  return shareSummary.parse(body)
}

const read = async (token: string) =>
  sharedMusic.parse((await world.edge.anyone.get(`/api/shares/${token}`)).body)
/** The status of what anyone gets under a share. */
const status = async ({ token }: ShareSummary, path: string) =>
  (await world.edge.anyone.get(`/api/shares/${token}${path}`)).status

test('anyone who has the link sees and hears what is shared, and nothing of who shares it', async () => {
  const { guest, edge } = world
  await guest.put(`/api/marks/track/${song('One').id}`, { starred: true, rating: 5 })
  const { album } = song('One')
  const made = await share(guest, [{ kind: 'album', id: album.id }], { description: 'Listen!' })
  assert.equal(made.url, `${edge.url}/share/${made.token}`)
  assert.equal(made.name, 'First')
  const { body, headers } = await edge.anyone.get(`/api/shares/${made.token}`)
  assert.equal(headers.get('x-robots-tag'), 'noindex, nofollow')
  const music = sharedMusic.parse(body)
  assert.deepEqual(
    [music.kind, music.name, music.artist, music.year, music.description],
    ['album', 'First', 'Ana', 1999, 'Listen!'],
  )
  assert.deepEqual(
    music.tracks.map(({ title, mark }) => [title, mark]),
    [
      ['One', { playCount: 0 }],
      ['Two', { playCount: 0 }],
    ],
  )
  assert.doesNotMatch(JSON.stringify(body), /guest|starred|rating/)

  const own = await guest.get(`/api/tracks/${song('One').id}/audio`)
  const audio = `/api/shares/${made.token}/tracks/${song('One').id}/audio`
  const heard = await edge.anyone.get(audio)
  assert.deepEqual(heard.bytes, own.bytes)
  assert.equal(heard.headers.get('x-robots-tag'), 'noindex, nofollow')
  const part = await edge.anyone.fetch(audio, { headers: { range: 'bytes=5-9' } })
  assert.deepEqual([part.status, part.bytes], [206, own.bytes.subarray(5, 10)])
  assert.equal((await edge.anyone.fetch(audio, { method: 'HEAD' })).status, 200)
  const opus = await edge.anyone.get(`/api/shares/${made.token}/tracks/${song('Two').id}/transcode`)
  assert.equal(opus.headers.get('content-type'), 'audio/ogg')
  assert.ok(opus.bytes.length > 1_000)
  for (const path of [`/covers/album/${album.id}?size=64`, `/covers/track/${song('Two').id}`]) {
    const cover = await edge.anyone.get(`/api/shares/${made.token}${path}`)
    assert.match(cover.headers.get('content-type') ?? '', /^image\//, path)
  }
})

test('[S3] a link opens what is shared by it, and nothing else', async () => {
  const { guest, administrator } = world
  const made = await share(guest, [item('One')])
  const [other, hidden] = [song('Three').id, secret.id]
  const { album, artists } = song('One')
  const forbidden = [
    ...[other, hidden].flatMap((id) => [
      `/tracks/${id}/audio`,
      `/tracks/${id}/transcode`,
      `/covers/track/${id}`,
    ]),
    // The album of a shared song is not shared, nor is its other song.
    `/covers/album/${album.id}`,
    `/tracks/${song('Two').id}/audio`,
    `/covers/playlist/${album.id}`,
    `/covers/artist/${artists[0]?.id}`,
  ]
  for (const path of forbidden) assert.equal(await status(made, path), 404, path)
  assert.equal(await status(made, `/covers/genre/${artists[0]?.id}`), 400)
  assert.equal(await status(made, '/tracks/..%2f..%2fme/audio'), 400)
  assert.equal(await status(made, `/tracks/${song('One').id}/audio`), 200)

  // Nor does anyone share what they do not see.
  for (const items of [
    [{ kind: 'track', id: secret.id }],
    [item('One'), { kind: 'album', id: secret.album.id }],
  ]) {
    assert.equal((await guest.post('/api/shares', { items })).status, 404)
  }
  for (const items of [[], [{ kind: 'genre', id: artists[0]?.id }], [{ kind: 'track', id: 'x' }]]) {
    assert.equal((await guest.post('/api/shares', { items })).status, 400)
  }
  const theirs = await share(administrator, [{ kind: 'album', id: secret.album.id }])
  assert.equal(await status(theirs, `/tracks/${secret.id}/audio`), 200)
})

test('[S3] a share shows no more than its owner sees now', async () => {
  const { administrator, edge, hidden } = world
  const person = await edge.person('watched')
  const show = (visibleTo: unknown) => administrator.patch(`/api/libraries/${hidden.id}`, { visibleTo })
  await show('everyone')
  await waitFor(async () => (await person.get(`/api/tracks/${secret.id}`)).status === 200, {
    what: 'the vault to open',
  })
  const made = await share(person, [{ kind: 'track', id: secret.id }, item('One')])
  assert.equal((await read(made.token)).kind, 'mixed')
  await show([])
  await waitFor(async () => (await status(made, `/tracks/${secret.id}/audio`)) === 404, {
    what: 'the vault to close',
  })
  assert.equal(await status(made, `/covers/track/${secret.id}`), 404)
  assert.deepEqual(
    (await read(made.token)).tracks.map(({ title }) => title),
    ['One'],
  )
  const only = await share(administrator, [{ kind: 'track', id: secret.id }])
  assert.equal((await read(only.token)).name, 'Secret')
})

test('an artist is shared with everything that credits them, and with nothing else', async () => {
  const [artist] = song('One').artists
  const shared = await share(world.guest, [{ kind: 'artist', id: artist?.id }])
  assert.equal(shared.name, artist?.name)
  const { kind, name, tracks } = await read(shared.token)
  assert.deepEqual([kind, name], ['artist', artist?.name])
  assert.ok(tracks.length > 0 && tracks.every(({ artists }) => artists.some(({ id }) => id === artist?.id)))
  assert.equal(await status(shared, `/tracks/${song('One').id}/audio`), 200)
  assert.equal(await status(shared, `/covers/artist/${artist?.id}?size=64`), 200)
  assert.equal(await status(shared, `/tracks/${song('Three').id}/audio`), 404)
  assert.equal(await status(shared, `/covers/album/${song('One').album.id}`), 404)
})

test('a playlist is shared as it is at the time, and what leaves it is not to be had', async () => {
  const { guest } = world
  const made = await guest.post('/api/playlists', { name: 'Mix', tracks: [song('One').id, song('Three').id] })
  const { id } = JSON.parse(made.bytes.toString())
  const shared = await share(guest, [{ kind: 'playlist', id }])
  assert.equal(shared.name, 'Mix')
  const titles = async () => (await read(shared.token)).tracks.map(({ title }) => title)
  assert.deepEqual(await titles(), ['One', 'Three'])
  assert.equal(await status(shared, `/tracks/${song('Three').id}/audio`), 200)
  assert.equal(await status(shared, `/covers/playlist/${id}?size=64`), 200)
  await guest.patch(`/api/playlists/${id}`, {
    edits: [
      { do: 'remove', positions: [1] },
      { do: 'append', tracks: [song('Two').id] },
    ],
  })
  await waitFor(async () => (await titles()).join() === 'One,Two', { what: 'the page to show the change' })
  assert.equal(await status(shared, `/tracks/${song('Two').id}/audio`), 200)
  assert.equal(await status(shared, `/tracks/${song('Three').id}/audio`), 404)
  await guest.delete(`/api/playlists/${id}`)
  await waitFor(async () => (await status(shared, '')) === 410, { what: 'the link to end with its playlist' })
})

test('a link ends when its time is over, when it is taken back, and while its owner is shut out', async () => {
  const { administrator, edge } = world
  const person = await edge.person('leaving')
  const made = await share(person, [item('One')], { expiresAt: Date.now() + 3_600_000 })
  const audio = `/tracks/${song('One').id}/audio`
  const both = async () => [await status(made, ''), await status(made, audio)]
  const becomes = (wanted: number) =>
    waitFor(async () => (await both()).every((one) => one === wanted), { what: `${wanted}` })
  await becomes(200)
  await person.patch(`/api/shares/${made.token}`, { expiresAt: Date.now() - 1 })
  await becomes(410)
  assert.equal(codeOf((await edge.anyone.get(`/api/shares/${made.token}`)).body), 'SHARE_ENDED')
  await person.patch(`/api/shares/${made.token}`, { expiresAt: null, description: 'For ever' })
  await becomes(200)
  const [user] = JSON.parse((await administrator.get('/api/users')).bytes.toString()).items.filter(
    ({ name }: { name: string }) => name === 'leaving',
  )
  await administrator.patch(`/api/users/${user.id}`, { disabled: true })
  await becomes(410)
  await administrator.patch(`/api/users/${user.id}`, { disabled: false })
  await becomes(200)
  const again = await edge.anyone.enter('/api/session', {
    name: 'leaving',
    password: 'a password of some length',
  })
  assert.equal((await again.delete(`/api/shares/${made.token}`)).status, 204)
  await becomes(404)
})

test("nobody lists, changes or deletes other people's shares", async () => {
  const { guest, administrator, edge } = world
  const made = await share(guest, [item('One')])
  const listed = async (visitor: Visitor) => JSON.stringify((await visitor.get('/api/shares')).body)
  assert.ok((await listed(guest)).includes(made.token))
  assert.ok(!(await listed(administrator)).includes(made.token))
  const path = `/api/shares/${made.token}`
  assert.equal((await administrator.patch(path, { description: 'x' })).status, 403)
  assert.equal((await administrator.delete(path)).status, 403)
  assert.equal((await edge.anyone.patch(path, { description: 'x' })).status, 401)
  assert.equal((await edge.anyone.delete(path)).status, 401)
  assert.equal((await edge.anyone.get('/api/shares')).status, 401)
  assert.equal((await guest.delete(`/api/shares/${'0'.repeat(32)}`)).status, 404)
  assert.equal((await guest.delete('/api/shares/nothing')).status, 400)
})

test('visits are counted, and the last one is known', async () => {
  const made = await share(world.guest, [item('One')])
  const shown = async () => {
    const { body } = await world.guest.get('/api/shares')
    const { items } = JSON.parse(JSON.stringify(body))
    return shareSummary.parse(items.find(({ token }: { token: string }) => token === made.token))
  }
  assert.deepEqual([(await shown()).visitCount, (await shown()).visitedAt], [0, undefined])
  const before = Date.now()
  for (let visit = 0; visit < 3; visit++) await read(made.token)
  await waitFor(async () => (await shown()).visitCount === 3, { what: 'three visits to be counted' })
  const { visitedAt = 0 } = await shown()
  assert.ok(visitedAt >= before && visitedAt <= Date.now())
})

test('who guesses tokens must wait, and a right one is not refused meanwhile; no token is logged', async () => {
  const made = await share(world.guest, [item('One')])
  const guess = async (token: string) => codeOf((await world.edge.anyone.get(`/api/shares/${token}`)).body)
  const answers = new Set<unknown>()
  for (let tries = 0; tries < 40; tries++) answers.add(await guess(tries.toString(16).padStart(32, '0')))
  assert.deepEqual([...answers], ['NOT_FOUND', 'TOO_MANY_REQUESTS'])
  assert.equal(await status(made, ''), 200)
  await guess(`${made.token.slice(0, -1)}g`)
  assert.ok(!world.edge.log().includes(made.token))
})
