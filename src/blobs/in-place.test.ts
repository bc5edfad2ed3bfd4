import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ErrorCode } from '../protocol/errors.ts'
import { isCoded } from '../protocol/errors.ts'
import type { PlacedFile } from './blobs.ts'
import { hashPath } from './sums.ts'
import { collectBytes, flipByte, noise, openTestBlobs, until } from './test-support.ts'

async function openMusic() {
  const context = await openTestBlobs()
  const root = join(context.folder, 'music')
  await mkdir(root)
  /** Writes a file into the music folder; answers it as a scan would know it. */
  async function write(path: string | Buffer, bytes: Uint8Array): Promise<PlacedFile> {
    const full = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path)])
    await writeFile(full, bytes)
    const { size, mtimeMs } = await stat(full)
    return { root, path, size, modifiedAt: Math.floor(mtimeMs) }
  }
  return Object.assign(context, { root, write })
}

const coded = (code: ErrorCode) => (error: unknown) => isCoded(error, code)

test('a file in place is read as it is, before and after its hash is known', async () => {
  await using context = await openMusic()
  const { inPlace } = context.blobs
  const bytes = noise(700_000)
  const file = await context.write('a song.ogg', bytes)
  using before = await inPlace.open(file)
  assert.equal(before.verified, false)
  assert.ok((await collectBytes(before, 5, 600_000)).equals(bytes.subarray(5, 600_000)))
  const hash = await inPlace.hash(file)
  assert.equal(hash, createHash('sha256').update(bytes).digest('hex'))
  using after = await inPlace.open({ ...file, hash })
  assert.equal(after.verified, true)
  assert.ok((await collectBytes(after, 5, 600_000)).equals(bytes.subarray(5, 600_000)))
})

test('names that are not UTF-8, or hold newlines, are read', async () => {
  await using context = await openMusic()
  for (const path of [Buffer.from([0x66, 0xff, 0xfe, 0x80]), 'two\nlines.mp3']) {
    const bytes = noise(100)
    using reader = await context.blobs.inPlace.open(await context.write(path, bytes))
    assert.ok((await collectBytes(reader)).equals(bytes))
  }
})

test('[B1] a file in place that was damaged is not served, and reported once', async () => {
  await using context = await openMusic()
  const { inPlace } = context.blobs
  const file = await context.write('song.flac', noise(500_000))
  const hash = await inPlace.hash(file)
  await flipByte(join(context.root, 'song.flac'), 300_000, new Date(file.modifiedAt))
  const damaged = await readFile(join(context.root, 'song.flac'))
  for (let attempt = 0; attempt < 2; attempt += 1) {
    using reader = await inPlace.open({ ...file, hash })
    await assert.rejects(collectBytes(reader), coded('BLOB_CORRUPT'))
    await until(() => context.events.length > 0)
  }
  assert.equal(await inPlace.verify({ ...file, hash }), 'corrupt')
  assert.deepEqual(context.events, [{ kind: 'corrupt', hash, file: { root: file.root, path: 'song.flac' } }])
  // A person's own file is left as it is.
  assert.ok((await readFile(join(context.root, 'song.flac'))).equals(damaged))
})

test('[B1] a damaged blob is healed from the same music in a music folder', async () => {
  const bytes = noise(300_000)
  const music = await openMusic()
  await using _music = music
  const file = await music.write('song.mp3', bytes)
  const hash = await music.blobs.inPlace.hash(file)
  await using context = await openTestBlobs({
    otherCopies: async function* () {
      yield await music.blobs.inPlace.open({ ...file, hash })
    },
  })
  await context.blobs.put(
    (async function* () {
      yield bytes
    })(),
  )
  await flipByte(hashPath(join(context.folder, 'blobs'), hash), 0)
  assert.equal(await context.blobs.verify(hash), 'healed')
  assert.equal(await context.blobs.verify(hash), 'sound')
})

test('a file that changed, grew, was replaced or went away says so instead of serving other bytes', async () => {
  await using context = await openMusic()
  const { inPlace } = context.blobs
  const path = join(context.root, 'song.ogg')
  const changes: [ErrorCode, () => Promise<unknown>][] = [
    ['FILE_CHANGED', () => utimes(path, new Date(), new Date(1_000_000))],
    ['FILE_CHANGED', () => appendFile(path, 'more')],
    ['FILE_MISSING', () => rm(path)],
    ['FILE_MISSING', () => rename(context.root, `${context.root}-unmounted`)],
  ]
  for (const [code, change] of changes) {
    const file = await context.write('song.ogg', noise(300_000))
    {
      using reader = await inPlace.open(file)
      await collectBytes(reader, 0, 10)
      await change()
      if (code === 'FILE_CHANGED') await assert.rejects(reader.lend(100_000, 10), coded('FILE_CHANGED'))
    }
    await assert.rejects(inPlace.hash(file), coded(code))
    await until(async () => {
      try {
        using _reader = await inPlace.open(file)
        return false
      } catch (error) {
        assert.ok(isCoded(error, code), String(error))
        return true
      }
    })
  }
})

test('a file whose sums were lost is served, and verified again as soon as it has been read whole', async () => {
  await using context = await openMusic()
  const bytes = noise(200_000)
  const file = await context.write('song.opus', bytes)
  const hash = await context.blobs.inPlace.hash(file)
  await rm(hashPath(join(context.folder, 'sums'), hash))
  {
    using reader = await context.blobs.inPlace.open({ ...file, hash })
    assert.ok((await collectBytes(reader)).equals(bytes))
  }
  await until(async () => {
    using reader = await context.blobs.inPlace.open({ ...file, hash })
    return reader.verified
  })
})

test('only plain files inside of the music folder are opened', async () => {
  await using context = await openMusic()
  const { inPlace } = context.blobs
  const secret = join(context.folder, 'secret')
  await writeFile(secret, 'secret')
  await mkdir(join(context.root, 'album'))
  const inside = await context.write('album/song.mp3', noise(10))
  await symlink(secret, join(context.root, 'out.mp3'))
  await symlink(context.folder, join(context.root, 'up'))
  await symlink('circle.mp3', join(context.root, 'circle.mp3'))
  await symlink('album/song.mp3', join(context.root, 'link.mp3'))
  execFileSync('mkfifo', [join(context.root, 'pipe.mp3')])
  const known = { root: context.root, size: 6, modifiedAt: Math.floor((await stat(secret)).mtimeMs) }
  const refused: [string, ErrorCode][] = [
    ['out.mp3', 'FILE_UNREADABLE'],
    ['up/secret', 'FILE_UNREADABLE'],
    ['../secret', 'FILE_UNREADABLE'],
    ['album/../../secret', 'FILE_UNREADABLE'],
    ['circle.mp3', 'FILE_UNREADABLE'],
    ['pipe.mp3', 'FILE_UNREADABLE'],
    ['album', 'FILE_UNREADABLE'],
    ['', 'FILE_UNREADABLE'],
    ['nul\0byte', 'FILE_UNREADABLE'],
    ['x'.repeat(300), 'FILE_UNREADABLE'],
    ['nothing.mp3', 'FILE_MISSING'],
    ['album/song.mp3/deeper', 'FILE_MISSING'],
  ]
  for (const [path, code] of refused)
    await assert.rejects(inPlace.open({ ...known, path }), coded(code), `${path.slice(0, 30)} → ${code}`)
  using linked = await inPlace.open({ ...inside, path: 'link.mp3' })
  assert.equal(linked.size, 10)
})

test('hashing goes no faster than it is told, and stops when it is no longer wanted', async () => {
  await using context = await openMusic()
  const file = await context.write('long.wav', noise(400_000))
  const began = performance.now()
  await context.blobs.inPlace.hash(file, { bytesPerSecond: 2_000_000 })
  assert.ok(performance.now() - began > 150)
  const controller = new AbortController()
  const hashing = context.blobs.inPlace.hash(file, { bytesPerSecond: 1_000, signal: controller.signal })
  controller.abort(new Error('stop'))
  await assert.rejects(hashing, /stop/)
})

test('[B4] music folders are read and never changed, not even the time of a file', async () => {
  await using context = await openMusic()
  const file = await context.write('song.mp3', noise(100_000))
  await chmod(join(context.root, 'song.mp3'), 0o444)
  const before = await stat(join(context.root, 'song.mp3'))
  const hash = await context.blobs.inPlace.hash(file)
  assert.equal(await context.blobs.inPlace.verify({ ...file, hash }), 'sound')
  using reader = await context.blobs.inPlace.open({ ...file, hash })
  await collectBytes(reader)
  const after = await stat(join(context.root, 'song.mp3'))
  assert.equal(after.ctimeMs, before.ctimeMs)
  assert.deepEqual(await readdir(context.root), ['song.mp3'])
})

test('reading in place leaves no descriptors open', async () => {
  await using context = await openMusic()
  const before = (await readdir('/proc/self/fd')).length
  const file = await context.write('song.mp3', noise(100))
  for (let round = 0; round < 40; round += 1) {
    using _reader = await context.blobs.inPlace.open(file)
    await assert.rejects(context.blobs.inPlace.open({ ...file, size: 99 }))
    await assert.rejects(context.blobs.inPlace.open({ ...file, path: '.' }))
  }
  await context.reopen()
  assert.ok((await readdir('/proc/self/fd')).length <= before)
})
