import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openDiskBlobs } from '../../src/blobs/disk.ts'
import { createScanner } from '../../src/catalog/scan/scanner.ts'
import { createFileReader } from '../../src/catalog/tags/read-file.ts'
import { openTestCatalog } from '../../test/fixtures/catalog.ts'
import { makeCollection, makeMusicFolder } from '../../test/fixtures/make.ts'

/** How fast is a folder of music in the catalog, and how fast is it seen that nothing has changed? See README.md. */
const { values } = parseArgs({ options: { files: { type: 'string', default: '10000' } } })
const count = Number(values.files)

await using music = await makeMusicFolder()
const making = await timed(() => makeCollection(music, count))
const paths = filesBelow(music.path)

// The kernel has just written the files, so all of this is with a warm cache, for the baselines and for us.
const baselines = {
  'walk, lstat and 64 KiB of each file, one thread, files/s': rate(timedSync(() => readStarts(music.path))),
  'walk and lstat, one thread, files/s': rate(
    timedSync(() => filesBelow(music.path).map((path) => lstatSync(path))),
  ),
  'tags alone, one thread, files/s': rate(timedSync(() => readTags(paths))),
}

await using catalog = await openTestCatalog()
await catalog.addLibrary(music.path)
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const first = await timed(() => catalog.scanner.scan())
delay.disable()
const tracks = await catalog.tracks()
if (tracks.length !== count) throw new Error(`${tracks.length} tracks of ${count} files`)
const firstDelay = { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }

const rescans = []
for (let round = 0; round < 3; round++) rescans.push(await timed(() => catalog.scanner.scan()))
const rescan = Math.min(...rescans)
const full = await timed(() => catalog.scanner.scan({ full: true }))
const hashing = await timed(hashAll)

const answer = {
  question: 'scan',
  at: new Date().toISOString(),
  machine: { cpus: cpus().length, model: cpus()[0]?.model, memory: totalmem(), node: process.version },
  files: count,
  firstScan: { ms: first, tracksPerSecond: rate(first), goal: 2_000 },
  rescan: { ms: rescan, filesPerSecond: rate(rescan), timesFirst: first / rescan, goal: 20 },
  fullRescan: { ms: full, tracksPerSecond: rate(full) },
  hashing: { ms: hashing, filesPerSecond: rate(hashing) },
  eventLoopDelayMs: { ...firstDelay, goal: 20 },
  baselines,
  making: { ms: making },
}

console.table({
  'first scan, tracks/s to playable (goal 2,000)': rate(first),
  'rescan of the same, files/s': rate(rescan),
  'rescan, times the first scan (goal 20)': Math.round((first / rescan) * 10) / 10,
  'full rescan, tracks/s': rate(full),
  'reading whole (SHA-256) and writing that down, files/s': rate(hashing),
  'event-loop delay in the first scan, p99 ms (goal 20)': Math.round(firstDelay.p99 * 10) / 10,
  ...baselines,
})
await writeFile(join(import.meta.dirname, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)

/** Reads everything whole, as it happens at leisure after a scan. */
async function hashAll() {
  const options = { cacheBytes: 1_048_576, otherCopies: () => [], report: () => {} }
  await using blobs = await openDiskBlobs(catalog.folder, options)
  const finished = Promise.withResolvers<void>()
  const hashing = {
    inPlace: blobs.inPlace,
    bytesPerSecond: 1e10,
    onError: finished.reject,
  }
  await using scanner = createScanner({ ...catalog, hashing })
  let begun = false
  scanner.subscribe(({ phase, unhashed }) => {
    begun ||= phase === 'hashing'
    if (begun && phase === 'idle' && unhashed === 0) finished.resolve()
  })
  await scanner.scan()
  await finished.promise
}

function rate(ms: number): number {
  return Math.round(count / (ms / 1_000))
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await run()
  return performance.now() - startedAt
}

function timedSync(run: () => unknown): number {
  const startedAt = performance.now()
  run()
  return performance.now() - startedAt
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

function readStarts(folder: string) {
  const buffer = new Uint8Array(65_536)
  for (const path of filesBelow(folder)) {
    lstatSync(path)
    const descriptor = openSync(path, 'r')
    readSync(descriptor, buffer, 0, buffer.length, 0)
    closeSync(descriptor)
  }
}

function readTags(all: readonly string[]) {
  const reader = createFileReader()
  for (const path of all) {
    const reading = reader.readTags(path)
    if (!reading.ok) throw new Error(`${path}: ${reading.fault.code}`)
  }
}
