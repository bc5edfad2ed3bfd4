import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathText } from '../../src/catalog/scan/path.ts'
import { scanStatus } from '../../src/protocol/api/catalog.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import { id3v2, pictureFrame, textFrame } from '../fixtures/id3.ts'
import { type MusicFolder, makeMusicFolder, touch } from '../fixtures/make.ts'
import { makePicture } from '../fixtures/picture.ts'
import { codesOf, problemsOf, tracksOf } from '../harness/catalog.ts'
import type { Client } from '../harness/client.ts'
import { startNode } from '../harness/node.ts'
import { portrait } from '../harness/portrait.ts'
import { rescan, scanned } from '../harness/scan.ts'
import { waitFor } from '../harness/wait.ts'

/** Each bad file of the music folder, seen as its administrator sees it: on a whole node, by HTTP alone. */

const goodTitles = ['good aiff', 'good flac', 'good m4a', 'good mp3', 'good ogg', 'good opus', 'good wav']

async function addGoodFiles(music: MusicFolder): Promise<void> {
  for (const suffix of ['mp3', 'flac', 'ogg', 'opus'])
    await music.add(`good/${suffix}.${suffix}`, { title: `good ${suffix}`, album: 'Good', artist: 'G' })
  for (const suffix of ['m4a', 'wav', 'aiff'] as const)
    await music.write(`good/good ${suffix}.${suffix}`, await music.sound(suffix))
}

/** Of each code, the files that must show it. */
async function addBadFiles(music: MusicFolder): Promise<Record<string, string>> {
  const wanted: Record<string, string> = {}
  const expect = (code: string, path: string) => {
    wanted[path] = code
    return path
  }
  const mp3 = await music.sound('mp3', { seconds: 4 })
  const m4a = await music.sound('m4a')
  for (const suffix of ['mp3', 'flac', 'ogg', 'm4a', 'wav'])
    await music.write(expect('FILE_EMPTY', `bad/empty.${suffix}`), '')
  for (const suffix of ['flac', 'ogg', 'opus', 'm4a', 'wav', 'aiff'] as const) {
    const whole = await music.sound(suffix, { seconds: 4 })
    const cut = whole.subarray(0, Math.floor(whole.length * 0.6))
    await music.write(expect(truncated[suffix], `bad/cut.${suffix}`), cut)
  }
  const encoder = await music.sound('mp3', { seconds: 4, hertz: 333 })
  await music.write('bad/cut.mp3', encoder.subarray(0, Math.floor(encoder.length * 0.6)))
  await music.write(expect('FILE_MISLABELLED', 'bad/flac.mp3'), await music.sound('flac', { hertz: 500 }))
  const page = `<!doctype html>${'<p>Sign in to download</p>'.repeat(200)}`
  await music.write(expect('FILE_NOT_AUDIO', 'bad/page.mp3'), page)
  await music.write(
    expect('FILE_NOT_AUDIO', 'bad/zip.flac'),
    Buffer.from('504b0304'.padEnd(8_000, '0'), 'hex'),
  )
  const locked = Buffer.from(m4a.toString('latin1').replace('mp4a', 'drms'), 'latin1')
  await music.write(expect('FILE_ENCRYPTED', 'bad/bought.m4p'), locked)
  await music.write(
    expect('FILE_DAMAGED', 'bad/corrupt.flac'),
    Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(4_000, 255)]),
  )
  await music.write(
    expect('FILE_DAMAGED', 'bad/corrupt.ogg'),
    Buffer.concat([(await music.sound('ogg')).subarray(0, 40), Buffer.alloc(4_000, 170)]),
  )
  const huge = id3v2([{ id: 'PRIV', body: Buffer.alloc(50_000_000) }])
  await music.write(expect('TAGS_TOO_LARGE', 'bad/huge.mp3'), Buffer.concat([huge, mp3]))
  const noPicture = id3v2([
    textFrame('TIT2', 'covered'),
    pictureFrame('image/png', Buffer.from('no picture at all')),
  ])
  await music.write(expect('COVER_NOT_AN_IMAGE', 'bad/covered.mp3'), Buffer.concat([noPicture, mp3]))
  await symlink('/etc', join(music.path, expect('LINK_OUTSIDE', 'bad/out')))
  await symlink('/etc/passwd', join(music.path, expect('LINK_OUTSIDE', 'bad/passwd.mp3')))
  await symlink('nothing', join(music.path, expect('LINK_OUTSIDE', 'bad/broken.mp3')))
  await symlink('..', join(music.path, expect('LINK_CIRCLE', 'bad/up')))
  execFileSync('mkfifo', [join(music.path, 'bad/pipe.mp3'), join(music.path, 'bad/cover.jpg')])
  return wanted
}

/** Where the length of a file is not written in it, a cut one is only a shorter one. */
const truncated = {
  flac: 'FILE_TRUNCATED',
  ogg: 'FILE_TRUNCATED',
  opus: 'FILE_TRUNCATED',
  m4a: 'FILE_DAMAGED',
  wav: 'FILE_TRUNCATED',
  aiff: 'FILE_TRUNCATED',
} as const

/** Names that are no UTF-8, hold newlines, look like commands, or whose paths have nearly 4,000 bytes. */
async function addOddNames(music: MusicFolder): Promise<{ odd: string[]; tooLong: string }> {
  const mp3 = await music.sound('mp3')
  const names = ['caf\xe9.mp3', '\xff\xfe\xfd.mp3', 'two\nlines\r.mp3', '-rf *; $(id) `id` %00 &lt;b&gt;.mp3']
  for (const name of names)
    writeFileSync(Buffer.concat([Buffer.from(`${music.path}/`), Buffer.from(name, 'latin1')]), mp3)
  const part = 'n'.repeat(199)
  let folder = music.path
  while (folder.length + 200 < 3_850) {
    folder = `${folder}/${part}`
    mkdirSync(folder)
  }
  writeFileSync(`${folder}/deep.mp3`, mp3)
  // Beyond the limit of the system a path can only be made from within.
  execFileSync('sh', ['-c', `mkdir ${part} && cd -P ${part} && mkdir ${part}`], { cwd: folder })
  const relative = folder.slice(music.path.length + 1)
  const odd = names.map((name) => pathText(Buffer.from(name, 'latin1')))
  return { odd: [...odd, `${relative}/deep.mp3`], tooLong: `${relative}/${part}/${part}` }
}

test('[S4] every bad file is a coded problem on the page; all that is good beside it plays; nothing is touched', async (t) => {
  await using music = await makeMusicFolder()
  await addGoodFiles(music)
  const wanted = await addBadFiles(music)
  const { odd, tooLong } = await addOddNames(music)
  wanted[tooLong] = 'PATH_TOO_LONG'
  const before = await portrait(join(music.path, 'bad'))
  await using node = await startNode({ music: [music.path] })
  const ada = await node.administrator()
  await scanned(ada)

  await t.test('each has its code, with a title and what to do', async () => {
    const found = await problemsOf(ada)
    assert.deepEqual(codesOf(found), wanted)
    for (const { code, title, help, libraryName } of found) {
      const known = new Map<string, { title: string; help: string }>(Object.entries(errorCodes)).get(code)
      assert.deepEqual({ title, help }, { title: known?.title, help: known?.help })
      assert.equal(libraryName, 'music')
    }
  })

  await t.test(
    'the good files play byte for byte, and so do odd names and what is only mislabelled',
    async () => {
      const tracks = await tracksOf(ada)
      const titles = tracks.map(({ title }) => title)
      for (const title of goodTitles)
        assert.ok(titles.includes(title), `${title} is not in ${titles.join(', ')}`)
      assert.equal(
        tracks.filter(({ title }) => /^(?:caf|deep|two|-rf)/.test(title) || title.includes('\ufffd\ufffd'))
          .length,
        odd.length,
      )
      for (const { id, title, size } of tracks) {
        const answer = await ada.fetch(`/api/tracks/${id}/audio`)
        assert.equal(answer.status, 200, title)
        assert.equal((await answer.arrayBuffer()).byteLength, size, title)
      }
    },
  )

  await t.test('the process lives, and the folder is as it was', async () => {
    process.kill(node.pid, 0)
    assert.deepEqual(await portrait(join(music.path, 'bad')), before)
  })

  await t.test('a second scan finds the same, and problems vanish once they are mended', async () => {
    await rescan(ada)
    assert.deepEqual(codesOf(await problemsOf(ada)), wanted)
    await touch(await music.add('bad/empty.mp3', { title: 'mended' }))
    await touch(await music.write('bad/cut.wav', await music.sound('wav', { seconds: 4 })))
    await touch(await music.write('bad/covered.mp3', await music.sound('mp3', { hertz: 600 })))
    const left = { ...wanted }
    for (const path of ['bad/empty.mp3', 'bad/cut.wav', 'bad/covered.mp3']) delete left[path]
    for (const path of [
      'bad/out',
      'bad/up',
      'bad/broken.mp3',
      'bad/page.mp3',
      'bad/bought.m4p',
      'bad/huge.mp3',
    ]) {
      await rm(join(music.path, path))
      delete left[path]
    }
    await rescan(ada)
    assert.deepEqual(codesOf(await problemsOf(ada)), left)
    assert.ok((await tracksOf(ada)).some(({ title }) => title === 'mended'))
  })

  await t.test(
    'without its disk, the library keeps everything and says so; with it, all plays again',
    async () => {
      const before = await tracksOf(ada)
      const away = `${music.path}.away`
      await rename(music.path, away)
      await rescan(ada)
      assert.equal(codesOf(await problemsOf(ada))[''], 'LIBRARY_GONE')
      assert.equal((await tracksOf(ada)).length, before.length)
      const [track] = before
      assert.ok(track)
      const refused = await ada.get(`/api/tracks/${track.id}/audio`)
      assert.equal(refused.status, errorCodes.FILE_MISSING.status)
      // What is mounted there when the disk is not: an empty folder.
      await mkdir(music.path)
      await rescan(ada)
      assert.equal(codesOf(await problemsOf(ada))[''], 'LIBRARY_GONE')
      assert.equal((await tracksOf(ada)).length, before.length)
      await rm(music.path, { recursive: true })
      await rename(away, music.path)
      await rescan(ada)
      assert.equal(codesOf(await problemsOf(ada))[''], undefined)
      assert.equal((await ada.fetch(`/api/tracks/${track.id}/audio`)).status, 200)
    },
  )

  process.kill(node.pid, 0)
  assert.equal(await node.stop(), 0)
  // Node's own `rm` cannot go where paths are too long.
  execFileSync('rm', ['-rf', join(music.path, tooLong.slice(0, tooLong.indexOf('/')))])
})

const files = 600
const folders = 30

test('[S4] files and folders that change, turn into something else, or go while they are scanned', async () => {
  await using music = await makeMusicFolder()
  await music.add('stays/a.mp3', { title: 'stays' })
  await using node = await startNode({ music: [music.path] })
  const ada = await node.administrator()
  await scanned(ada)
  for (let at = 0; at < files; at++) {
    const suffix = ['mp3', 'flac', 'ogg'][at % 3] ?? 'mp3'
    await music.add(`many/${at % folders}/${at}.${suffix}`, { title: `one ${at}` })
  }
  await ada.call('POST', '/api/scan', { full: true })
  await waitFor(async () => (await phaseOf(ada)) !== 'idle', { what: 'the scan to begin' })
  await rm(join(music.path, 'many/1'), { recursive: true })
  await rename(join(music.path, 'many/2'), join(music.path, 'moved'))
  await writeFile(join(music.path, 'many/3/3.mp3'), 'no longer music')
  await rm(join(music.path, 'many/4/4.flac'))
  execFileSync('mkfifo', [join(music.path, 'many/4/4.flac')])
  await rm(join(music.path, 'many/29'), { recursive: true })
  await writeFile(join(music.path, 'many/29'), 'a file where a folder was')

  await rescan(ada)
  await rescan(ada)
  assert.deepEqual(codesOf(await problemsOf(ada)), { 'many/3/3.mp3': 'FILE_NOT_AUDIO' })
  const tracks = await tracksOf(ada)
  // Without two folders, a file that is none any more, and a FIFO.
  assert.equal(tracks.length, 1 + files - 2 * (files / folders) - 2)
  process.kill(node.pid, 0)
  for (const { id } of tracks.filter((_, at) => at % 50 === 0))
    assert.equal(
      (await ada.fetch(`/api/tracks/${id}/audio`, { headers: { range: 'bytes=0-99' } })).status,
      206,
    )
})

test('[B1] [S4] what shows only in use is on the page too: pictures that cannot be read, and damage', async () => {
  await using music = await makeMusicFolder()
  const mp3 = await music.sound('mp3')
  const picture = await makePicture()
  const cut = picture.subarray(0, picture.length / 2)
  const embedded = id3v2([
    textFrame('TIT2', 'inside'),
    textFrame('TALB', 'Inside'),
    pictureFrame('image/png', cut),
  ])
  await music.write('inside/a.mp3', Buffer.concat([embedded, mp3]))
  await music.add('beside/b.mp3', { title: 'beside', album: 'Beside' })
  await music.write('beside/cover.jpg', 'a web page')
  const sound = await music.add('sound/c.mp3', { title: 'sound', album: 'Sound' })
  await utimes(sound, anHour, anHour)
  await using node = await startNode({ music: [music.path] })
  const ada = await node.administrator()
  await scanned(ada)
  await waitFor(async () => (await phaseOf(ada)) === 'idle', { what: 'the files to be hashed' })
  assert.deepEqual(codesOf(await problemsOf(ada)), {})

  const tracks = new Map((await tracksOf(ada)).map((track) => [track.title, track]))
  const coverOf = async (title: string) => {
    const answer = await ada.fetch(`/api/covers/track/${tracks.get(title)?.id}?size=64`, {
      headers: { accept },
    })
    assert.equal(answer.status, 200)
    await answer.arrayBuffer()
    return answer.headers.get('content-type')
  }
  for (const title of ['inside', 'beside']) assert.equal(await coverOf(title), 'image/svg+xml', title)
  const good = await readFile(sound)
  const rotten = Buffer.from(good)
  rotten[rotten.length - 100] = (rotten[rotten.length - 100] ?? 0) ^ 1
  await writeFile(sound, rotten)
  await utimes(sound, anHour, anHour)
  const play = () =>
    ada.fetch(`/api/tracks/${tracks.get('sound')?.id}/audio`).then((answer) => answer.arrayBuffer())
  const served = await play().catch(() => null)
  assert.ok(served === null || !Buffer.from(served).equals(rotten), 'damaged bytes are served')
  const wanted = {
    'inside/a.mp3': 'COVER_UNREADABLE',
    'beside/cover.jpg': 'COVER_UNREADABLE',
    'sound/c.mp3': 'FILE_DECAYED',
  }
  await waitFor(async () => Object.keys(codesOf(await problemsOf(ada))).length === 3, {
    what: 'the three problems',
  })
  assert.deepEqual(codesOf(await problemsOf(ada)), wanted)
  await rescan(ada)
  assert.deepEqual(codesOf(await problemsOf(ada)), wanted, 'they stay while the files are the same')

  await writeFile(sound, good)
  await utimes(sound, anHour, anHour)
  await writeFile(join(music.path, 'beside/cover.jpg'), picture)
  await touch(await music.add('inside/a.mp3', { title: 'inside', album: 'Inside' }))
  await rescan(ada)
  assert.deepEqual(codesOf(await problemsOf(ada)), {})
  assert.equal(await coverOf('beside'), 'image/webp', 'the new picture is shown')
  assert.equal((await play()).byteLength, good.length)
})

const accept = 'image/webp,image/svg+xml'
/** A time of change in whole seconds, which can be given to a file again exactly. */
const anHour = 1_700_000_000

async function phaseOf(client: Client) {
  return scanStatus.parse((await client.get('/api/scan')).body).phase
}
