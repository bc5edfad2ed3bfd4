import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { id3v2, pictureFrame, textFrame } from '../../../test/fixtures/id3.ts'
import { type MusicFolder, makeMusicFolder, touch } from '../../../test/fixtures/make.ts'
import { portrait } from '../../../test/harness/portrait.ts'
import { pathText } from '../scan/path.ts'
import { openCatalog } from './shared.ts'

/** One of each that a scan must survive, among good files. */
async function fillWithTrouble(music: MusicFolder) {
  const mp3 = await music.sound('mp3')
  const m4a = await music.sound('m4a')
  const wav = await music.sound('wav')
  await music.add('good/a.mp3', { title: 'a', album: 'Good', albumArtist: 'G' })
  await music.add('good/z.flac', { title: 'z', album: 'Good', albumArtist: 'G' })
  await music.write('bad/empty.mp3', '')
  await music.write(
    'bad/picture.mp3',
    Buffer.concat([Buffer.from('ffd8ffe000104a464946', 'hex'), Buffer.alloc(3_000, 9)]),
  )
  await music.write('bad/flac.ogg', await music.sound('flac'))
  await music.write('bad/drm.m4p', Buffer.from(m4a.toString('latin1').replace('mp4a', 'drms'), 'latin1'))
  await music.write('bad/corrupt.flac', Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(4_000, 255)]))
  await music.write('bad/truncated.wav', wav.subarray(0, 9_000))
  await music.write(
    'bad/huge.mp3',
    Buffer.concat([id3v2([{ id: 'PRIV', body: Buffer.alloc(50_000_000) }]), mp3]),
  )
  const cover = id3v2([
    textFrame('TIT2', 'covered'),
    pictureFrame('image/png', Buffer.from('no picture at all')),
  ])
  await music.write('bad/cover.mp3', Buffer.concat([cover, mp3]))
  await symlink('/etc', join(music.path, 'bad/out'))
  await symlink('..', join(music.path, 'bad/up'))
  writeFileSync(
    Buffer.concat([Buffer.from(`${music.path}/caf`), Buffer.of(0xe9), Buffer.from('\n.mp3')]),
    mp3,
  )
}

const trouble = {
  'bad/empty.mp3': 'FILE_EMPTY',
  'bad/picture.mp3': 'FILE_NOT_AUDIO',
  'bad/flac.ogg': 'FILE_MISLABELLED',
  'bad/drm.m4p': 'FILE_ENCRYPTED',
  'bad/corrupt.flac': 'FILE_DAMAGED',
  'bad/truncated.wav': 'FILE_TRUNCATED',
  'bad/huge.mp3': 'TAGS_TOO_LARGE',
  'bad/cover.mp3': 'COVER_NOT_AN_IMAGE',
  'bad/out': 'LINK_OUTSIDE',
  'bad/up': 'LINK_CIRCLE',
}

test('[S4] each bad file is a coded problem, the scan goes on, and mended ones vanish', async () => {
  await using music = await makeMusicFolder()
  await fillWithTrouble(music)
  await using catalog = await openCatalog()
  await catalog.addLibrary(music.path)
  const first = await catalog.scanner.scan()
  assert.deepEqual(await catalog.problems(), trouble)
  assert.equal(first.problems, Object.keys(trouble).length)
  const titles = (await catalog.tracks()).map(({ tags }) => tags.title)
  assert.deepEqual(titles, ['a', 'caf\ufffd', 'covered', 'flac', 'huge', 'truncated', 'z'])
  const odd = (await catalog.tracks()).find(({ tags }) => tags.title.startsWith('caf'))
  assert.equal(odd?.files[0]?.path, pathText(Buffer.from('caf\xe9\n.mp3', 'latin1')))
  const played = (await catalog.tracks()).find(({ tags }) => tags.title === 'flac')
  assert.equal(played?.audio.mediaType, 'audio/flac')

  const second = await catalog.scanner.scan()
  assert.equal(second.toRead, 0, 'what could not be read is not read again while it is the same')
  assert.deepEqual(await catalog.problems(), trouble)

  await touch(await music.add('bad/empty.mp3', { title: 'mended' }))
  await touch(await music.write('bad/truncated.wav', await music.sound('wav')))
  for (const name of ['picture.mp3', 'drm.m4p', 'corrupt.flac', 'out', 'huge.mp3'])
    await rm(join(music.path, 'bad', name))
  await catalog.scanner.scan()
  assert.deepEqual(await catalog.problems(), {
    'bad/flac.ogg': 'FILE_MISLABELLED',
    'bad/cover.mp3': 'COVER_NOT_AN_IMAGE',
    'bad/up': 'LINK_CIRCLE',
  })
  assert.ok((await catalog.tracks()).some(({ tags }) => tags.title === 'mended'))
})

test('[B4] a scan changes nothing in the music folder, not even a time', async () => {
  await using music = await makeMusicFolder()
  await fillWithTrouble(music)
  const before = await portrait(music.path)
  await using catalog = await openCatalog()
  await catalog.addLibrary(music.path)
  await catalog.scanner.scan()
  await catalog.scanner.scan({ full: true })
  for (const track of await catalog.tracks()) {
    const path = `${music.path}/${track.files[0]?.path}`
    await catalog.reader.readCover(path)
    await catalog.reader.readLyrics({ path })
  }
  assert.deepEqual(await portrait(music.path), before)
})

test('problems are bounded: a library of which everything is wrong does not fill the store', async () => {
  await using music = await makeMusicFolder()
  for (let at = 0; at < 1_100; at++) await music.write(`${at}.mp3`, '')
  await using catalog = await openCatalog()
  await catalog.addLibrary(music.path)
  await catalog.scanner.scan()
  const found = await catalog.problems()
  assert.equal(found[''], 'TOO_MANY_PROBLEMS')
  assert.ok(Object.keys(found).length <= 1_001)
})

test('a folder that disappears during the scan takes nothing with it but its files', async () => {
  await using music = await makeMusicFolder()
  for (let at = 0; at < 30; at++) await music.add(`${at % 3}/${at}.mp3`, { title: `${at}` })
  await using catalog = await openCatalog()
  await catalog.addLibrary(music.path)
  const scan = catalog.scanner.scan()
  await rm(join(music.path, '1'), { recursive: true })
  await scan
  await catalog.scanner.scan()
  assert.equal((await catalog.tracks()).length, 20)
  assert.deepEqual(await catalog.problems(), {})
})
