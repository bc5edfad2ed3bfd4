import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestCatalog } from '../../../test/fixtures/catalog.ts'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import { childrenRunning } from '../../../test/harness/children.ts'
import { waitFor } from '../../../test/harness/wait.ts'

const walkers = () => childrenRunning('walk-child.ts')

test('a process that has walked is kept for the next walk, replaced where it died, and gone with the walker', async () => {
  await using music = await makeMusicFolder()
  {
    await using catalog = await openTestCatalog()
    const titles = async () => (await catalog.tracks()).map(({ tags }) => tags.title)
    await catalog.addLibrary(music.path)
    await music.add('a.mp3', { title: 'a' })
    await catalog.scanner.scan()
    const [first, ...others] = await walkers()
    assert.ok(first !== undefined && others.length === 0)
    await music.add('b.mp3', { title: 'b' })
    await catalog.scanner.scan()
    assert.deepEqual(await walkers(), [first])
    assert.deepEqual(await titles(), ['a', 'b'])

    process.kill(first, 'SIGKILL')
    await waitFor(async () => (await walkers()).length === 0, { what: 'it to be gone' })
    await music.add('c.mp3', { title: 'c' })
    await catalog.scanner.scan()
    assert.deepEqual(await titles(), ['a', 'b', 'c'])
    assert.equal((await walkers()).length, 1)
  }
  await waitFor(async () => (await walkers()).length === 0, { what: 'all to be gone' })
})
