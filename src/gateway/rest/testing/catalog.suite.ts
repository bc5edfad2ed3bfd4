import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { z } from 'zod'
import {
  albumDetail,
  artistDetail,
  artistSummary,
  catalogCounts,
  folderContent,
  genreSummary,
  librarySummary,
  page,
  problemSummary,
  scanStatus,
  searchResult,
  serverFolder,
  trackDetail,
  trackSummary,
} from '../../../protocol/api/catalog.ts'
import { problemDocument } from '../../../protocol/api/problem.ts'
import { world } from '../../testing/shared.ts'
import type { Answer } from '../../testing/visitor.ts'

const items = <Item extends z.ZodType>(item: Item, body: unknown) => page(item).parse(body).items

test('an album leads to its tracks, artist and details', async () => {
  const { guest } = world
  const album = (await world.albums(guest)).find(({ name }) => name === 'First')
  const detail = albumDetail.parse((await guest.get(`/api/albums/${album?.id}`)).body)
  assert.deepEqual(
    detail.tracks.map(({ title }) => title),
    ['One', 'Two'],
  )
  const [artist] = detail.artists
  const ana = artistDetail.parse((await guest.get(`/api/artists/${artist?.id}`)).body)
  assert.deepEqual([ana.name, ana.albums.map(({ name }) => name)], ['Ana', ['First']])
  const track = trackDetail.parse((await guest.get(`/api/tracks/${detail.tracks[0]?.id}`)).body)
  assert.equal(track.tags.title, 'One')
  assert.equal(track.places, undefined)
  const known = trackDetail.parse((await world.administrator.get(`/api/tracks/${track.id}`)).body)
  assert.equal(known.places?.[0]?.path, 'Ana/First/01 One.mp3')
})

test('lists are paged, and cursors go on where they ended', async () => {
  const { guest } = world
  const first = page(trackSummary).parse((await guest.get('/api/tracks?limit=2')).body)
  const next = `/api/tracks?limit=2&cursor=${encodeURIComponent(first.next ?? '')}`
  const second = page(trackSummary).parse((await guest.get(next)).body)
  assert.deepEqual(
    [...first.items, ...second.items].map(({ title }) => title),
    ['One', 'Three', 'Two'],
  )
  assert.equal(second.next, undefined)
  assert.equal((await guest.get('/api/tracks?limit=0')).status, 400)
  for (const cursor of ['nonsense', '', first.next?.slice(1), `${first.next}AA`]) {
    const refused = await guest.get(`/api/tracks?limit=2&cursor=${cursor}`)
    assert.equal(refused.status, 400, cursor)
    assert.equal(problemDocument.parse(refused.body).code, 'CURSOR_UNKNOWN', cursor)
  }
  assert.equal(items(artistSummary, (await guest.get('/api/artists?role=any')).body).length, 2)
})

test('genres, years, letters, counts and folders say what there is', async () => {
  const { guest, open } = world
  const genres = z.object({ items: z.array(genreSummary) }).parse((await guest.get('/api/genres')).body)
  assert.deepEqual(genres.items.map(({ name }) => name).sort(), ['Jazz', 'Rock'])
  assert.equal((await guest.get('/api/years')).status, 200)
  for (const list of ['albums', 'artists', 'tracks']) {
    assert.equal((await guest.get(`/api/letters?list=${list}`)).status, 200)
  }
  assert.equal(catalogCounts.parse((await guest.get('/api/counts')).body).tracks, 3)
  const folder = folderContent.parse(
    (await guest.get(`/api/folders?library=${open.id}&path=Ana%2FFirst`)).body,
  )
  assert.deepEqual(folder.tracks.map(({ title }) => title).sort(), ['One', 'Two'])
  const top = folderContent.parse((await guest.get(`/api/folders?library=${open.id}`)).body)
  assert.deepEqual(top.folders.map(({ name }) => name).sort(), ['Ana', 'Bob'])
  assert.equal((await guest.get(`/api/folders?library=${open.id}&path=..%2f..`)).status, 404)
})

test('search answers as one types, whatever one types', async () => {
  const search = async (q: string) =>
    searchResult.parse((await world.guest.get(`/api/search?q=${encodeURIComponent(q)}`)).body)
  assert.equal((await search('fir')).albums[0]?.name, 'First')
  assert.equal((await search('thr')).tracks[0]?.title, 'Three')
  for (const odd of ['', '"', '* OR 1', "'; DROP TABLE track; --", '\u0000', '🎵'.repeat(500), 'NEAR(a b)'])
    await search(odd)
})

test('tracks are looked up by ids', async () => {
  const [track] = await world.tracks(world.guest)
  const answer = await world.guest.post('/api/tracks/lookup', { ids: [randomUUID(), track?.id] })
  const found = z.object({ items: z.array(trackSummary.nullable()) }).parse(answer.body).items
  assert.deepEqual(
    found.map((each) => each?.id),
    [undefined, track?.id],
  )
  const tooMany = { ids: Array.from({ length: 501 }, () => randomUUID()) }
  assert.equal((await world.guest.post('/api/tracks/lookup', tooMany)).status, 400)
})

/** A problem without what differs from request to request. */
const shape = ({ body }: Answer) =>
  JSON.stringify({ ...problemDocument.parse(body), instance: '' }).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')

test('[S3] what lies in a hidden library is not there for others, by whatever id they ask', async () => {
  const { administrator, guest, hidden } = world
  const album = (await world.albums(administrator)).find(({ name }) => name === 'Hidden')
  const track = (await world.tracks(administrator)).find(({ title }) => title === 'Secret')
  const artist = album?.artists[0]?.id
  const paths = [
    `/api/albums/${album?.id}`,
    `/api/artists/${artist}`,
    `/api/tracks/${track?.id}`,
    `/api/tracks/${track?.id}/audio`,
    `/api/tracks/${track?.id}/audio?v=${track?.version}`,
    `/api/tracks/${track?.id}/transcode?format=opus`,
    `/api/tracks/${track?.id}/lyrics`,
    `/api/covers/track/${track?.id}`,
    `/api/covers/album/${album?.id}`,
    `/api/covers/artist/${artist}`,
    `/api/folders?library=${hidden.id}`,
  ]
  for (const path of paths) {
    assert.equal((await administrator.get(path)).status, 200, path)
    const refused = await guest.get(path)
    const missing = await guest.get(path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, randomUUID()))
    assert.equal(refused.status, 404, path)
    assert.equal(shape(refused), shape(missing), `${path} tells hidden from missing`)
  }
  const lists = [
    '/api/albums',
    '/api/tracks',
    '/api/artists?role=any',
    '/api/genres',
    '/api/libraries',
    '/api/search?q=secret',
  ]
  for (const path of lists)
    assert.doesNotMatch((await guest.get(path)).bytes.toString(), /Secre|Hidden|Vault|Eve/, path)
  assert.equal(catalogCounts.parse((await guest.get(`/api/counts?library=${hidden.id}`)).body).tracks, 0)
  const answer = await guest.post('/api/tracks/lookup', { ids: [track?.id] })
  assert.deepEqual(answer.body, { items: [null] })
})

test('[F4] a library is shown to someone, renamed, and hidden again; its owner sees it at once', async () => {
  const { administrator, guest, hidden } = world
  const me = z.object({ id: z.string() }).parse((await guest.get('/api/me')).body)
  const path = `/api/libraries/${hidden.id}`
  const changed = await administrator.patch(path, { name: 'Cellar', visibleTo: [me.id] })
  assert.equal(librarySummary.parse(changed.body).name, 'Cellar')
  const seen = z
    .object({ items: z.array(librarySummary) })
    .parse((await guest.get('/api/libraries')).body).items
  assert.deepEqual(seen.map(({ name }) => name).sort(), ['Cellar', 'Music'])
  assert.ok(seen.every((library) => library.path === undefined))
  assert.equal((await world.albums(guest)).length, 3)
  await administrator.patch(path, { visibleTo: [] })
  assert.equal((await world.albums(guest)).length, 2)
})

test('problems of the music folders are listed with what to do about them', async () => {
  const problems = items(problemSummary, (await world.administrator.get('/api/problems')).body)
  const broken = problems.find(({ path }) => path.endsWith('broken.mp3'))
  assert.ok(broken !== undefined && broken.help.length > 10, JSON.stringify(problems))
})

test('an administrator looks for a folder, adds it as a library, and forgets it', async () => {
  const { administrator, music } = world
  const folder = serverFolder.parse(
    (await administrator.get(`/api/server-folders?path=${encodeURIComponent(music.path)}`)).body,
  )
  assert.deepEqual(
    folder.folders.map(({ name }) => name),
    ['Ana', 'Bob'],
  )
  assert.ok(folder.parent !== undefined && music.path.startsWith(folder.parent))
  assert.equal((await administrator.get('/api/server-folders')).status, 200)
  assert.equal((await administrator.get('/api/server-folders?path=relative')).status, 400)
  assert.equal((await administrator.post('/api/libraries', { path: `${music.path}/Ana` })).status, 409)
  assert.equal((await administrator.post('/api/libraries', { path: '/not/there' })).status, 400)
  const scan = await administrator.post('/api/scan', { library: world.open.id })
  assert.equal(scan.status, 202)
  scanStatus.parse(scan.body)
})

test('a library that is forgotten takes its albums out of the catalog', async () => {
  const { administrator, open } = world
  assert.equal((await administrator.delete(`/api/libraries/${open.id}`)).status, 204)
  assert.deepEqual(
    (await world.albums(administrator)).map(({ name }) => name),
    ['Hidden'],
  )
  assert.equal((await administrator.delete(`/api/libraries/${open.id}`)).status, 404)
})
