import type { Index } from '../../index/index.ts'
import type { ScanStatus } from '../../protocol/api/catalog.ts'
import type { Store } from '../../store/store.ts'
import { listLibraries } from '../libraries.ts'
import type { Places } from '../places.ts'
import type { TagReader } from '../tags/reader.ts'
import { caughtUp } from './caught-up.ts'
import { createHashing, type HashingOptions } from './hashing.ts'
import { noteInUse } from './in-use.ts'
import { scanLibrary } from './library-scan.ts'
import { createProgress, type Progress } from './progress.ts'
import type { Scanner, ScanRequest } from './scan.ts'
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
