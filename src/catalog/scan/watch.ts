import { type FSWatcher, watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setImmediate as breathe } from 'node:timers/promises'
import { isHiddenName } from './names.ts'
import { pathBytes, pathText } from './path.ts'

/** Hears of changes in a music folder soon after they happen. */
export interface FolderWatch extends AsyncDisposable {
  /** Settles when all folders that can be watched are. */
  readonly ready: Promise<void>
  /** Whether changes may be missed, for there are more folders than the system lets us watch: scan now and then. */
  readonly isPartial: boolean
}

export interface FolderWatchOptions {
  /** Absolute, in the text form of `path.ts`. */
  readonly root: string
  /** Told of the folders, relative to the root, in which something has changed, once nothing changes any more. */
  readonly changed: (folders: readonly string[]) => void
  /** How long nothing must change: a file that is being copied in is read when it is whole. */
  readonly quietMs: number
  /** How long changes may go on until they are told all the same. */
  readonly patienceMs: number
}

/** Each watched folder takes about a kilobyte here, and one of the system's inotify watches (8,192 on small systems). */
const mostFolders = 20_000

/**
 * Watches every folder below the root, one by one: recursive watching in Node walks the whole tree on the main thread,
 * and looks at every file in it. Folders on network disks tell nothing of what others change there.
 */
export function watchFolder({ root, changed, quietMs, patienceMs }: FolderWatchOptions): FolderWatch {
  const watchers = new Map<string, FSWatcher>()
  const dirty = new Set<string>()
  let isPartial = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let dirtySince = 0

  function mark(folder: string) {
    if (closed) return
    if (dirty.size === 0) dirtySince = performance.now()
    dirty.add(folder)
    clearTimeout(timer)
    const patience = dirtySince + patienceMs - performance.now()
    timer = setTimeout(tell, Math.max(0, Math.min(quietMs, patience)))
  }

  async function tell() {
    const folders = [...dirty]
    dirty.clear()
    for (const folder of folders) await add(folder)
    if (!closed) changed(folders)
  }

  /** Watches the folder and those below it that are not watched yet. */
  async function add(start: string) {
    const waiting = [start]
    for (let folder = waiting.pop(); folder !== undefined && !closed; folder = waiting.pop()) {
      if (!watchers.has(folder) && !begin(folder)) continue
      for (const name of await foldersIn(absolute(folder))) {
        const below = folder === '' ? name : `${folder}/${name}`
        if (folder === start || !watchers.has(below)) waiting.push(below)
      }
      await breathe()
    }
  }

  function begin(folder: string): boolean {
    if (watchers.size >= mostFolders) {
      isPartial = true
      return false
    }
    try {
      const watcher = watch(pathBytes(absolute(folder)), { persistent: false })
      watcher.on('change', () => mark(folder))
      watcher.on('error', () => end(folder))
      watchers.set(folder, watcher)
      return true
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      // ENOSPC: the user's inotify watches are used up. A folder that has gone needs no watching.
      if (code !== 'ENOENT' && code !== 'ENOTDIR') isPartial = true
      return false
    }
  }

  function end(folder: string) {
    watchers.get(folder)?.close()
    watchers.delete(folder)
    mark(folder)
  }

  function absolute(folder: string) {
    return folder === '' ? root : `${root}/${folder}`
  }

  return {
    ready: add(''),
    get isPartial() {
      return isPartial
    },
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(timer)
      for (const watcher of watchers.values()) watcher.close()
      watchers.clear()
    },
  }
}

async function foldersIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(pathBytes(path), { withFileTypes: true, encoding: 'buffer' })
    const names = entries.flatMap((entry) => (entry.isDirectory() ? [pathText(entry.name)] : []))
    return names.filter((name) => !isHiddenName(name))
  } catch {
    // It has gone, or may not be read: the scan says so.
    return []
  }
}
