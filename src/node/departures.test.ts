import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anna, ben, derivedId, openTestListening } from '../../test/fixtures/listening.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { administrators, users } from '../accounts/collections.ts'
import { bookmarks, marks, playlists, queues, shares } from '../listening/facts.ts'
import { playlistInput } from '../protocol/api/listening.ts'
import type { Playlist } from '../protocol/facts/listening.ts'
import { update } from '../store/collection.ts'
import { followDepartures } from './departures.ts'

const admin = derivedId('user admin')

test('[N2] what a removed user said is cleared away; what others listen to goes on under an administrator', async () => {
  await using it = await openTestListening()
  const { store, listening } = it
  for (const [id, name] of [
    [anna.user, 'anna'],
    [ben.user, 'ben'],
    [admin, 'admin'],
  ] as const) {
    const user = { id, name, role: 'user', passwordHash: '', disabled: false, createdAt: 1 } as const
    await update(store, users, id, () => user)
  }
  await update(store, administrators, '', () => ({ users: [admin] }))
  const sun = it.track('Sun')
  for (const listener of [anna, ben]) {
    for (const title of ['Sun', 'Moon', 'Star'])
      await listening.mark(listener, 'track', it.track(title), { starred: true })
    await listening.setBookmark(listener, sun, { positionMs: 500 })
    await listening.createShare(listener, { items: [{ kind: 'track', id: sun }] })
    await listening.saveQueue(listener, { tracks: [sun], current: 0, positionMs: 0 }, 'test')
  }
  const make = async (listener: typeof anna, input: Partial<Playlist> & { name: string }) =>
    (await listening.createPlaylist(listener, playlistInput.parse(input))).value.id
  const rules = { match: 'all', rules: [{ field: 'starred', operator: 'is', value: true }] } as const
  const own = await make(anna, { name: 'own', tracks: [sun] })
  const shared = await make(anna, { name: 'shared', tracks: [sun], sharedWith: [ben.user] })
  const open = await make(anna, { name: 'open', tracks: [sun], sharedWith: 'everyone' })
  const smart = await make(anna, {
    name: 'smart',
    rules: { ...rules, rules: [...rules.rules] },
    sharedWith: 'everyone',
  })
  const bens = await make(ben, { name: 'bens', tracks: [sun] })

  const ending = new AbortController()
  const errors: unknown[] = []
  const following = followDepartures(store, (error) => errors.push(error), ending.signal)
  await update(store, users, anna.user, () => null)
  const owner = async (id: string) => (await playlists.get(store, id))?.value.owner
  const owners = () => Promise.all([own, shared, open, smart, bens].map(owner))
  await waitFor(async () => !(await owners()).includes(anna.user), { what: 'everything of hers to go' })
  assert.deepEqual(await owners(), [undefined, admin, admin, undefined, ben.user])
  assert.equal((await marks.list(store, { under: `${anna.user}/` })).facts.length, 0)
  assert.equal((await marks.list(store, { under: `${ben.user}/` })).facts.length, 3)
  assert.equal((await bookmarks.list(store, { under: `${anna.user}/` })).facts.length, 0)
  assert.equal((await bookmarks.list(store, { under: `${ben.user}/` })).facts.length, 1)
  assert.deepEqual(
    (await shares.list(store)).facts.map(({ value }) => value.owner),
    [ben.user],
  )
  assert.equal(await queues.get(store, anna.user), null)
  assert.ok(await queues.get(store, ben.user))
  await it.caughtUp()
  assert.deepEqual(
    (await listening.playlists(ben)).map(({ name }) => name),
    ['bens', 'open', 'shared'],
  )
  ending.abort()
  await assert.rejects(following)

  // One who is removed while no node runs.
  await update(store, users, ben.user, () => null)
  const next = new AbortController()
  const again = followDepartures(store, (error) => errors.push(error), next.signal)
  await waitFor(async () => (await playlists.get(store, bens)) === null, { what: 'the rest to go' })
  next.abort()
  await assert.rejects(again)
  assert.equal((await marks.list(store)).facts.length, 0)
  assert.deepEqual(errors, [])
})
