import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { openIndex } from '../../src/index/index.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'

export interface Built {
  readonly tracks: number
  readonly albums: number
  readonly seconds: number
  /** Goal: 10,000. */
  readonly tracksPerSecond: number
  /** The same by processor time of all processes, which other work on the machine changes less. */
  readonly tracksPerCpuSecond: number
  /** For comparison: the same facts, read in the same way and put into a table without any index. */
  readonly bareSeconds: number
  readonly indexMegabytes: number
  readonly storeMegabytes: number
}

/** Builds the index of a store from nothing, and says how long it took: `node build.ts <folder>`. */
const [folder = ''] = process.argv.slice(2)
const path = join(folder, 'index.db')
for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })

let built: Omit<Built, 'indexMegabytes' | 'storeMegabytes'>
{
  await using store = await openSqliteStore(join(folder, 'store.db'))
  const start = performance.now()
  const cpu = processorSeconds()
  const projections = ['catalog/index', 'listening'].map(
    (role) => new URL(`../../src/${role}/projection.ts`, import.meta.url),
  )
  await using index = await openIndex({ path, store, projections })
  while (index.progress.state !== 'following') await pause(20)
  const seconds = (performance.now() - start) / 1_000
  // The process that fills the index ends now: from then on its time is counted as that of a child.
  await pause(1_000)
  const used = processorSeconds() - cpu
  const count = (sql: string) => Number(index.db.prepare(sql).get()?.count)
  const tracks = count('SELECT count(*) AS count FROM track')
  built = {
    tracks,
    albums: count('SELECT count(*) AS count FROM album'),
    seconds: Math.round(seconds * 10) / 10,
    tracksPerSecond: Math.round(tracks / seconds),
    tracksPerCpuSecond: Math.round(tracks / used),
    bareSeconds: await putBare(store),
  }
}
const megabytes = (name: string) => Math.round(statSync(join(folder, name)).size / 1e6)
console.log(
  JSON.stringify({ ...built, indexMegabytes: megabytes('index.db'), storeMegabytes: megabytes('store.db') }),
)

async function putBare(store: Store): Promise<number> {
  const bare = join(folder, 'bare.db')
  rmSync(bare, { force: true })
  const start = performance.now()
  {
    using db = new DatabaseSync(bare)
    db.exec(
      'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE fact (key, value, revision); BEGIN',
    )
    const insert = db.prepare('INSERT INTO fact VALUES (?, ?, ?)')
    let after: string | undefined
    for (let more = true; more; ) {
      const page = await store.list('catalog/', { limit: 100, ...(after === undefined ? {} : { after }) })
      for (const { key, value, revision } of page.entries) insert.run(key, value, revision)
      after = page.entries.at(-1)?.key
      more = page.more
    }
    db.exec('COMMIT')
  }
  const seconds = (performance.now() - start) / 1_000
  rmSync(bare)
  return Math.round(seconds * 10) / 10
}

/** Of this process and of its children that have ended. */
function processorSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(ticks[field]), 0) / 100
}
