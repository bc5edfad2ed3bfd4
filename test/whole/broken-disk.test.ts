import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { z } from 'zod'
import { scanStatus } from '../../src/protocol/api/catalog.ts'
import { problemDocument } from '../../src/protocol/api/problem.ts'
import { type ErrorCode, errorCodes } from '../../src/protocol/errors.ts'
import { makeMusicFolder } from '../fixtures/make.ts'
import { codesOf, problemsOf, tracksOf } from '../harness/catalog.ts'
import type { Answer, Client } from '../harness/client.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { runHocket, startNode } from '../harness/node.ts'
import { rescan, scanned } from '../harness/scan.ts'
import { smallDisk } from '../harness/small-disk.ts'
import { waitFor } from '../harness/wait.ts'

/** Data folders that cannot be written to, are not ours, or are damaged. */

const mebi = 1024 * 1024

test('[S4] [F1] a full disk: coded answers, music plays on, nothing acknowledged is lost, and room mends it', async () => {
  await using disk = await smallDisk(176)
  await using music = await makeMusicFolder()
  for (let at = 0; at < 5; at++) await music.add(`${at}.mp3`, { title: `song ${at}` }, { hertz: 300 + at })
  const data = join(disk.path, 'data')
  const names: string[] = []
  {
    await using node = await startNode({ data, music: [music.path] })
    const ada = await node.administrator()
    await scanned(ada)
    const [track] = await tracksOf(ada)
    assert.ok(track)
    const audio = () => ada.fetch(`/api/tracks/${track.id}/audio`)
    names.push(await makePlaylist(ada, 'before'))

    await disk.fill(32 * mebi)
    const upload = await ada.fetch('/api/uploads', uploadOf(10 * mebi))
    assert.equal(problemDocument.parse(await upload.json()).code, 'DISK_FULL')
    assert.equal(upload.status, errorCodes.DISK_FULL.status)
    names.push(await makePlaylist(ada, 'in the reserve'))

    await disk.fill()
    let refused: Answer | undefined
    for (let at = 0; at < 5_000 && refused === undefined; at++) {
      const answer = await ada.call('POST', '/api/playlists', playlist(`full ${at}`, 'x'.repeat(4_000)))
      if (answer.status === 201) names.push(`full ${at}`)
      else refused = answer
    }
    assert.ok(refused)
    assert.equal(problemDocument.parse(refused.body).code, 'DISK_FULL')
    assert.equal((await audio()).status, 200, 'music plays while the disk is full')
    assert.equal((await ada.get('/api/search?q=song')).status, 200)
    await music.add('late.mp3', { title: 'late' }, { hertz: 900 })
    await rescan(ada)
    const status = scanStatus.parse((await ada.get('/api/scan')).body)
    assert.match(status.error ?? '', /DISK_FULL|disk|full/i)
    process.kill(node.pid, 0)

    await disk.empty()
    await waitFor(async () => (await ada.call('POST', '/api/playlists', playlist('room'))).status === 201, {
      what: 'writes to work again',
    })
    names.push('room')
    await rescan(ada)
    assert.equal((await tracksOf(ada)).length, 6)
    assert.deepEqual(await namesOf(ada), [...names].sort())
    assert.equal(await node.stop(), 0)
  }
  await disk.fill()
  assertRefused(await runHocket(['up', '--data', data, '--port', '0']), 'DISK_FULL')
  const full = await runHocket(['doctor', '--data', data])
  assert.match(full.stdout, /^✗ The disk has .* left$[\s\S]*^\d to mend/m)
  await disk.setReadOnly(true)
  const readOnly = await runHocket(['doctor', '--data', data])
  assert.match(readOnly.stdout, /cannot be read and written\n +Mount its disk writable[\s\S]*^\d to mend/m)
  assertRefused(await runHocket(['up', '--data', data, '--port', '0']), 'DISK_READ_ONLY')
  assertRefused(await runHocket(['up', '--data', join(disk.path, 'new'), '--port', '0']), 'DISK_READ_ONLY')
  await disk.setReadOnly(false)
  assertRefused(await runHocket(['up', '--data', join(disk.path, 'new'), '--port', '0']), 'DISK_FULL')
  await disk.empty()
  await using node = await startNode({ data, music: [music.path] })
  assert.deepEqual(await namesOf(await node.administrator()), [...names].sort())
})

test('[S4] a data folder that is no folder, is in use, or whose port or settings cannot be used', async () => {
  await using folder = await temporaryFolder('data')
  const file = join(folder.path, 'file')
  await writeFile(file, 'not a folder')
  for (const data of [file, join(file, 'below')])
    assertRefused(await runHocket(['up', '--data', data, '--port', '0']), 'DATA_FOLDER_UNUSABLE')

  const missing = join(folder.path, 'no', 'music')
  await using node = await startNode({ data: join(folder.path, 'data'), music: [missing] })
  const ada = await node.administrator()
  await waitFor(async () => codesOf(await problemsOf(ada))[''] === 'LIBRARY_GONE', {
    what: 'the missing folder to stand on the page of problems',
  })
  await waitFor(() => /LIBRARY_GONE/.test(node.logs()) && node.logs().includes(missing), {
    what: 'the log to name it',
  })
  for (const command of ['status', 'doctor']) {
    const said = await runHocket([command, '--data', node.data])
    assert.match(said.stdout, command === 'status' ? /LIBRARY_GONE/ : /folder .*\/no\/music.* cannot be read/)
  }
  await using music = await makeMusicFolder()
  await music.add('late.mp3', { title: 'late' })
  await mkdir(dirname(missing))
  await rename(music.path, missing)
  await waitFor(async () => (await tracksOf(ada)).some(({ title }) => title === 'late'), {
    what: 'the folder to be found once it is there',
    deadline: 120_000,
  })

  const second = await runHocket(['up', '--data', node.data, '--port', '0'])
  assertRefused(second, 'DATA_FOLDER_IN_USE')
  assert.match(second.stderr, new RegExp(`\\b${node.pid}\\b`), 'it names the process that has it')
  assert.equal((await ada.get('/api/me')).status, 200, 'the first one goes on')

  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  assertRefused(await runHocket(['up', '--data', join(folder.path, 'other'), '--port', port]), 'PORT_IN_USE')
  taken.close()

  const wrong: ReadonlyArray<readonly [variable: string, value: string]> = [
    ['HOCKET_PORT', 'eighty'],
    ['HOCKET_PORT', '70000'],
    ['HOCKET_HOST', 'http://here'],
    ['HOCKET_UPLOAD_QUOTA', 'a lot'],
    ['HOCKET_ADMIN_PASSWORD', 'short'],
  ]
  for (const [variable, value] of wrong) {
    const refused = await runHocket(['up', '--data', join(folder.path, 'other')], {
      env: { [variable]: value },
    })
    assertRefused(refused, 'SETTING_INVALID')
    assert.match(refused.stderr, new RegExp(variable))
  }
})

test('[F3] [F5] [S4] a store that is newer or corrupt is left as it is; an index that is so is made again', async () => {
  await using music = await makeMusicFolder()
  for (let at = 0; at < 5; at++) await music.add(`${at}.mp3`, { title: `song ${at}` }, { hertz: 300 + at })
  await using data = await temporaryFolder('data')
  const [store, index] = ['store.db', 'index.db'].map((name) => join(data.path, name))
  assert.ok(store && index)
  const look = async () => {
    await using node = await startNode({ data: data.path, music: [music.path] })
    const ada = await node.administrator()
    await scanned(ada)
    const seen = { tracks: await tracksOf(ada), playlists: await namesOf(ada) }
    if (seen.playlists.length === 0) seen.playlists.push(await makePlaylist(ada, 'kept'))
    assert.equal(await node.stop(), 0)
    return seen
  }
  const before = await look()
  assert.equal(before.tracks.length, 5)

  await refusedUntouched(data.path, 'STORE_NEWER', () => setVersion(store, 99))
  setVersion(store, 1)
  const sound = await readFile(store)
  await refusedUntouched(data.path, 'STORE_CORRUPT', () =>
    writeFile(store, 'no database at all'.repeat(1_000)),
  )
  const scrambled = Buffer.from(sound)
  scrambled.fill(0xaa, 4_096)
  await refusedUntouched(data.path, 'STORE_CORRUPT', () => writeFile(store, scrambled))
  await refusedUntouched(data.path, 'STORE_CORRUPT', () => writeFile(store, ''))
  await writeFile(store, sound)

  const damages: ReadonlyArray<readonly [what: string, damage: () => unknown]> = [
    ['garbage', () => writeFile(index, 'garbage'.repeat(10_000))],
    ['half of it', async () => truncate(index, Math.floor((await stat(index)).size / 8_192) * 4_096)],
    ['rotten pages', () => rot(index)],
    [
      'from a newer version',
      () => exec(index, "UPDATE index_meta SET value = 'newer' WHERE name = 'fingerprint'"),
    ],
  ]
  for (const [what, damage] of damages) {
    await damage()
    assert.deepEqual(await look(), before, what)
  }
})

/** Nothing that is not ours to change is changed by a start that is refused. */
async function refusedUntouched(data: string, code: ErrorCode, damage: () => unknown): Promise<void> {
  await damage()
  const before = await digests(data)
  assertRefused(await runHocket(['up', '--data', data, '--port', '0']), code)
  assert.deepEqual(await digests(data), before)
}

async function digests(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith('lock.db') || name === 'running.json' || !(await stat(join(folder, name))).isFile())
      continue
    found[name] = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')
  }
  return found
}

function setVersion(path: string, version: number): void {
  exec(path, `PRAGMA user_version = ${version}`)
}

function exec(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

/** Leaves the header and the first table, and fills the rest with noise. */
async function rot(path: string): Promise<void> {
  const bytes = await readFile(path)
  bytes.fill(0x5a, 3 * 4_096)
  await writeFile(path, bytes)
  for (const suffix of ['-wal', '-shm']) await rm(path + suffix, { force: true })
}

function assertRefused(ran: { code: number | null; stdout: string; stderr: string }, code: ErrorCode): void {
  assert.equal(ran.code, 1, ran.stdout + ran.stderr)
  assert.match(ran.stderr, new RegExp(`\\(${code} in docs/errors.md\\)`))
  assert.ok(ran.stderr.includes(errorCodes[code].help))
  assert.doesNotMatch(ran.stderr, /^\s+at /m, 'a person is shown no stack')
}

async function makePlaylist(client: Client, name: string): Promise<string> {
  const answer = await client.call('POST', '/api/playlists', playlist(name))
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return name
}

function playlist(name: string, comment = '') {
  return { name, comment, sharedWith: 'nobody', tracks: [] }
}

async function namesOf(client: Client): Promise<string[]> {
  const { body } = await client.get('/api/playlists')
  return z
    .object({ items: z.array(z.object({ name: z.string() })) })
    .parse(body)
    .items.map(({ name }) => name)
    .sort()
}

function uploadOf(size: number): RequestInit {
  const headers = {
    'tus-resumable': '1.0.0',
    'upload-length': String(size),
    'upload-metadata': `filename ${Buffer.from('a.mp3').toString('base64')}`,
  }
  return { method: 'POST', headers }
}
