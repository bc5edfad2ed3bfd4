import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { albumParts } from '../../src/catalog/facts.ts'
import { openIndex } from '../../src/index/index.ts'
import type { AlbumPart, Track } from '../../src/protocol/facts/catalog.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'

/** Milliseconds from the opening of an index until it has caught up, and those of the processor. */
export interface Away {
  readonly wallMs: number
  readonly processorMs: number
}

export type Aways = Readonly<Record<keyof typeof changes, Away>>

/** What happened to a thousand albums, each in a fact, while a node was away. Goal: a second. */
const changes = {
  'a song retitled': (track: Track, at: number): Track =>
    at === 0 ? { ...track, tags: { ...track.tags, title: `${track.tags.title} again` } } : track,
  'a file hashed': (track: Track, at: number): Track => (at === 0 ? hashed(track) : track),
  'all files hashed': hashed,
  'all retagged': (track: Track): Track => ({
    ...track,
    updatedAt: track.updatedAt + 1,
    tags: {
      ...track.tags,
      title: `${track.tags.title} anew`,
      album: `${track.tags.album} anew`,
      genres: ['Rock'],
    },
  }),
}
const albums = 1_000

function hashed(track: Track): Track {
  return { ...track, blob: [...(track.blob ?? '0'.repeat(64))].reverse().join('') }
}

/** On copies, in the folder of the store and of an index that has been built: `node away.ts <folder>`. */
const [folder = ''] = process.argv.slice(2)
const copies = { store: join(folder, 'away-store.db'), index: join(folder, 'away-index.db') }
const projections = ['catalog/index', 'listening'].map(
  (role) => new URL(`../../src/${role}/projection.ts`, import.meta.url),
)
const remove = () => {
  for (const path of Object.values(copies)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  }
}

remove()
copyFileSync(join(folder, 'store.db'), copies.store)
copyFileSync(join(folder, 'index.db'), copies.index)
const aways: [string, Away][] = []
for (const [name, change] of Object.entries(changes)) aways.push([name, await measure(change)])
remove()
console.log(JSON.stringify(Object.fromEntries(aways)))

async function measure(change: (track: Track, at: number) => Track): Promise<Away> {
  await using store = await openSqliteStore(copies.store)
  const revision = await changeAlbums(store, change)
  const start = performance.now()
  const cpu = process.cpuUsage()
  await using index = await openIndex({ path: copies.index, store, projections })
  while (index.revision < revision) await pause(1)
  const { user, system } = process.cpuUsage(cpu)
  return {
    wallMs: Math.round(performance.now() - start),
    processorMs: Math.round((user + system) / 1_000),
  }
}

async function changeAlbums(store: Store, change: (track: Track, at: number) => Track): Promise<number> {
  let revision = 0
  let left = albums
  for await (const { id, value, revision: read } of albumParts.walk(store)) {
    const part: AlbumPart = { ...value, tracks: value.tracks.map(change) }
    const outcome = await store.commit(albumParts.replace(id, read, part))
    revision = outcome.revision
    left -= 1
    if (left === 0) break
  }
  return revision
}
