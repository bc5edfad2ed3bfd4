import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { type MusicFolder, makeMusicFolder } from '../../../test/fixtures/make.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import { albumSummary, page, scanStatus, trackSummary } from '../../protocol/api/catalog.ts'
import { playlistDetail } from '../../protocol/api/listening.ts'
import { problemDocument } from '../../protocol/api/problem.ts'
import { openClient } from '../subsonic/testing/client.ts'
import { openTestGateway } from '../testing/gateway.ts'
import type { Visitor } from '../testing/visitor.ts'

const run = promisify(execFile)
const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const music = stack.use(await makeMusicFolder())
const vault = stack.use(await makeMusicFolder())
const edge = stack.use(await openTestGateway())
const { administrator } = edge

/** More than what a connection holds while nobody reads. */
const largeSize = 24 * 1_024 * 1_024

await fill(music, [
  ['twins/1.mp3', 'Twin', 1, 'Twins'],
  ['twins/2.mp3', 'Twin', 1, 'Twins'],
  ['twins/3.mp3', '../../¿夜/?', 12, 'Twins'],
  ['twins/4.mp3', 'Unnumbered', undefined, 'Twins'],
  ['large/2.mp3', 'Behind', 2, 'Large'],
  ['torn/1.mp3', 'Here', 1, 'Torn'],
  ['torn/2.mp3', 'Away', 2, 'Torn'],
  ['gone/1.mp3', 'Gone', 1, 'Gone'],
  ['lost/1.mp3', 'Lost', 1, 'Lost'],
])
await music.add('discs/1.flac', { title: 'A', artist: 'Ana', album: 'Discs', track: 1, disc: 1 })
await music.add('discs/2.flac', { title: 'A', artist: 'Ana', album: 'Discs', track: 1, disc: 2 })
await music.write('large/1.wav', silence({ IART: 'Ana', IPRD: 'Large', INAM: 'Large', IPRT: '1' }))
await fill(vault, [['secret.mp3', 'Secret', 1, 'Hidden']])
await administrator.post('/api/libraries', { path: music.path, name: 'Music' })
await administrator.post('/api/libraries', { path: vault.path, name: 'Vault', visibleTo: [] })
const byBea = { title: 'By Bea', artist: 'Bea', albumArtist: 'Ana', album: 'Guests', track: 1 }
await music.add('guests/1.mp3', byBea, { hertz: 700 })
await scanned(async () => (await albums(administrator)).size === 8)
const guest = await edge.person('guest')
const other = await edge.person('other')
const client = await openClient(edge.url, guest, 'guest')

async function fill(
  folder: MusicFolder,
  songs: readonly (readonly [path: string, title: string, track: number | undefined, album: string])[],
): Promise<void> {
  for (const [at, [path, title, track, album]] of songs.entries()) {
    const song = { title, artist: 'Ana', album, ...(track !== undefined && { track }) }
    await folder.add(path, song, { hertz: 300 + 20 * at })
  }
}

/** A WAV file of some minutes, with these tags. */
function silence(tags: Readonly<Record<string, string>>): Buffer {
  const chunk = (id: string, body: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(body.length)
    return Buffer.concat([Buffer.from(id), length, body])
  }
  const text = (value: string) =>
    Buffer.from(`${value}\0`.padEnd(2 * Math.ceil((value.length + 1) / 2), '\0'))
  const info = Object.entries(tags).map(([id, value]) => chunk(id, text(value)))
  const format = Buffer.from('01000200' + '44ac0000' + '10b10200' + '04001000', 'hex')
  return chunk(
    'RIFF',
    Buffer.concat([
      Buffer.from('WAVE'),
      chunk('fmt ', format),
      chunk('LIST', Buffer.concat([Buffer.from('INFO'), ...info])),
      chunk('data', Buffer.alloc(largeSize)),
    ]),
  )
}

async function scanned(condition: () => Promise<boolean>): Promise<void> {
  await administrator.post('/api/scan', {})
  const isIdle = async () =>
    scanStatus.parse((await administrator.get('/api/scan')).body).phase === 'idle' && (await condition())
  await waitFor(isIdle, { what: 'the music to be scanned' })
}

async function albums(visitor: Visitor): Promise<ReadonlyMap<string, string>> {
  const { items } = page(albumSummary).parse((await visitor.get('/api/albums')).body)
  return new Map(items.map(({ name, id }) => [name, id]))
}

async function songs(visitor: Visitor): Promise<ReadonlyMap<string, string>> {
  const { items } = page(trackSummary).parse((await visitor.get('/api/tracks')).body)
  return new Map(items.map(({ title, id }) => [title, id]))
}

async function albumAddress(name: string): Promise<string> {
  return `/api/albums/${(await albums(administrator)).get(name)}/download`
}

async function playlist(owner: Visitor, body: { name: string; tracks: unknown[]; sharedWith?: string }) {
  return playlistDetail.parse((await owner.post('/api/playlists', body)).body).id
}

/** What another program makes of a zip: the files by their paths. */
async function unpack(zip: Buffer): Promise<ReadonlyMap<string, Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-unpacked-'))
  try {
    await writeFile(join(folder, 'a.zip'), zip)
    await run('python3', ['-m', 'zipfile', '-t', join(folder, 'a.zip')])
    await run('python3', ['-m', 'zipfile', '-e', join(folder, 'a.zip'), join(folder, 'out')])
    const entries = await readdir(join(folder, 'out'), { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    const read = files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name)
      return [path.slice(join(folder, 'out/').length), await readFile(path)] as const
    })
    return new Map((await Promise.all(read)).sort(([a], [b]) => (a < b ? -1 : 1)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The files of the zip are, byte for byte, these of the music folder; of twins, each is one of them and no other. */
async function assertHolds(
  zip: Buffer,
  expected: Readonly<Record<string, string | readonly string[]>>,
): Promise<void> {
  const found = await unpack(zip)
  assert.deepEqual([...found.keys()].sort(), Object.keys(expected).sort())
  const left = new Set(Object.values(expected).flat())
  for (const [path, originals] of Object.entries(expected)) {
    const stored = await Promise.all(
      [originals].flat().map(async (name) => [name, await readFile(join(music.path, name))] as const),
    )
    const same = stored.find(([, bytes]) => found.get(path)?.equals(bytes))
    assert.ok(same, path)
    left.delete(same[0])
  }
  assert.deepEqual([...left], [])
}

const twins = {
  'Twins/01 - Twin.mp3': ['twins/1.mp3', 'twins/2.mp3'],
  'Twins/01 - Twin (2).mp3': ['twins/2.mp3', 'twins/1.mp3'],
  'Twins/12 - .._.._¿夜__.mp3': 'twins/3.mp3',
  'Twins/Unnumbered.mp3': 'twins/4.mp3',
}

test('an album comes as a zip of its songs, with its length, under its name', async () => {
  const answer = await guest.get(await albumAddress('Twins'))
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/zip')
  assert.equal(answer.headers.get('content-length'), String(answer.bytes.length))
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="Ana - Twins.zip"')
  await assertHolds(answer.bytes, twins)
  const head = await guest.fetch(await albumAddress('Twins'), { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), String(answer.bytes.length))
  const discs = await guest.get(await albumAddress('Discs'))
  const files = { 'Discs/1-01 - A.flac': 'discs/1.flac', 'Discs/2-01 - A.flac': 'discs/2.flac' }
  await assertHolds(discs.bytes, files)
})

test('apps that speak Subsonic get the same by any id', async () => {
  const album = (await albums(guest)).get('Twins') ?? ''
  const zip = await client.fetch('download', { id: album })
  assert.equal(zip.headers.get('content-type'), 'application/zip')
  assert.equal(zip.headers.get('access-control-allow-origin'), '*')
  await assertHolds(Buffer.from(await zip.arrayBuffer()), twins)
  const one = await client.fetch('download', { id: (await songs(guest)).get('Twin') ?? '' })
  assert.equal(one.headers.get('content-type'), 'audio/mpeg')
  await one.body?.cancel()
  for (const id of ['00000000-0000-4000-8000-000000000000', 'nonsense', '1']) {
    assert.equal(await client.refused('download', { id }), 70, id)
  }
})

test('an artist comes with a folder for each album, of theirs all songs', async () => {
  const { items } = page(albumSummary).parse((await guest.get('/api/albums')).body)
  const artist = items[0]?.artists[0]?.id ?? ''
  const [zip, asked] = await Promise.all([
    guest.get(`/api/artists/${artist}/download`),
    client.fetch('download', { id: artist }),
  ])
  assert.equal(asked.headers.get('content-length'), String(zip.bytes.length))
  await asked.body?.cancel()
  assert.equal(zip.headers.get('content-disposition'), 'attachment; filename="Ana.zip"')
  const found = [...(await unpack(zip.bytes)).keys()]
  assert.deepEqual([...new Set(found.map((path) => path.split('/')[0]))].sort(), [
    'Discs',
    'Gone',
    'Guests',
    'Large',
    'Lost',
    'Torn',
    'Twins',
  ])
  assert.equal(found.length, 13, 'and nothing of the hidden library')
})

test('a playlist comes in its order, without what is gone or not for who asks', async () => {
  const ids = await songs(administrator)
  const order = ['Lost', 'Secret', 'Unnumbered', 'Unnumbered']
  const tracks = order.map((title) => ids.get(title))
  const shared = await playlist(administrator, { name: 'Música 夜', tracks, sharedWith: 'everyone' })
  await rm(join(music.path, 'lost/1.mp3'))
  await scanned(async () => !(await albums(administrator)).has('Lost'))
  const zip = await guest.get(`/api/playlists/${shared}/download`)
  assert.equal(
    zip.headers.get('content-disposition'),
    `attachment; filename="M_sica _.zip"; filename*=UTF-8''M%C3%BAsica%20%E5%A4%9C.zip`,
  )
  const files = {
    'Música 夜/03 - Ana - Unnumbered.mp3': 'twins/4.mp3',
    'Música 夜/04 - Ana - Unnumbered.mp3': 'twins/4.mp3',
  }
  await assertHolds(zip.bytes, files)
  const asked = await client.fetch('download', { id: shared })
  await assertHolds(Buffer.from(await asked.arrayBuffer()), files)
})

test('what is not for the account is not there, and nobody gets an empty zip', async () => {
  const twin = (await songs(guest)).get('Twin')
  const theirs = await playlist(other, { name: 'Theirs', tracks: [twin] })
  const empty = await playlist(guest, { name: 'Empty', tracks: [] })
  const hidden = (await albums(administrator)).get('Hidden') ?? ''
  for (const path of [
    `/api/playlists/${theirs}/download`,
    `/api/playlists/${empty}/download`,
    `/api/albums/${hidden}/download`,
  ]) {
    const answer = await guest.get(path)
    assert.equal(answer.status, 404, path)
    assert.equal(answer.headers.get('content-length'), String(answer.bytes.length))
  }
  assert.equal(await client.refused('download', { id: theirs }), 50)
  assert.equal(await client.refused('download', { id: empty }), 70)
  assert.equal(await client.refused('download', { id: hidden }), 70)
  assert.equal((await administrator.get(`/api/albums/${hidden}/download`)).status, 200)
})

test('a song that cannot be read from the start is left out and named; where none can, that is said', async () => {
  await rm(join(music.path, 'torn/2.mp3'))
  const torn = await albumAddress('Torn')
  // A file that was open a moment ago still is.
  const found = await waitFor(
    async () => {
      const files = await unpack((await guest.get(torn)).bytes)
      return files.has('Not included.txt') ? files : false
    },
    { what: 'the file to be missed' },
  )
  assert.deepEqual([...found.keys()], ['Not included.txt', 'Torn/01 - Here.mp3'])
  const note = found.get('Not included.txt')?.toString() ?? ''
  assert.match(note, /\nTorn\/02 - Away\.mp3: The file/)
  assert.doesNotMatch(note, new RegExp(music.path))
  await rm(join(music.path, 'gone/1.mp3'))
  const gone = await albumAddress('Gone')
  const none = await waitFor(
    async () => {
      const answer = await guest.get(gone)
      return answer.status === 200 ? false : answer
    },
    { what: 'the file to be missed' },
  )
  assert.equal(problemDocument.parse(none.body).code, 'FILE_MISSING')
})

/** Begins a download and takes no more than its first piece. */
async function begin(address: string, visitor: Visitor) {
  const leaving = new AbortController()
  const headers = { authorization: `Bearer ${visitor.token}` }
  const response = await fetch(edge.url + address, { headers, signal: leaving.signal })
  const reader = response.body?.getReader()
  await reader?.read()
  return {
    status: response.status,
    leave: () => leaving.abort(),
    async rest(): Promise<number> {
      for (let length = 0; ; ) {
        const piece = await reader?.read()
        if (piece?.value === undefined) return length
        length += piece.value.length
      }
    },
  }
}

const nobodyIsServed = () =>
  waitFor(async () => /hocket_streams_active 0/.test(await (await fetch(`${edge.url}/metrics`)).text()), {
    what: 'all reading to end',
  })

test('an account takes three at a time, and who goes away ends the reading and gives up a place', async () => {
  const large = await albumAddress('Large')
  const three = [await begin(large, guest), await begin(large, guest), await begin(large, guest)]
  const refused = await guest.get(large)
  assert.equal(problemDocument.parse(refused.body).code, 'DOWNLOADS_BUSY')
  assert.equal(await client.refused('download', { id: (await albums(guest)).get('Large') ?? '' }), 0)
  const others = await begin(large, other)
  assert.equal(others.status, 200, 'it counts for each account')
  for (const each of [...three, others]) each.leave()
  await nobodyIsServed()
  assert.equal((await guest.get(await albumAddress('Twins'))).status, 200)
})

test('where a song cannot be read in the midst, the connection is cut and the log says which', async () => {
  const download = await begin(await albumAddress('Large'), guest)
  await rm(join(music.path, 'large/2.mp3'))
  const behind = `/api/tracks/${(await songs(guest)).get('Behind')}/audio`
  await waitFor(async () => (await guest.get(behind)).status !== 200, { what: 'the file to be missed' })
  await assert.rejects(download.rest(), /terminated|other side closed/)
  await nobodyIsServed()
  const line = edge
    .log()
    .split('\n')
    .find((each) => each.includes('a stream was cut'))
  assert.match(line ?? '', /"code":"FILE_MISSING","detail":"Large\/02 - Behind\.mp3/)
})
