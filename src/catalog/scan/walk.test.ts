import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import type { WalkEvent } from './messages.ts'
import { chooseCover, chooseLyrics } from './names.ts'
import { pathText } from './path.ts'
import { type KnownFile, type KnownFiles, walk } from './walk.ts'

/** Known files from a list, as the index gives them. */
function knownFiles(paths: readonly string[]): KnownFiles {
  const files = paths.map(
    (path): KnownFile => ({
      path,
      size: 1,
      modifiedAt: 1,
      lyricsFile: undefined,
      lyricsModifiedAt: undefined,
      coverFile: undefined,
      coverModifiedAt: undefined,
    }),
  )
  let at = 0
  return {
    get current() {
      return files[at]
    },
    next: () => files[++at],
    seek(path) {
      while ((files[at]?.path ?? path) < path) at++
    },
    hasAtLeast: (folder, count) => paths.filter((path) => path.startsWith(folder)).length >= count,
  }
}

function look(root: string, known: readonly string[] = [], full = false) {
  return [...walk({ root, folders: [''], full, seen: () => {} }, knownFiles(known))].map(said)
}

function said(event: WalkEvent): string {
  return event.kind === 'problem' ? `${event.code} ${event.path}` : `${event.kind} ${event.path}`
}

test('files come in the order of their paths, whatever their names, and only music', async () => {
  await using music = await makeMusicFolder()
  for (const name of [
    'b/x.mp3',
    'b.mp3',
    'b c.mp3',
    'b/cover.jpg',
    'B.FLAC',
    'é.ogg',
    '\u{1f3b5}.ogg',
    '\uffee.ogg',
    '.x.mp3',
    'y.txt',
  ]) {
    await music.write(name, 'x')
  }
  assert.deepEqual(look(music.path), [
    'file B.FLAC',
    'file b c.mp3',
    'file b.mp3',
    'file b/x.mp3',
    'file é.ogg',
    'file \uffee.ogg',
    'file \u{1f3b5}.ogg',
  ])
})

test('names that are not UTF-8, or hold newlines, are names', async () => {
  await using music = await makeMusicFolder()
  const odd = [Buffer.from('caf\xe9.mp3', 'latin1'), Buffer.from('two\nlines.mp3'), Buffer.from('\uf7e9.mp3')]
  for (const name of odd) writeFileSync(Buffer.concat([Buffer.from(`${music.path}/`), name]), 'x')
  const folder = Buffer.concat([Buffer.from(`${music.path}/`), Buffer.of(0xff, 0xfe)])
  mkdirSync(folder)
  writeFileSync(Buffer.concat([folder, Buffer.from('/in.mp3')]), 'x')
  const found = look(music.path)
  const expected = [...odd, Buffer.from([0xff, 0xfe, ...Buffer.from('/in.mp3')])].map(
    (name) => `file ${pathText(name)}`,
  )
  assert.deepEqual(found.sort(), expected.sort())
})

test('links: inside they are followed once, out of the folder and in circles they are refused', async () => {
  await using music = await makeMusicFolder()
  await music.write('real/song.mp3', 'x')
  await music.write('../outside/secret.mp3', 'x')
  const link = (target: string, name: string) => symlink(target, join(music.path, name))
  await link('real', 'again')
  await link('real/song.mp3', 'song.mp3')
  await link('../outside', 'out')
  await link('../outside/secret.mp3', 'secret.mp3')
  await link('/dev/zero', 'zero.mp3')
  await link('nowhere', 'broken')
  await link('.', 'self')
  await link('..', 'real/up')
  await link('self-loop', 'self-loop')
  assert.deepEqual(look(music.path).sort(), [
    'LINK_CIRCLE again/up',
    'LINK_CIRCLE real/up',
    'LINK_CIRCLE self',
    'LINK_OUTSIDE broken',
    'LINK_OUTSIDE out',
    'LINK_OUTSIDE secret.mp3',
    'LINK_OUTSIDE self-loop',
    'LINK_OUTSIDE zero.mp3',
    'file again/song.mp3',
    'file real/song.mp3',
    'file song.mp3',
  ])
})

test('folders full of links to each other come to an end', async () => {
  await using music = await makeMusicFolder()
  const names = Array.from({ length: 12 }, (_, at) => `f${at}`)
  for (const name of names) await music.write(`${name}/song.mp3`, 'x')
  for (const name of names)
    for (const other of names) symlinkSync(`../${other}`, join(music.path, name, `to-${other}`))
  const found = look(music.path)
  assert.equal(found.filter((event) => event.startsWith('file')).length, 12 + 12 * 11)
})

test('FIFOs, sockets and folders with the name of a song are never opened', async () => {
  await using music = await makeMusicFolder()
  execFileSync('mkfifo', [join(music.path, 'fifo.mp3')])
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(music.path, 'socket.mp3'), resolve))
  await mkdir(join(music.path, 'folder.mp3'))
  assert.deepEqual(look(music.path), [])
  await new Promise((resolve) => server.close(resolve))
})

test('paths that nobody can open are named; those up to the limit are files', async () => {
  await using music = await makeMusicFolder()
  const name = 'n'.repeat(200)
  let depth = music.path
  while (depth.length + 201 < 4_095) {
    depth = `${depth}/${name}`
    mkdirSync(depth)
  }
  const rest = 4_095 - depth.length - 1
  writeFileSync(`${depth}/${'f'.repeat(rest - 4)}.mp3`, 'x')
  // Beyond the limit a path can only be made from within.
  const script = `const fs = require('node:fs')
    for (let at = 0; at < 3; at++) {
      fs.mkdirSync('d'.repeat(200))
      process.chdir('d'.repeat(200))
    }
    fs.writeFileSync('deep.mp3', '')`
  execFileSync(process.execPath, ['-e', script], { cwd: depth })
  const found = look(music.path)
  assert.equal(found.length, 2)
  assert.match(found[0] ?? '', /^PATH_TOO_LONG /)
  assert.match(found[1] ?? '', /^file .*f\.mp3$/)
  execFileSync('rm', ['-rf', join(music.path, name)])
})

test('what may not be read is a problem, and its files are not taken for gone', async () => {
  await using music = await makeMusicFolder()
  await music.write('a/gone-soon.mp3', 'x')
  await music.write('locked/song.mp3', 'x')
  await music.write('z.mp3', 'x')
  rmSync(join(music.path, 'a/gone-soon.mp3'))
  const locked = join(music.path, 'locked')
  chmodSync(locked, 0)
  chmodSync(join(music.path, '..'), 0o755)
  const known = ['a/gone-soon.mp3', 'locked/song.mp3', 'z.mp3']
  const found = withoutPrivileges(() => look(music.path, known))
  chmodSync(locked, 0o755)
  assert.deepEqual(found, ['FILE_UNREADABLE locked', 'vanished a/gone-soon.mp3', 'file z.mp3'])
})

/** The superuser reads everything: for a moment this is nobody. */
function withoutPrivileges<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run()
  process.seteuid?.(65_534)
  try {
    return run()
  } finally {
    process.seteuid?.(0)
  }
}

test('a root that goes away during the walk is gone, not empty', async () => {
  await using music = await makeMusicFolder()
  await music.write('a/x.mp3', 'x')
  await music.write('b/y.mp3', 'x')
  const events = walk(
    { root: music.path, folders: [''], full: false, seen: () => {} },
    knownFiles(['a/x.mp3', 'b/y.mp3', 'c/z.mp3']),
  )
  const found: string[] = []
  for (const event of events) {
    found.push(said(event))
    if (found.length === 1) rmSync(music.path, { recursive: true })
  }
  assert.equal(found.at(-1), 'LIBRARY_GONE ')
})

test('the picture of a folder is the one with the usual name, or the only one', () => {
  assert.equal(chooseCover(['x.jpg', 'Front.PNG', 'folder.webp']), 'folder.webp')
  assert.equal(chooseCover(['COVER.JPEG', 'folder.jpg']), 'COVER.JPEG')
  assert.equal(chooseCover(['scan.gif', 'a.mp3']), 'scan.gif')
  assert.equal(chooseCover(['one.jpg', 'two.jpg']), undefined)
  const names = new Map([
    ['song.txt', 'Song.txt'],
    ['song.lrc', 'SONG.lrc'],
  ])
  assert.equal(chooseLyrics('Song.mp3', names), 'SONG.lrc')
  assert.equal(chooseLyrics('Other.mp3', names), undefined)
})
