import { stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import { libraries } from '../facts.ts'
import { listLibraries } from '../libraries.ts'
import type { Places } from '../places.ts'
import { pathBytes } from './path.ts'
import type { Scanner } from './scan.ts'
import { type FolderWatch, watchFolder } from './watch.ts'

export interface FollowOptions {
  readonly store: Store
  readonly places: Pick<Places, 'isHere'>
  readonly scanner: Pick<Scanner, 'scan'>
  /** How often everything is compared, whatever the watching says: it hears nothing from network disks. */
  readonly rescanMs: number
  /** How often to look whether a library's disk has been mounted, or is away. */
  readonly lookMs: number
  /** How long a folder must be quiet before it is scanned. */
  readonly quietMs: number
  /** Told of scans that failed, which are tried again with the next change. */
  readonly onError: (error: unknown) => void
}

interface Watched {
  readonly watch: FolderWatch
  readonly root: string
  /** Of the folder that was there when the watching began. */
  readonly identity: string | undefined
}

/** How long a folder may go on changing before it is scanned all the same. */
const patienceMs = 60_000

/**
 * Keeps the catalog in step with the music folders until the signal ends it: scans everything at once, then each folder
 * in which something changes, each library that is added, and everything again from time to time.
 */
export async function followFolders(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { store, places, scanner, rescanMs, lookMs, quietMs, onError } = options
  const watches = new Map<Id, Watched>()

  const changed = new Map<Id, Set<string>>()

  async function scan(library?: Id, folders?: readonly string[]) {
    try {
      await scanner.scan({ library, folders }, signal)
    } catch (error) {
      if (!signal.aborted) onError(error)
    }
  }

  /** Scans the folders; what changes while that lasts is gathered and scanned in one go. */
  async function scanChanged(library: Id, folders: readonly string[]) {
    const waiting = changed.get(library)
    if (waiting) {
      for (const folder of folders) waiting.add(folder)
      return
    }
    const own = new Set(folders)
    changed.set(library, own)
    while (own.size > 0 && !signal.aborted) {
      const now = [...own]
      own.clear()
      await scan(library, now)
    }
    changed.delete(library)
  }

  /**
   * Watches what is a library now, and no more what is none. Answers libraries that are new, or whose folder is another
   * than before: its disk has been mounted, or is away.
   */
  async function settleWatches(): Promise<Id[]> {
    const present = (await listLibraries(store, signal)).filter(places.isHere)
    const roots = new Map(
      present.flatMap(({ id, path }) => (path === undefined ? [] : [[id, path] as const])),
    )
    for (const [id, { watch, root, identity }] of watches) {
      if (roots.get(id) === root && (await identityOf(root)) === identity) continue
      watches.delete(id)
      await watch[Symbol.asyncDispose]()
    }
    const added = [...roots].filter(([id]) => !watches.has(id))
    for (const [id, root] of added) {
      const identity = await identityOf(root)
      const tell = (folders: readonly string[]) => void scanChanged(id, folders)
      const watch = watchFolder({ root, changed: tell, quietMs, patienceMs })
      watches.set(id, { watch, root, identity })
    }
    return added.map(([id]) => id)
  }

  /** One at a time: the libraries may change while somebody looks for their disks. */
  let settling: Promise<unknown> = Promise.resolve()
  async function settle(): Promise<Id[]> {
    const mine = settling.then(settleWatches)
    settling = mine.catch(() => {})
    return await mine
  }

  async function follow(): Promise<void> {
    for (const id of await settle()) await scan(id)
  }

  async function followLibraries() {
    const { revision } = await store.status(signal)
    // Watching begins before the scan: nothing that changes meanwhile is missed.
    await settle()
    await scan()
    for await (const batch of store.watch(libraries.prefix, revision, signal)) {
      if (batch.changes.length > 0) await follow()
    }
  }

  async function lookForDisks() {
    for (;;) {
      await pause(lookMs, undefined, { signal, ref: false })
      await follow()
    }
  }

  async function rescanNowAndThen() {
    for (;;) {
      await pause(rescanMs, undefined, { signal, ref: false })
      await scan()
    }
  }

  try {
    await Promise.all([followLibraries(), lookForDisks(), rescanNowAndThen()])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    for (const { watch } of watches.values()) await watch[Symbol.asyncDispose]()
  }
}

/** What tells the folder from another one at the same path, as that of a mounted disk; undefined where there is none. */
async function identityOf(root: string): Promise<string | undefined> {
  return await stat(pathBytes(root)).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  )
}
