/**
 * How fast are the answers that Subsonic clients wait for, on a large library, over HTTP and from a whole node? See
 * README.md.
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { deviceMade } from '../../src/protocol/api/accounts.ts'
import { administrator, startNode } from '../../test/harness/node.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { machine } from '../streaming/machine.ts'
import { type Asker, createAsker, type Query, type Times } from './ask.ts'

const { values } = parseArgs({
  options: {
    tracks: { type: 'string', multiple: true, default: ['100000', '1000000'] },
    folder: { type: 'string' },
  },
})

/** Questions of each kind; the slowest of them is about the p99. */
const questions = 200
const page = 500

const item = z.object({ id: z.string() })
const albumsAnswer = z
  .object({ albumList2: z.object({ album: z.array(item.extend({ artistId: z.string() })) }) })
  .transform(({ albumList2 }) => albumList2)
const songsAnswer = z
  .object({ randomSongs: z.object({ song: z.array(item.extend({ title: z.string() })) }) })
  .transform(({ randomSongs }) => randomSongs)

const answers = []
for (const tracks of values.tracks) {
  // With --folder the data stays there, and is taken as it is the next time.
  const data = values.folder ? join(values.folder, tracks) : await mkdtemp(join(tmpdir(), 'hocket-bench-'))
  try {
    run('../catalog/fill.ts', data, tracks)
    run('prepare.ts', data)
    const answer = await measure(data, Number(tracks))
    console.log(`${tracks} tracks; MB of memory: ${JSON.stringify(answer.megabytes)}`)
    console.table(answer.times)
    answers.push(answer)
  } finally {
    if (!values.folder) await rm(data, { recursive: true, force: true })
  }
}
const goals = { p99: 25, emptySearchMs: 20, streamed: ['getArtists', 'getIndexes'] }
const answer = { at: new Date().toISOString(), machine: machine(), load: loadavg(), goals, answers }
await writeFile(join(import.meta.dirname, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)

async function measure(data: string, tracks: number) {
  await using node = await startNode({ data })
  // A folder of before may have an index of before, which is made anew first.
  const admin = await waitFor(() => node.administrator(), { what: 'the index', deadline: 900_000 })
  const { secret } = deviceMade.parse((await admin.call('POST', '/api/devices', { label: 'bench' })).body)
  const asker = createAsker(node, administrator.name, secret)
  const ready = memoryOf(node.pid)
  const counts = z
    .object({ albums: z.number(), artists: z.number() })
    .parse((await admin.get('/api/counts')).body)
  await listen(asker)
  const times = {
    ...(await search(asker, { tracks, ...counts })),
    ...(await albumLists(asker, counts.albums)),
    ...(await single(asker, tracks)),
  }
  const afterPages = memoryOf(node.pid)
  const streams = await streamed(asker)
  const bare = await timeBare()
  return {
    tracks,
    ...counts,
    megabytes: { ready, afterPages, afterAll: memoryOf(node.pid) },
    times: { ...times, ...streams, ...bare },
  }
}

/** Stars, ratings and plays, so that lists of them are not empty. */
async function listen(asker: Asker): Promise<void> {
  const { album } = await asker.read('getAlbumList2', { type: 'random', size: page }, albumsAnswer)
  await asker.time('star', [{ albumId: album.map(({ id }) => id) }])
  for (const [at, { id }] of album.entries()) {
    if (at % 5 === 0) await asker.time('setRating', [{ id, rating: 1 + (at % 3) }])
  }
  const { song } = await asker.read('getRandomSongs', { size: 100 }, songsAnswer)
  await asker.time('scrobble', [{ id: song.map(({ id }) => id) }])
}

async function search(asker: Asker, counts: { tracks: number; albums: number; artists: number }) {
  const none = { songCount: 0, albumCount: 0, artistCount: 0 }
  const songs = (query: string, f: string) =>
    offsets(counts.tracks).map((songOffset) => ({ ...none, query, songCount: page, songOffset, f }))
  const { song } = await asker.read('getRandomSongs', { size: questions }, songsAnswer)
  const words = song.map(({ title }) => ({ query: title }))
  return {
    'search3 "", 500 songs, any offset, JSON (goal 20)': await asker.time('search3', songs('', 'json')),
    'search3 %22%22, 500 songs, any offset, XML (goal 20)': await asker.time('search3', songs('""', 'xml')),
    'search3 "", 500 albums, any offset (goal 20)': await asker.time(
      'search3',
      offsets(counts.albums).map((albumOffset) => ({ ...none, query: '', albumCount: page, albumOffset })),
    ),
    'search3 "", 500 artists, any offset (goal 20)': await asker.time(
      'search3',
      offsets(counts.artists).map((artistOffset) => ({
        ...none,
        query: '',
        artistCount: page,
        artistOffset,
      })),
    ),
    'search3, titles': await asker.time('search3', words),
    'search3, one word, 500 songs from the 5,000th on': await asker.time(
      'search3',
      ['love', 'the', 'you', 'night', 'of'].map((query) => ({
        ...none,
        query,
        songCount: page,
        songOffset: 5_000,
      })),
    ),
  }
}

async function albumLists(asker: Asker, count: number) {
  const types: Query[] = [
    ...['random', 'newest', 'alphabeticalByName', 'alphabeticalByArtist'].map((type) => ({ type })),
    { type: 'byYear', fromYear: 1950, toYear: 2030 },
    { type: 'byYear', fromYear: 2030, toYear: 1950 },
  ]
  const times: Record<string, Times> = {}
  for (const type of types) {
    const queries = offsets(count).map((offset) => ({ ...type, size: page, offset }))
    times[`getAlbumList2 ${Object.values(type).join(' ')}, 500, any offset`] = await asker.time(
      'getAlbumList2',
      queries,
    )
  }
  const few: [Query, number][] = [
    ...['highest', 'frequent', 'recent', 'starred'].map((type): [Query, number] => [{ type }, 100]),
    [{ type: 'byGenre', genre: 'Rock' }, count / 10],
    [{ type: 'byYear', fromYear: 1999, toYear: 1999 }, count / 100],
  ]
  for (const [type, size] of few) {
    const queries = offsets(size).map((offset) => ({ ...type, size: page, offset }))
    times[`getAlbumList2 ${Object.values(type).join(' ')}`] = await asker.time('getAlbumList2', queries)
  }
  times['getAlbumList2 newest, 20'] = await asker.time(
    'getAlbumList2',
    offsets(count).map((offset) => ({ type: 'newest', size: 20, offset })),
  )
  return times
}

async function single(asker: Asker, tracks: number) {
  const { album } = await asker.read('getAlbumList2', { type: 'random', size: questions }, albumsAnswer)
  const { song } = await asker.read('getRandomSongs', { size: questions }, songsAnswer)
  const repeated = (query: Query) => Array.from({ length: questions }, () => query)
  return {
    'getRandomSongs, 500': await asker.time('getRandomSongs', repeated({ size: page })),
    'getRandomSongs, 500 of a genre': await asker.time(
      'getRandomSongs',
      repeated({ size: page, genre: 'Rock' }),
    ),
    'getRandomSongs, 20': await asker.time('getRandomSongs', repeated({ size: 20 })),
    'getSongsByGenre, 500, any offset': await asker.time(
      'getSongsByGenre',
      offsets(tracks / 10).map((offset) => ({ genre: 'Rock', count: page, offset })),
    ),
    getAlbum: await asker.time(
      'getAlbum',
      album.map(({ id }) => ({ id })),
    ),
    getArtist: await asker.time(
      'getArtist',
      album.map(({ artistId }) => ({ id: artistId })),
    ),
    getSong: await asker.time(
      'getSong',
      song.map(({ id }) => ({ id })),
    ),
    getGenres: await asker.time('getGenres', repeated({})),
    getStarred2: await asker.time('getStarred2', repeated({}).slice(0, 20)),
  }
}

/** The two that are as long as the library, and what someone else waits for meanwhile. */
async function streamed(asker: Asker) {
  const times: Record<string, Times> = {}
  for (const [endpoint, f] of [
    ['getArtists', 'json'],
    ['getArtists', 'xml'],
    ['getIndexes', 'json'],
  ] as const) {
    times[`${endpoint} ${f}`] = await asker.time(endpoint, [{ f }, { f }, { f }])
  }
  const streaming = asker.time('getArtists', [{}])
  times['20 albums while getArtists is sent'] = await asker.time(
    'getAlbumList2',
    Array.from({ length: 20 }, () => ({ type: 'random', size: 20 })),
  )
  await streaming
  return times
}

/** What the machine makes of as much work and as many bytes as a page has, without anything of ours. */
async function timeBare(): Promise<Record<string, Times>> {
  const [milliseconds, bytes] = ['8', '590000']
  const child = fork(join(import.meta.dirname, 'bare.ts'), [milliseconds, bytes])
  try {
    const [port] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
    const bare = createAsker(
      { baseUrl: `http://127.0.0.1:${z.int().parse(port)}`, pid: child.pid ?? 0 },
      '',
      '',
    )
    const asked = Array.from({ length: questions }, () => ({}))
    return { [`node:http alone, ${milliseconds} ms of work`]: await bare.time('bare', asked) }
  } finally {
    child.kill()
  }
}

/** Offsets spread over a list, its first and its last page among them. */
function offsets(count: number): number[] {
  const last = Math.max(0, Math.floor(count) - page)
  return Array.from({ length: questions }, (_, at) =>
    Math.floor((last * ((at * 37) % questions)) / (questions - 1)),
  )
}

/** Resident megabytes now, and at most so far. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024)
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

/** Each step is a process of its own, so that what it needs in memory is its own. */
function run(step: string, ...args: readonly string[]): void {
  execFileSync(process.execPath, [join(import.meta.dirname, step), ...args], { stdio: 'inherit' })
}
