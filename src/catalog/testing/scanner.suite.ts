import assert from 'node:assert/strict'
import { cp, mkdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestCatalog } from '../../../test/fixtures/catalog.ts'
import { type MusicFolder, makeMusicFolder, touch } from '../../../test/fixtures/make.ts'
import { openCatalog } from './shared.ts'

/** A catalog of one library that has been scanned once. */
async function scanned(fill: (music: MusicFolder) => Promise<unknown>) {
  const music = await makeMusicFolder()
  await fill(music)
  const catalog = await openCatalog()
  const library = await catalog.addLibrary(music.path)
  await catalog.scanner.scan()
  return {
    music,
    catalog,
    library,
    scan: (full = false) => catalog.scanner.scan({ full }),
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]()
      await music[Symbol.asyncDispose]()
    },
  }
}

const song = (title: string, more = {}) => ({
  title,
  artist: 'Artist',
  albumArtist: 'Artist',
  album: 'Album',
  ...more,
})

async function album(music: MusicFolder, folder: string, titles: readonly string[], more = {}) {
  for (const title of titles) await music.add(`${folder}/${title}.mp3`, song(title, more))
}

/** Title to id, and title to album. */
const ids = async (catalog: TestCatalog) =>
  new Map((await catalog.tracks()).map(({ tags, id }) => [tags.title, id]))
const albums = async (catalog: TestCatalog) =>
  new Map((await catalog.tracks()).map(({ tags, album: id }) => [tags.title, id]))

test('a first scan finds the music; a second finds nothing new', async () => {
  await using made = await scanned(async (music) => {
    await album(music, 'A/One', ['a', 'b', 'c'])
    await music.add('A/One/d.flac', song('d', { track: 4 }))
    await music.add('B/e.ogg', song('e', { album: 'Other' }))
    await music.write('A/One/Cover.JPG', 'x')
    await music.write('A/One/a.lrc', '[00:01.00]a')
    await music.write('A/One/notes.txt', 'x')
    await music.write('.hidden/f.mp3', await music.sound('mp3'))
    await music.write('ignored/.nomedia', '')
    await music.write('ignored/g.mp3', await music.sound('mp3'))
  })
  const tracks = await made.catalog.tracks()
  assert.deepEqual(
    tracks.map(({ tags }) => tags.title),
    ['a', 'b', 'c', 'd', 'e'],
  )
  assert.equal(new Set(tracks.slice(0, 4).map((track) => track.album)).size, 1)
  assert.notEqual(tracks[3]?.album, tracks[4]?.album)
  const [file] = tracks[0]?.files ?? []
  assert.deepEqual([file?.path, file?.coverFile, file?.lyricsFile], ['A/One/a.mp3', 'Cover.JPG', 'a.lrc'])
  const status = await made.scan()
  assert.deepEqual(
    [status.phase, status.seen, status.toRead, status.added, status.problems],
    ['idle', 5, 0, 0, 0],
  )
  assert.deepEqual(await made.catalog.tracks(), tracks)
})

test('a picture that is replaced under the same name is noticed, and only then', async () => {
  await using made = await scanned(async (music) => {
    await album(music, 'A', ['a'])
    await music.write('A/cover.jpg', 'a picture')
  })
  const coverOf = async () => (await made.catalog.tracks())[0]?.files[0]?.coverModifiedAt
  const before = await coverOf()
  assert.ok(before)
  assert.equal((await made.scan()).toRead, 0)
  await touch(await made.music.write('A/cover.jpg', 'another picture'))
  await made.scan()
  assert.notEqual(await coverOf(), before)
})

test('a file that changes its tags, its name or its folder stays the same track', async () => {
  await using made = await scanned((music) =>
    album(music, 'A', ['retagged', 'renamed', 'moved', 'both', 'still']),
  )
  const before = await ids(made.catalog)
  await touch(await made.music.add('A/retagged.mp3', song('retagged now')))
  await rename(join(made.music.path, 'A/renamed.mp3'), join(made.music.path, 'A/0 new name.mp3'))
  await mkdir(join(made.music.path, 'Z'))
  await rename(join(made.music.path, 'A/moved.mp3'), join(made.music.path, 'Z/moved.mp3'))
  await rm(join(made.music.path, 'A/both.mp3'))
  await made.music.add('Z/both.mp3', song('both, retagged'))
  const status = await made.scan()
  const after = await ids(made.catalog)
  assert.equal(after.get('retagged now'), before.get('retagged'))
  assert.equal(after.get('renamed'), before.get('renamed'))
  assert.equal(after.get('moved'), before.get('moved'))
  assert.equal(after.get('both, retagged'), before.get('both'))
  assert.equal(after.size, 5)
  assert.deepEqual([status.added, status.changed, status.moved, status.removed], [0, 1, 3, 0])
})

test('two files that exchange their names stay the tracks that they are', async () => {
  await using made = await scanned((music) => album(music, 'A', ['first', 'second']))
  const before = await ids(made.catalog)
  const at = (name: string) => join(made.music.path, 'A', name)
  await rename(at('first.mp3'), at('x.mp3'))
  await rename(at('second.mp3'), at('first.mp3'))
  await rename(at('x.mp3'), at('second.mp3'))
  await touch(at('first.mp3'))
  await touch(at('second.mp3'), Date.now() + 9_000)
  await made.scan()
  assert.deepEqual(await ids(made.catalog), before)
  const tracks = await made.catalog.tracks()
  assert.deepEqual(
    tracks.map(({ files }) => files.map(({ path }) => path)),
    [['A/second.mp3'], ['A/first.mp3']],
  )
})

test('a retagged album keeps its id; one that joins another does not', async () => {
  await using made = await scanned(async (music) => {
    await album(music, 'A', ['a', 'b', 'c'])
    await album(music, 'B', ['d', 'e'], { album: 'Second' })
  })
  const before = await albums(made.catalog)
  for (const title of ['a', 'b', 'c']) {
    await touch(await made.music.add(`A/${title}.mp3`, song(title, { album: 'Album (Remastered)' })))
  }
  await made.scan()
  assert.deepEqual(await albums(made.catalog), before)

  await album(made.music, 'New', ['f', 'g'])
  await made.scan()
  const named = await albums(made.catalog)
  assert.equal(named.get('f'), named.get('g'))
  assert.notEqual(named.get('f'), before.get('a'), 'the old name makes another album now')

  for (const title of ['d', 'e']) await touch(await made.music.add(`B/${title}.mp3`, song(title)))
  await made.scan()
  const joined = await albums(made.catalog)
  assert.equal(joined.get('d'), named.get('f'))
  assert.equal(joined.get('a'), before.get('a'))
})

test('most of an album retagged: it keeps its id, and the rest goes back under the old name', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a', 'b', 'c']))
  const before = await albums(made.catalog)
  for (const title of ['a', 'b'])
    await touch(await made.music.add(`A/${title}.mp3`, song(title, { album: 'New' })))
  await made.scan()
  const after = await albums(made.catalog)
  assert.deepEqual([after.get('a'), after.get('b')], [before.get('a'), before.get('b')])
  assert.notEqual(after.get('c'), before.get('c'))
  await touch(await made.music.add('A/c.mp3', song('c', { album: 'New' })))
  await made.scan()
  assert.deepEqual(await albums(made.catalog), before)
})

test('an album that is retagged bit by bit over several scans is in the end the album that it was', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a', 'b', 'c', 'd', 'e', 'f']))
  const before = await albums(made.catalog)
  for (const titles of [
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f'],
  ]) {
    for (const title of titles)
      await touch(await made.music.add(`A/${title}.mp3`, song(title, { album: 'Album (Deluxe)' })))
    await made.scan()
  }
  assert.deepEqual(await albums(made.catalog), before)
  await made.scan(true)
  assert.deepEqual(await albums(made.catalog), before)
})

test('half of an album that others have joined is an album of its own, whoever follows', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a', 'b', 'c', 'd']))
  for (const title of ['a', 'b'])
    await touch(await made.music.add(`A/${title}.mp3`, song(title, { album: 'Other' })))
  await made.scan()
  await album(made.music, 'B', ['new'], { album: 'Other' })
  await made.scan()
  const other = (await albums(made.catalog)).get('new')
  for (const title of ['c', 'd'])
    await touch(await made.music.add(`A/${title}.mp3`, song(title, { album: 'Other' })))
  await made.scan()
  assert.deepEqual(new Set((await albums(made.catalog)).values()), new Set([other]))
})

test('albums: discs and folders join; other artists and untagged folders stay apart', async () => {
  await using made = await scanned(async (music) => {
    await album(music, 'Box/CD1', ['a'], { album: 'Box', disc: 1 })
    await album(music, 'Box/CD 2 - Live', ['b'], { album: 'Box', disc: 2 })
    await album(music, 'Elsewhere', ['c'], { album: 'Box' })
    await album(music, 'Hits by X', ['d'], { album: 'Hits', albumArtist: 'X' })
    await album(music, 'Hits by Y', ['e'], { album: 'Hits', albumArtist: 'Y' })
    const various = ['f', 'g', 'h']
    for (const title of various)
      await music.add(`Mix/${title}.mp3`, { title, artist: `By ${title}`, album: 'Mix' })
    const guests = ['i', 'j', 'k']
    for (const title of guests) {
      const artist = title === 'k' ? 'Main & Guest' : 'Main'
      await music.add(`Solo/${title}.mp3`, { title, artist, album: 'Solo' })
    }
    await music.write('Untagged/Disc 1/l.mp3', await music.sound('mp3'))
    await music.write('Untagged/Disc 2/m.mp3', await music.sound('mp3', { hertz: 500 }))
    await music.write('Other/n.mp3', await music.sound('mp3', { hertz: 600 }))
  })
  const of = await albums(made.catalog)
  const together = (...titles: string[]) => new Set(titles.map((title) => of.get(title))).size
  assert.equal(together('a', 'b', 'c'), 1)
  assert.equal(together('d', 'e'), 2)
  assert.equal(together('f', 'g', 'h'), 1)
  assert.equal(together('i', 'j', 'k'), 1)
  assert.equal(together('l', 'm'), 1)
  assert.equal(together('l', 'n'), 2)
  assert.equal(together('a', 'd', 'e', 'f', 'i', 'l', 'n'), 7)
})

test('a folder that becomes a compilation stays one album', async () => {
  await using made = await scanned((music) =>
    music.add('Mix/a.mp3', { title: 'a', artist: 'A', album: 'Mix' }),
  )
  const before = await albums(made.catalog)
  await made.music.add('Mix/b.mp3', { title: 'b', artist: 'B', album: 'Mix' })
  await made.scan()
  const after = await albums(made.catalog)
  assert.equal(after.get('b'), after.get('a'))
  assert.equal(after.get('a'), before.get('a'))
})

test('the same bytes in two folders are one track with two places', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a']))
  await cp(join(made.music.path, 'A'), join(made.music.path, 'B'), { recursive: true })
  await made.scan()
  const [track, ...others] = await made.catalog.tracks()
  assert.equal(others.length, 0)
  assert.deepEqual(track?.files.map(({ path }) => path).sort(), ['A/a.mp3', 'B/a.mp3'])

  await touch(await made.music.add('B/a.mp3', song('a, another take')))
  await made.scan()
  const after = await ids(made.catalog)
  assert.equal(after.get('a'), track?.id, 'the copy that was not retagged is the track')
  assert.equal(after.size, 2)
})

test('a deleted file goes, and comes back as the same track, also when it was retagged before', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a', 'b']))
  const before = await ids(made.catalog)
  await touch(await made.music.add('A/a.mp3', song('a2')))
  await made.scan()
  for (const name of ['a', 'b'])
    await rename(join(made.music.path, `A/${name}.mp3`), join(made.music.path, `../${name}`))
  await made.music.add('keep.mp3', song('keep'))
  assert.equal((await made.scan()).removed, 2)
  assert.deepEqual([...(await ids(made.catalog)).keys()], ['keep'])
  for (const name of ['a', 'b'])
    await rename(join(made.music.path, `../${name}`), join(made.music.path, `A/${name}.mp3`))
  await made.scan()
  const after = await ids(made.catalog)
  assert.deepEqual([after.get('a2'), after.get('b')], [before.get('a'), before.get('b')])
})

test('a library whose disk is away keeps its tracks; a full scan forgets them', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a', 'b']))
  const tracks = await made.catalog.tracks()
  const away = `${made.music.path}-away`
  await rename(made.music.path, away)
  await made.scan()
  assert.deepEqual(await made.catalog.problems(), { '': 'LIBRARY_GONE' })
  await mkdir(made.music.path)
  await made.scan()
  assert.deepEqual(await made.catalog.problems(), { '': 'LIBRARY_GONE' })
  await made.music.write('README', 'mount the disk here')
  await made.scan()
  assert.deepEqual(await made.catalog.problems(), { '': 'LIBRARY_GONE' })
  assert.deepEqual(await made.catalog.tracks(), tracks)

  await rm(made.music.path, { recursive: true })
  await rename(away, made.music.path)
  await made.scan()
  assert.deepEqual(await made.catalog.problems(), {})

  await rm(join(made.music.path, 'A'), { recursive: true })
  await made.scan(true)
  assert.deepEqual(await made.catalog.tracks(), [])
  assert.deepEqual(await made.catalog.problems(), {})
})

test('a full folder that is empty was a mount point: its tracks stay', async () => {
  await using made = await scanned(async (music) => {
    const bytes = await music.sound('mp3')
    for (let at = 0; at < 60; at++)
      await music.write(`nas/${at}.mp3`, Buffer.concat([bytes, Buffer.alloc(at)]))
    await music.add('local.mp3', song('local'))
  })
  assert.equal((await made.catalog.tracks()).length, 61)
  await rm(join(made.music.path, 'nas'), { recursive: true })
  await mkdir(join(made.music.path, 'nas'))
  await made.scan()
  assert.equal((await made.catalog.tracks()).length, 61)
  assert.deepEqual(await made.catalog.problems(), { nas: 'LIBRARY_GONE' })
  await rmdir(join(made.music.path, 'nas'))
  await made.scan()
  assert.equal((await made.catalog.tracks()).length, 1)
  assert.deepEqual(await made.catalog.problems(), {})
})

test('albums of more than 200 tracks are cut into parts, and only the touched ones are written', async () => {
  await using made = await scanned(async (music) => {
    const bytes = await music.sound('mp3')
    for (let at = 0; at < 450; at++)
      await music.write(`${at}.mp3`, Buffer.concat([bytes, Buffer.from(String(at))]))
  })
  const page = await made.catalog.store.list('catalog/albums/')
  assert.deepEqual(
    page.entries.map(({ key }) => key.slice(-3)),
    ['000', '001', '002'],
  )
  const before = page.entries.map(({ revision }) => revision)
  await touch(join(made.music.path, '0.mp3'))
  await made.scan()
  const after = (await made.catalog.store.list('catalog/albums/')).entries.map(({ revision }) => revision)
  assert.equal(after.filter((revision, at) => revision !== before[at]).length, 1)
  assert.equal((await made.catalog.tracks()).length, 450)
})

test('some folders of a library can be scanned alone', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a']))
  await album(made.music, 'A', ['b'])
  await album(made.music, 'A-B', ['c'])
  await album(made.music, 'C', ['d'])
  await made.catalog.scanner.scan({ library: made.library.id, folders: ['A', 'A/x', 'gone'] })
  assert.deepEqual([...(await ids(made.catalog)).keys()], ['a', 'b'])
  await rm(join(made.music.path, 'A/a.mp3'))
  await made.catalog.scanner.scan({ library: made.library.id, folders: ['A-B', 'A'] })
  assert.deepEqual([...(await ids(made.catalog)).keys()], ['b', 'c'])
})

test('a scan tells how far it is, and can be given up', async () => {
  await using made = await scanned((music) => album(music, 'A', ['a']))
  const phases = new Set<string>()
  const told = new Promise<void>((resolve) => {
    const end = made.catalog.scanner.subscribe((status) => {
      phases.add(status.phase)
      if (status.phase === 'idle') {
        end()
        resolve()
      }
    })
  })
  await Promise.all([made.scan(true), told])
  assert.ok(phases.has('idle'))
  await assert.rejects(made.catalog.scanner.scan({}, AbortSignal.abort(new Error('no'))), /no/)
  assert.equal((await made.scan()).phase, 'idle')
})
