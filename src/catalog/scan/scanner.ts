import { lstat } from 'node:fs/promises'
import type { Index } from '../../index/index.ts'
import type { ScanStatus } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import type { Drop } from '../changes.ts'
import { albumFolder } from '../identity.ts'
import { listLibraries } from '../libraries.ts'
import type { Places } from '../places.ts'
import { createRecords } from '../records.ts'
import type { Reading } from '../tags/messages.ts'
import type { TagReader } from '../tags/reader.ts'
import { caughtUp } from './caught-up.ts'
import { type DecayOptions, findDecay } from './decay.ts'
import { createHashing, type HashingOptions } from './hashing.ts'
import { hasChangedSince, isOfUse, noteInUse } from './in-use.ts'
import { createLookup, type KnownPlace } from './lookup.ts'
import type { FoundFile } from './messages.ts'
import { pathBytes } from './path.ts'
import { openProblemBook, type ProblemBook } from './problem-book.ts'
import { createProgress, type Progress } from './progress.ts'
import type { Scanner, ScanRequest } from './scan.ts'
import { type ReadFile, type Settling, settle } from './settle.ts'
import { createVanished } from './vanished.ts'
import { createWalker, type Walker } from './walker.ts'

export interface ScannerOptions {
  readonly store: Store
  readonly index: Index
  readonly places: Pick<Places, 'isHere' | 'files' | 'root'>
  readonly reader: TagReader
  /** Who walks the folders; absent: a walker of its own. */
  readonly walker?: Walker
  /** How files are read whole after a scan; absent: they are not. */
  readonly hashing?: Omit<HashingOptions, 'store' | 'index' | 'places' | 'isScanning' | 'isHeard'> & {
    readonly onError: (error: unknown) => void
  }
}

/** A batch is cut between folders at the first size, and anywhere at the second. */
const batchFiles = 400
const mostFiles = 2_000
/** Batches that are read ahead while the one before is written. */
const readAhead = 3

export function createScanner(options: ScannerOptions): Scanner {
  const { store, index, places } = options
  const ended = new DisposableStack()
  const walker = options.walker ?? ended.use(createWalker())
  const progress = createProgress()
  const closing = new AbortController()
  let isHeard = () => false
  const hashing =
    options.hashing && startHashing(options, options.hashing, progress, () => isHeard(), closing.signal)
  let last: Promise<unknown> = Promise.resolve()

  async function run(request: ScanRequest, signal: AbortSignal): Promise<ScanStatus> {
    progress.start()
    try {
      await caughtUp(index, (await store.status(signal)).revision, signal)
      const all = (await listLibraries(store, signal)).filter(places.isHere)
      const roots = new Map(all.flatMap(({ id, path }) => (path === undefined ? [] : [[id, path] as const])))
      for (const library of all) {
        if (request.library !== undefined && request.library !== library.id) continue
        const root = roots.get(library.id)
        if (root === undefined) continue
        await scanLibrary({ ...options, walker, progress, signal, request, library: library.id, root, roots })
      }
      return progress.finish()
    } catch (error) {
      progress.fail(error)
      throw error
    } finally {
      hashing?.wake()
    }
  }

  return {
    get status() {
      return progress.status
    },
    subscribe: progress.subscribe,
    async scan(request = {}, signal) {
      const either = AbortSignal.any([closing.signal, ...(signal ? [signal] : [])])
      const mine = last.then(() => run(request, either))
      last = mine.catch(() => {})
      return await mine
    },
    giveWayTo(listening) {
      isHeard = listening
    },
    async note(problem) {
      const mine = last.then(() => noteInUse(store, problem, closing.signal))
      last = mine.catch(() => {})
      await mine
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new DOMException('the scanner is closing', 'AbortError'))
      await last
      ended.dispose()
      await hashing?.ended
    },
  }
}

/** Hashes after each scan what is not hashed, giving way to scans and to whoever is busy. */
function startHashing(
  { store, index, places }: ScannerOptions,
  options: NonNullable<ScannerOptions['hashing']>,
  progress: Progress,
  isHeard: () => boolean,
  signal: AbortSignal,
) {
  const hashing = createHashing({
    ...options,
    store,
    index,
    places,
    isHeard,
    isScanning: () => !['idle', 'hashing'].includes(progress.status.phase),
  })
  let ended: Promise<void> = Promise.resolve()
  let isRunning = false
  let isWanted = false

  async function run() {
    try {
      while (isWanted) {
        isWanted = false
        await hashing.run(signal, (unhashed) => progress.hashing(unhashed))
      }
    } catch (error) {
      if (!signal.aborted) options.onError(error)
    } finally {
      isRunning = false
      progress.hashing(null)
    }
  }
  return {
    get ended() {
      return ended
    },
    wake() {
      isWanted = true
      if (isRunning || signal.aborted) return
      isRunning = true
      // It shows at once: between a scan and its hashing nobody shall believe that all is done.
      progress.hashing(progress.status.unhashed)
      ended = run()
    },
  }
}

interface LibraryScan extends ScannerOptions {
  readonly walker: Walker
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly request: ScanRequest
  readonly library: Id
  readonly root: string
  readonly roots: ReadonlyMap<Id, string>
}

/** Compares one library with the catalog: walks, reads what differs, and writes what follows from it. */
async function scanLibrary(scan: LibraryScan): Promise<void> {
  const { store, index, progress, signal, library, root, request } = scan
  const lookup = createLookup(index)
  const book = await openProblemBook(store, library, signal)
  const [first] = lookup.below(library, '', 1)
  const settling: Settling = {
    library,
    store,
    lookup,
    records: createRecords(store),
    roots: scan.roots,
    vanished: createVanished(lookup),
    isNew: first === undefined,
    folders: new Set(),
  }
  const writer = createWriter(scan, settling, book)
  const order = {
    library,
    root,
    folders: foldersOf(request),
    full: request.full ?? false,
    index: indexFile(index),
  }
  let gone = false
  let batch: FoundFile[] = []
  const before = progress.status.seen
  progress.phase('walking')

  for await (const { seen, events } of scan.walker.walk(order, signal)) {
    progress.set({ seen: before + seen })
    for (const event of events) {
      if (event.kind === 'problem') {
        book.find({
          path: event.path,
          code: event.code,
          ...(event.detail === undefined ? {} : { detail: event.detail }),
        })
        if (event.code === 'LIBRARY_GONE' && event.path === '') gone = true
      } else if (event.kind === 'vanished') {
        const place = lookup.at(library, event.path)
        if (place) settling.vanished.add(place)
      } else if (!isKnownFailure(book, event, order.full)) {
        if (isFull(batch, event)) {
          await writer.add(batch)
          batch = []
        }
        batch.push(event)
      }
    }
  }
  await writer.add(batch)
  await writer.end()

  progress.phase('removing')
  // A library of which everything is gone at once has lost its disk rather than its music.
  if (
    !gone &&
    progress.status.seen === before &&
    settling.vanished.size > 0 &&
    !order.full &&
    order.folders[0] === ''
  ) {
    book.find({ path: '', code: 'LIBRARY_GONE' })
    gone = true
  }
  if (!gone) await removeVanished(scan, settling)
  await closeProblems(scan, book)
  progress.add({ problems: book.count })
}

/** Reads batches ahead, and writes them one after another. */
function createWriter(scan: LibraryScan, settling: Settling, book: ProblemBook) {
  const { index, reader, progress, signal, root, hashing } = scan
  const verify: DecayOptions['verify'] =
    hashing && ((file) => hashing.inPlace.verify(file, { bytesPerSecond: hashing.bytesPerSecond, signal }))
  let tail: Promise<void> = Promise.resolve()
  let failed: unknown
  const waiting: Array<Promise<void>> = []

  async function write(batch: readonly FoundFile[], reading: Promise<Reading[]>, before: Promise<void>) {
    const readings = await reading
    await before
    const read = batch.flatMap((found, at) => {
      const reading = readings[at]
      return reading ? [{ found, reading }] : []
    })
    const decayed = await findDecay({ ...scan, lookup: settling.lookup, verify }, read, signal)
    const files = read.flatMap(({ found, reading }, at): ReadFile[] => {
      if (decayed[at]) noteDecay(book, found)
      else noteReading(book, found, reading)
      return reading.ok && !decayed[at] ? [{ found, reading }] : []
    })
    const settled = await settle(settling, files, signal)
    const revision = Math.max(await settling.records.apply(settled.changes, signal), await book.write(signal))
    progress.add({ read: batch.length, added: settled.added, changed: settled.changed, moved: settled.moved })
    // The next batch must see this one: it may hold copies of its files, or the rest of its folders.
    await caughtUp(index, revision, signal)
  }

  return {
    async add(batch: readonly FoundFile[]) {
      if (failed) throw failed
      if (batch.length === 0) return
      progress.phase('reading')
      progress.add({ toRead: batch.length })
      const reading = reader.readTags(
        batch.map(({ path }) => `${root}/${path}`),
        signal,
      )
      reading.catch(() => {})
      tail = write(batch, reading, tail)
      tail.catch((error: unknown) => {
        failed ??= error
      })
      waiting.push(tail)
      if (waiting.length > readAhead) await waiting.shift()
    },
    async end() {
      await tail
    },
  }
}

function isFull(batch: readonly FoundFile[], next: FoundFile): boolean {
  const last = batch.at(-1)
  if (batch.length < batchFiles || !last) return false
  return batch.length >= mostFiles || albumFolder(last.path) !== albumFolder(next.path)
}

/** What is wrong with the bytes themselves stays wrong while they are the same; what was wrong around them may pass. */
const ofContent = new Set([
  'FILE_EMPTY',
  'FILE_NOT_AUDIO',
  'FILE_DAMAGED',
  'FILE_ENCRYPTED',
  'TAGS_TOO_LARGE',
])

/** Whether the file is as it was when it could not be read. */
function isKnownFailure(book: ProblemBook, event: FoundFile, full: boolean): boolean {
  const problem = book.at(event.path)
  if (full || event.known || problem === undefined || !ofContent.has(problem.code)) return false
  return problem.size === event.size && problem.modifiedAt === event.modifiedAt
}

function noteReading(book: ProblemBook, found: FoundFile, reading: Reading) {
  const { path, size, modifiedAt } = found
  const fault = reading.ok ? reading.faults[0] : reading.fault
  if (!fault) {
    // What shows only when the file is used says nothing of whether it can be read: `closeProblems` looks at it.
    if (!isOfUse(book.at(path))) book.mend(path)
  }
  // A file that went away while it was on its way to be read is no problem: the next scan sees it gone.
  else if (fault.code !== 'FILE_MISSING') {
    const detail = fault.detail === undefined ? {} : { detail: fault.detail }
    book.find({ path, code: fault.code, ...detail, ...(reading.ok ? {} : { size, modifiedAt }) })
  }
}

/** The bytes are to be replaced: until the system says that somebody wrote to the file, see `closeProblems`. */
function noteDecay(book: ProblemBook, { path, size, modifiedAt }: FoundFile) {
  book.find({ path, code: 'FILE_DECAYED', size, modifiedAt })
}

/** Takes out the files that have not turned up elsewhere, after another look that they are really gone. */
async function removeVanished(scan: LibraryScan, { vanished, records, library }: Settling) {
  const { index, progress, root, signal } = scan
  const places = vanished.places()
  for (let at = 0; at < places.length; at += batchFiles) {
    const missing = await Promise.all(
      places.slice(at, at + batchFiles).map((place) => stillMissing(root, place)),
    )
    const drops = missing
      .flat()
      .map(
        (place): Drop => ({ kind: 'drop', track: place.track, library, path: place.path, from: place.album }),
      )
    // Without its root everything is missing.
    if (drops.length === 0 || !(await isThere(root))) continue
    const revision = await records.apply(drops, signal)
    progress.add({ removed: drops.length })
    await caughtUp(index, revision, signal)
  }
}

async function stillMissing(root: string, place: KnownPlace): Promise<KnownPlace[]> {
  return (await isThere(`${root}/${place.path}`)) ? [] : [place]
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(pathBytes(path))
    return true
  } catch (error) {
    return !(
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    )
  }
}

/** Codes that a walk finds again each time, unlike those of files, which are read only when they have changed. */
const ofWalk = new Set(['LIBRARY_GONE', 'PATH_TOO_LONG', 'LINK_OUTSIDE', 'LINK_CIRCLE', 'TOO_MANY_PROBLEMS'])

/** Problems that were not met again are mended, unless they are of a file that is still as it was. */
async function closeProblems({ request, root, index, signal }: LibraryScan, book: ProblemBook) {
  const folders = foldersOf(request)
  for (const problem of book.open()) {
    const { path, code, size } = problem
    const inScope = folders.some(
      (folder) => folder === '' || path === folder || path.startsWith(`${folder}/`),
    )
    if (!inScope) continue
    const ofFolder = code === 'FILE_UNREADABLE' && size === undefined
    const isMended = isOfUse(problem)
      ? await hasChangedSince(root, problem)
      : ofWalk.has(code) || ofFolder || !(await isThere(`${root}/${path}`))
    if (isMended) book.mend(path)
  }
  const revision = await book.write(signal)
  if (revision > 0) await caughtUp(index, revision, signal)
}

/** The folders of the request in the order of paths, without those that lie in another. */
function foldersOf({ folders }: ScanRequest): string[] {
  if (!folders || folders.includes('')) return ['']
  const sorted = [...new Set(folders)].sort((one, other) => (`${one}/` < `${other}/` ? -1 : 1))
  return sorted.filter(
    (folder) => !sorted.some((other) => other !== folder && folder.startsWith(`${other}/`)),
  )
}

function indexFile(index: Pick<Index, 'db'>): string {
  const path = index.db.location()
  if (path === null) throw new Error('the index is not in a file')
  return path
}
