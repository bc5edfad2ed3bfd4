import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createCatalog } from '../../src/catalog/catalog.ts'
import { openIndex } from '../../src/index/index.ts'
import { type AlbumOrder, albumQuery, artistQuery, trackQuery } from '../../src/protocol/api/catalog.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'

export interface Answers {
  readonly readyMs: number
  readonly megabytes: { readonly ready: number; readonly afterAll: number }
  readonly pages: Record<string, Times>
  readonly search: Record<string, Times>
  readonly baselines: Record<string, Times>
}

interface Times {
  readonly questions: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** Asks the catalog of a folder what people ask, as the gateway does: `node ask.ts <folder>`. */
const [folder = ''] = process.argv.slice(2)
const viewer = { user: '00000000-0000-4000-8000-0000000000aa', administrator: false }

const begin = performance.now()
await using store = await openSqliteStore(join(folder, 'store.db'))
const projections = ['catalog/index', 'listening'].map(
  (role) => new URL(`../../src/${role}/projection.ts`, import.meta.url),
)
await using index = await openIndex({ path: join(folder, 'index.db'), store, projections })
const catalog = createCatalog({ store, index })
while (index.progress.state !== 'following') await pause(5)
const { total: albumCount = 0 } = await catalog.albums(viewer, albumQuery.parse({}))
const readyMs = Math.round(performance.now() - begin)
const ready = residentMegabytes()
const { tracks: trackCount } = await catalog.counts(viewer)

const pages = {
  ...(await timePages(
    'albums',
    albumCount,
    ['name', 'artist', 'year', 'yearDescending', 'added', 'random'],
    (order, offset) => catalog.albums(viewer, albumQuery.parse({ order, offset, seed: 1 })),
  )),
  ...(await timePages('tracks', trackCount, ['title', 'added', 'random'], (order, offset) =>
    catalog.tracks(viewer, trackQuery.parse({ order, offset, seed: 1 })),
  )),
  'artists by name, any offset': await time(randomOffsets((await catalog.counts(viewer)).artists), (offset) =>
    catalog.artists(viewer, artistQuery.parse({ offset })),
  ),
  'albums by name, 200 pages by cursor': await walkPages(200),
}

const phrases = samplePhrases(250)
const typed = phrases.flatMap((phrase) =>
  Array.from({ length: Math.min(24, phrase.length) }, (_, at) => phrase.slice(0, at + 1)),
)
const look = (q: string) => catalog.search(viewer, { q, artists: 5, albums: 8, tracks: 20 })
const search = {
  'as typed, each letter of titles, artists and both (goal p50 5, p99 25)': await time(typed, look),
  'one letter': await time(
    typed.filter((q) => q.length === 1),
    look,
  ),
  'whole phrases with a typing error': await time(phrases.map(mistyped), look),
  'what is not there': await time(
    phrases.map((phrase) => `${[...phrase].reverse().join('')}`),
    look,
  ),
}

const { db } = index
const plain = {
  'a track by its key': await time(randomOffsets(trackCount), async (id) =>
    db.prepare('SELECT * FROM track WHERE id = ?').get(id),
  ),
  'albums by ORDER BY name LIMIT 50 OFFSET': await time(
    randomOffsets(albumCount).slice(0, 10),
    async (offset) => db.prepare('SELECT * FROM album ORDER BY name LIMIT 50 OFFSET ?').all(offset),
  ),
  "tracks by title LIKE '%word%'": await time(phrases.slice(0, 5), async (phrase) =>
    db.prepare('SELECT * FROM track WHERE title LIKE ? LIMIT 20').all(`%${phrase.split(' ').at(-1)}%`),
  ),
}

const answers: Answers = {
  readyMs,
  megabytes: { ready, afterAll: residentMegabytes() },
  pages,
  search,
  baselines: plain,
}
console.log(JSON.stringify(answers))

async function timePages<Order extends string>(
  what: string,
  count: number,
  orders: readonly Order[],
  read: (order: Order, offset: number) => Promise<unknown>,
): Promise<Record<string, Times>> {
  const times: Record<string, Times> = {}
  for (const order of orders) {
    times[`${what} by ${order}, any offset`] = await time(randomOffsets(count), (offset) =>
      read(order, offset),
    )
  }
  return times
}

async function walkPages(count: number): Promise<Times> {
  let cursor: string | undefined
  return time(Array.from({ length: count }), async () => {
    const order: AlbumOrder = 'name'
    cursor = (await catalog.albums(viewer, albumQuery.parse({ order, cursor }))).next
  })
}

/** Offsets spread over a list, its first and last page among them. */
function randomOffsets(count: number): number[] {
  return [
    0,
    count - 50,
    ...Array.from({ length: 58 }, (_, at) => Math.floor((count * ((at * 37) % 58)) / 58)),
  ].map((at) => Math.max(0, at))
}

/** Titles, artists, and both, of tracks spread over the catalog. */
function samplePhrases(count: number): string[] {
  const read = index.db.prepare(
    `SELECT title, artist.name FROM track JOIN credit ON credit.track = track.id AND credit.role = 1
     JOIN artist ON artist.id = credit.artist WHERE track.id = ? LIMIT 1`,
  )
  return Array.from({ length: count }, (_, at) => {
    const row = read.get(1 + ((at * 7_919_321) % trackCount))
    const [title, name] = [String(row?.title), String(row?.name)]
    return (at % 4 === 0 ? name : at % 4 === 1 ? `${name} ${title}` : title).toLowerCase()
  })
}

/** The phrase with two letters exchanged, in the middle of its longest word. */
function mistyped(phrase: string): string {
  const longest = phrase.split(' ').reduce((most, word) => (word.length > most.length ? word : most), '')
  const at = Math.floor(longest.length / 2)
  const wrong =
    longest.slice(0, at - 1) + longest.slice(at, at + 1) + longest.slice(at - 1, at) + longest.slice(at + 1)
  return phrase.replace(longest, wrong)
}

/** Milliseconds that each question took, from asking to the answer on this thread. */
async function time<Question>(
  questions: readonly Question[],
  ask: (question: Question) => Promise<unknown>,
): Promise<Times> {
  const times: number[] = []
  for (const question of questions) {
    const start = performance.now()
    await ask(question)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) =>
    Math.round((times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0) * 100) / 100
  return { questions: times.length, p50: at(0.5), p99: at(0.99), most: at(1) }
}

function residentMegabytes(): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_024)
}
