import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  anna,
  ben,
  derivedId,
  home,
  libraryFact,
  openTestListening,
  type TestListening,
} from '../../test/fixtures/listening.ts'
import { playlistInput } from '../protocol/api/listening.ts'
import { isCoded } from '../protocol/errors.ts'
import type { ShareItem } from '../protocol/facts/listening.ts'
import type { KnownShare } from './listening.ts'

let it: TestListening
before(async () => {
  it = await openTestListening()
})
after(() => it[Symbol.asyncDispose]())

const coded = (code: Parameters<typeof isCoded>[1]) => (error: unknown) => isCoded(error, code)
const song = (title: string): ShareItem => ({ kind: 'track', id: it.track(title) })

async function share(...items: ShareItem[]): Promise<KnownShare> {
  const { value } = await it.listening.createShare(anna, { items })
  await it.caughtUp()
  return value
}

async function titles(shared: KnownShare, sharer = anna): Promise<string[]> {
  return (await it.listening.shareContent(shared, sharer)).tracks.map(({ title }) => title)
}

test('a share is found by its token alone, is listed for its owner, and changed and removed only by them', async () => {
  const { listening } = it
  const made = await share(song('Moon'))
  assert.match(made.token, /^[0-9a-f]{32}$/)
  assert.deepEqual(listening.share(made.token), made)
  assert.equal(listening.share('0'.repeat(32)), null)
  assert.deepEqual(await listening.shares(ben), [])
  assert.ok((await listening.shares(anna)).some(({ token }) => token === made.token))

  await assert.rejects(listening.changeShare(ben, made.token, { description: 'mine' }), coded('FORBIDDEN'))
  await assert.rejects(listening.removeShare(ben, made.token), coded('FORBIDDEN'))
  await assert.rejects(listening.removeShare(anna, '0'.repeat(32)), coded('NOT_FOUND'))
  const { value } = await listening.changeShare(anna, made.token, { description: 'For you', expiresAt: 5 })
  assert.deepEqual([value.description, value.expiresAt], ['For you', 5])
  const cleared = await listening.changeShare(anna, made.token, { expiresAt: null })
  assert.deepEqual([cleared.value.description, cleared.value.expiresAt], ['For you', undefined])
  await listening.removeShare(anna, made.token)
  await it.caughtUp()
  assert.equal(listening.share(made.token), null)
})

test('visits are added up', async () => {
  const { token } = await share(song('Moon'))
  await Promise.all([it.listening.countVisits(token, 2, 900), it.listening.countVisits(token, 1, 800)])
  await it.caughtUp()
  const { visitCount, visitedAt } = it.listening.share(token) ?? {}
  assert.deepEqual([visitCount, visitedAt], [3, 900])
  await it.listening.countVisits('0'.repeat(32), 1, 1)
})

test('a shared playlist shows what it holds now', async () => {
  const { listening } = it
  const tracks = [it.track('Moon'), it.track('Star')]
  const list = await listening.createPlaylist(anna, playlistInput.parse({ name: 'Sky', tracks }))
  const shared = await share({ kind: 'playlist', id: list.value.id }, song('Dark'))
  assert.deepEqual(await titles(shared), ['Moon', 'Star', 'Dark'])
  await listening.changePlaylist(anna, list.value.id, { edits: [{ do: 'remove', positions: [0] }] })
  assert.deepEqual(await titles(shared), ['Star', 'Dark'])
  await listening.removePlaylist(anna, list.value.id)
  assert.deepEqual(await titles(shared), ['Dark'])
})

test('a shared artist is everything that credits them, album by album', async () => {
  const [dark] = await it.catalog.tracksByIds(anna, [it.track('Dark')])
  const ann = dark?.artists.find(({ name }) => name === 'Ann')
  const shared = await share({ kind: 'artist', id: ann?.id ?? '' })
  const { items } = await it.catalog.tracks(anna, { artist: ann?.id, order: 'album', limit: 500 })
  const all = items.map(({ title }) => title)
  assert.ok(all.includes('Dark') && all.length > 1)
  assert.deepEqual(await titles(shared), all)
  const [item] = (await it.listening.shareContent(shared, anna)).items
  assert.deepEqual([item?.kind, item?.name], ['artist', 'Ann'])
})

test('[S3] nobody shares what they do not see, and a share shows no more than its owner sees now', async () => {
  const { listening } = it
  const unseen: ShareItem[] = [
    { kind: 'track', id: derivedId('nothing') },
    { kind: 'album', id: derivedId('nothing') },
    { kind: 'artist', id: derivedId('nothing') },
    { kind: 'playlist', id: derivedId('nothing') },
  ]
  for (const item of unseen) await assert.rejects(share(item), coded('NOT_FOUND'), item.kind)
  const bens = await listening.createPlaylist(
    ben,
    playlistInput.parse({ name: 'Ben’s', tracks: [it.track('Star')], sharedWith: [anna.user] }),
  )
  const { album } = (await it.catalog.tracksByIds(anna, [it.track('Moon')]))[0] ?? {}
  const shared = await share({ kind: 'album', id: album?.id ?? '' }, { kind: 'playlist', id: bens.value.id })
  assert.deepEqual((await titles(shared)).sort(), ['Moon', 'Star', 'Star', 'Sun'])
  await listening.changePlaylist(ben, bens.value.id, { sharedWith: 'nobody' })
  assert.deepEqual((await titles(shared)).sort(), ['Moon', 'Star', 'Sun'])
  await it.putLibrary({ ...libraryFact(home), visibleTo: [ben.user] })
  assert.deepEqual(await titles(shared), [])
  await it.putLibrary(libraryFact(home))
})
