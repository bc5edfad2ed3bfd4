import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { PlacedFile } from '../blobs/blobs.ts'
import type { DiskBlobs } from '../blobs/disk.ts'
import { startScrub } from '../blobs/scrub.ts'
import type { Copies } from '../catalog/copies.ts'
import { listLibraries, reconcileLibraries } from '../catalog/libraries.ts'
import type { Places } from '../catalog/places.ts'
import { followFolders } from '../catalog/scan/follow.ts'
import { pathText } from '../catalog/scan/path.ts'
import type { Scanner } from '../catalog/scan/scan.ts'
import { createScanner } from '../catalog/scan/scanner.ts'
import type { TagReader } from '../catalog/tags/reader.ts'
import type { Index } from '../index/index.ts'
import { isCoded } from '../protocol/errors.ts'
import type { Id } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import type { Config } from './config.ts'
import { followDepartures } from './departures.ts'
import { blobsOfAllFacts } from './podcasts.ts'

export interface UpkeepOptions {
  readonly config: Pick<Config, 'data' | 'music' | 'roles'>
  readonly log: Logger
  readonly store: Store
  readonly index: Index
  readonly blobs: DiskBlobs
  readonly copies: Copies
  readonly places: Places
  /** Who we are in the cluster; null: alone. */
  readonly node: Id | null
  readonly tagReader: TagReader
}

/** What a node does of itself, besides answering. Disposing of it ends what runs and waits for that. */
export interface Upkeep extends AsyncDisposable {
  readonly scanner: Scanner
  /** Scans the folder of a file that is not what it was. */
  lookAgain(file: PlacedFile): void
  /** Shows on the page of problems what was found wrong with a file when it was used. */
  note(problem: Parameters<Scanner['note']>[0]): void
  /** Likewise, of a file of a music folder whose bytes are no longer those that were read. */
  noteDamage(file: Pick<PlacedFile, 'root' | 'path'>): void
  /** Starts the work. Called when the node answers: nothing of this may delay that. */
  begin(): void
}

const day = 24 * 3_600_000
/** How often everything is compared: watching hears nothing from network disks. */
const rescanMs = 3_600_000
/** How often to look for disks that were not mounted, or are no more. */
const lookMs = 10_000
/** A folder into which files are being copied is scanned once nothing changes in it any more. */
const quietMs = 2_000
/** What background reading takes of a disk: a sixth of what a slow one gives. */
const hashBytesPerSecond = 32 * 1024 * 1024
const scrubBytesPerSecond = 16 * 1024 * 1024
/** Every byte is read again within this time. */
const scrubPeriodMs = 30 * day
/** A blob is durable before its facts are: one that nothing refers to is deleted only after this time. */
const graceMs = day

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { config, log, store, index, blobs, copies, places, node, tagReader } = options
  const scans = config.roles.includes('catalog')
  const ending = new AbortController()
  const { signal } = ending
  const running = new Set<Promise<unknown>>()
  const scrubbing = new AsyncDisposableStack()
  const onError = (error: unknown) => log.error({ err: error }, 'upkeep met an error')
  const scanner = createScanner({
    store,
    index,
    places,
    reader: tagReader,
    hashing: {
      inPlace: blobs.inPlace,
      bytesPerSecond: hashBytesPerSecond,
      onError,
    },
  })

  async function addFolders(): Promise<void> {
    const failed = await reconcileLibraries(store, node, config.music, [config.data], signal)
    for (const { path, error } of failed) log.error({ path, code: error.code }, error.message)
  }

  /** A store that is away at the start comes back. */
  async function addAndFollow(): Promise<void> {
    for (;;) {
      try {
        await addFolders()
        return await followFolders({ store, places, scanner, rescanMs, lookMs, quietMs, onError }, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isCoded(error, 'UNREACHABLE') && !isCoded(error, 'TIMED_OUT')) throw error
        onError(error)
        await pause(lookMs, undefined, { signal, ref: false })
      }
    }
  }

  async function collectNowAndThen(): Promise<void> {
    for (;;) {
      await pause(day, undefined, { signal, ref: false })
      await collect()
    }
  }

  /** Deletes blobs that no fact refers to. The index only proposes: the facts themselves decide. */
  async function collect(): Promise<void> {
    await index.waitFor((await store.status(signal)).revision, signal)
    let inFacts: Promise<ReadonlySet<string>> | undefined
    const isReferenced = async (hash: string) => {
      if (copies.isReferenced(hash)) return true
      inFacts ??= blobsOfAllFacts(store, signal)
      return (await inFacts).has(hash)
    }
    const freed = await blobs.collect(isReferenced, graceMs, signal)
    if (freed.blobs > 0) log.info(freed, 'blobs that nothing refers to were deleted')
  }

  function run(work: () => Promise<unknown>): void {
    const done = work()
      .catch((error: unknown) => {
        if (!signal.aborted) onError(error)
      })
      .finally(() => running.delete(done))
    running.add(done)
  }

  const text = (one: string | Buffer) => (typeof one === 'string' ? one : pathText(one))

  async function libraryOf({ root }: Pick<PlacedFile, 'root'>) {
    const here = (await listLibraries(store, signal)).filter(places.isHere)
    return here.find((one) => one.path === text(root))
  }

  async function scanFolderOf(file: PlacedFile): Promise<void> {
    const library = await libraryOf(file)
    if (library === undefined) return
    const folder = dirname(text(file.path))
    await scanner.scan({ library: library.id, folders: [folder === '.' ? '' : folder] }, signal)
  }

  async function noteDamage(file: Pick<PlacedFile, 'root' | 'path'>): Promise<void> {
    const library = await libraryOf(file)
    if (library === undefined) return
    await scanner.note({ library: library.id, path: text(file.path), code: 'FILE_DECAYED' })
  }

  return {
    scanner,
    lookAgain(file) {
      if (scans) run(() => scanFolderOf(file))
    },
    note: (problem) => run(() => scanner.note(problem)),
    noteDamage: (file) => run(() => noteDamage(file)),
    begin() {
      if (scans) run(addAndFollow)
      run(collectNowAndThen)
      run(() => followDepartures(store, onError, signal))
      const scrub = startScrub({
        blobs,
        placedFiles: (after) => copies.hashedFiles(after),
        statePath: join(config.data, 'scrub.json'),
        periodMs: scrubPeriodMs,
        usualBytesPerSecond: scrubBytesPerSecond,
        onError,
      })
      scrubbing.use(scrub)
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new DOMException('the node is stopping', 'AbortError'))
      await scanner[Symbol.asyncDispose]()
      await scrubbing.disposeAsync()
      await Promise.all(running)
    },
  }
}
