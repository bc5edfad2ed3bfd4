import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import {
  albumDetail,
  albumSummary,
  catalogCounts,
  page,
  searchResult,
  trackSummary,
} from '../../src/protocol/api/catalog.ts'
import { startNode } from '../harness/node.ts'
import { scanned } from '../harness/scan.ts'

/** Debian's `wesnoth-1.16-music` (41 tagged Ogg Vorbis files) and `asc-music` (3 MP3s without tags). */
const wesnoth = '/usr/share/games/wesnoth/1.16/data/core/music'
const asc = '/usr/share/games/asc/music'

test('one command turns folders of real music into a library that browses, searches and plays', async (t) => {
  const before = await inventory([wesnoth, asc])
  await using node = await startNode({ music: [wesnoth, asc] })
  const ada = await node.administrator()
  await scanned(ada)

  await t.test('every file is a track, and nothing is a problem', async () => {
    const counts = catalogCounts.parse((await ada.get('/api/counts')).body)
    assert.equal(counts.tracks, 44)
    const problems = page(z.unknown()).parse((await ada.get('/api/problems')).body)
    assert.deepEqual(problems.items, [])
  })

  await t.test('albums have the names, artists and order that the tags say', async () => {
    const albums = page(albumSummary).parse((await ada.get('/api/albums?order=name&limit=500')).body)
    const total = albums.items.reduce((sum, { trackCount }) => sum + trackCount, 0)
    assert.equal(total, 44)
    const tagged = albums.items.find(({ name }) => /wesnoth/i.test(name))
    assert.ok(tagged, `albums are ${albums.items.map(({ name }) => name).join(', ')}`)
    const album = albumDetail.parse((await ada.get(`/api/albums/${tagged.id}`)).body)
    assert.equal(album.tracks.length, tagged.trackCount)
    assert.ok(album.tracks.every(({ title, durationMs }) => title !== '' && durationMs > 1_000))
  })

  await t.test('search finds a title as it is typed, with a typing error and without accents', async () => {
    for (const typed of ['batt', 'battle epic', 'batle music', 'Báttle']) {
      const found = searchResult.parse((await ada.get(`/api/search?q=${encodeURIComponent(typed)}`)).body)
      assert.ok(
        found.tracks.some(({ title }) => /battle/i.test(title)),
        `nothing was found for “${typed}”`,
      )
    }
  })

  await t.test('files without tags are called by their file names', async () => {
    const tracks = page(trackSummary).parse((await ada.get('/api/tracks?limit=500')).body)
    const titles = tracks.items.map(({ title }) => title)
    for (const name of await readdir(asc)) {
      const bare = name.replace(/\.[^.]+$/, '').replaceAll('_', ' ')
      assert.ok(titles.includes(bare), `${name} is not among ${titles.join(', ')}`)
    }
  })

  await t.test('every track plays byte for byte, whole and in ranges', async () => {
    const digests = new Set(before.map(({ digest }) => digest))
    const tracks = page(trackSummary).parse((await ada.get('/api/tracks?limit=500')).body)
    for (const { id, size, mediaType } of tracks.items) {
      const whole = await ada.fetch(`/api/tracks/${id}/audio`)
      assert.equal(whole.status, 200)
      assert.equal(whole.headers.get('content-type'), mediaType)
      const bytes = Buffer.from(await whole.arrayBuffer())
      assert.equal(bytes.length, size)
      assert.ok(digests.delete(digestOf(bytes)), `${id} is none of the files, or one twice`)
      const middle = await ada.fetch(`/api/tracks/${id}/audio`, { headers: { range: 'bytes=1000-65999' } })
      assert.equal(middle.status, 206)
      assert.equal(middle.headers.get('content-range'), `bytes 1000-65999/${size}`)
      assert.deepEqual(Buffer.from(await middle.arrayBuffer()), bytes.subarray(1_000, 66_000))
      const end = await ada.fetch(`/api/tracks/${id}/audio`, { headers: { range: 'bytes=-1234' } })
      assert.deepEqual(Buffer.from(await end.arrayBuffer()), bytes.subarray(-1_234))
    }
    assert.equal(digests.size, 0)
  })

  await t.test('[B4] the music folders are as they were', async () => {
    assert.deepEqual(await inventory([wesnoth, asc]), before)
  })
})

test('it starts without music, and says that it needs an administrator', async () => {
  await using node = await startNode({
    env: { HOCKET_ADMIN_USER: undefined, HOCKET_ADMIN_PASSWORD: undefined },
  })
  const welcome = await fetch(`${node.baseUrl}/api/welcome`)
  assert.equal(welcome.status, 200)
  const body: unknown = await welcome.json()
  assert.equal(z.object({ needsSetup: z.boolean() }).parse(body).needsSetup, true)
  const refused = await fetch(`${node.baseUrl}/api/albums`)
  assert.equal(refused.status, 401)
})

/** Every file of the folders: its content, and what would tell that it was touched. */
async function inventory(folders: readonly string[]) {
  const files = []
  for (const folder of folders) {
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name)
      const { mtimeMs, ctimeMs, size } = await stat(path)
      files.push({ path, mtimeMs, ctimeMs, size, digest: digestOf(await readFile(path)) })
    }
  }
  return files
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
