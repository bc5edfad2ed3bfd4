import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import { addLibrary } from '../libraries.ts'
import { createPlaces } from '../places.ts'
import { openCatalog } from './shared.ts'

test('a library is on the disk of its node; on a machine that stands alone, every one is here', async () => {
  await using music = await makeMusicFolder()
  await using second = await makeMusicFolder()
  await using catalog = await openCatalog()
  const [here, other] = [randomUUID(), randomUUID()]
  const alone = await catalog.addLibrary(second.path)
  const added = { path: music.path, forbidden: [] }
  const mine = (await addLibrary(catalog.store, { ...added, node: here })).library
  const { library: theirs, revision } = await addLibrary(catalog.store, { ...added, node: other })
  await catalog.index.waitFor(revision)

  const places = createPlaces(catalog.index, here)
  assert.deepEqual([alone, mine, theirs].map(places.isHere), [true, true, false])
  const track = {
    size: 7,
    blob: undefined,
    places: [mine, theirs].map(({ id }) => ({ library: id, path: 'a.mp3', modifiedAt: 5 })),
  }
  assert.equal(places.files(track).length, 1)
  assert.deepEqual(places.elsewhere(track), [
    { node: other, library: theirs.id, path: 'a.mp3', size: 7, modifiedAt: 5 },
  ])
  assert.equal(places.root(theirs.id), null)
})
