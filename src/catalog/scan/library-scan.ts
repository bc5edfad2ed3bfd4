import type { Index } from '../../index/index.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import type { Drop } from '../changes.ts'
import { albumFolder } from '../identity.ts'
import type { Places } from '../places.ts'
import { createRecords } from '../records.ts'
import type { Reading } from '../tags/messages.ts'
import type { TagReader } from '../tags/reader.ts'
import { caughtUp } from './caught-up.ts'
import { type DecayOptions, findDecay } from './decay.ts'
import { closeProblems, isKnownFailure, noteDecay, noteReading } from './file-problems.ts'
import type { HashingOptions } from './hashing.ts'
import { createLookup, type KnownPlace } from './lookup.ts'
import type { FoundFile } from './messages.ts'
import { openProblemBook, type ProblemBook } from './problem-book.ts'
import type { Progress } from './progress.ts'
import type { ScanRequest } from './scan.ts'
import { type ReadFile, type Settling, settle } from './settle.ts'
import { isThere } from './there.ts'
import { createVanished } from './vanished.ts'
import type { Walker } from './walker.ts'

/** A batch is cut between folders at the first size, and anywhere at the second. */
const batchFiles = 400
const mostFiles = 2_000
/** Batches that are read ahead while the one before is written. */
const readAhead = 3

export interface LibraryScan {
  readonly store: Store
  readonly index: Index
  readonly places: Pick<Places, 'files'>
  readonly reader: TagReader
  readonly walker: Walker
  /** How a file is read whole that may have decayed; absent: it is not. */
  readonly hashing?: Pick<HashingOptions, 'inPlace' | 'bytesPerSecond'>
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly request: ScanRequest
  readonly library: Id
  readonly root: string
  /** Of all libraries that are here. */
  readonly roots: ReadonlyMap<Id, string>
}

/** Compares one library with the catalog: walks, reads what differs, and writes what follows from it. */
export async function scanLibrary(scan: LibraryScan): Promise<void> {
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
  await closeProblems(scan, foldersOf(request), book)
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
