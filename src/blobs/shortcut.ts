import { fstatSync, type Stats } from 'node:fs'
import { type FileHandle, statfs } from 'node:fs/promises'
import type { Shortcut } from './blobs.ts'
import { blockSize } from './digest.ts'
import { type Calls, loadCalls } from './sendfile.ts'

/** Knows which blocks of an open file may go from the system's memory to a socket without being read once more. */
export interface Shortcuts {
  /** The blocks `first` up to `end` of the file were read just now, and each matched its sum. */
  matched(first: number, end: number): void
  /** As `Copy.shortcut`. */
  take(offset: number, length: number): Shortcut | null
}

export interface ShortcutFile {
  readonly handle: FileHandle
  readonly path: string | Buffer
  /** As they were before any block was read. */
  readonly stats: Stats
}

/** Null where the file's bytes must all go through this process. */
export type OpenShortcuts = (file: ShortcutFile) => Promise<Shortcuts | null>

/** A block that matched is read and compared again after this long. In milliseconds, as everything here. */
const trustedMs = 30_000
/** Two changes may bear the same time, where a file system's clock is coarse: as long as that, and reading, may take. */
const settledMs = 2_000
/** A call that takes longer has waited for the disk, on the thread that serves everybody. */
const slowMs = 10

/**
 * File systems on disks of this machine, which answer for a file's times at once and keep what was read in the system's
 * memory: ext2 to ext4, XFS, Btrfs, F2FS, bcachefs, tmpfs, and overlays of those. Over a network either may take long.
 */
const localFileSystems: readonly number[] = [
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0xca451a4e, 0x01021994, 0x794c7630,
]

/**
 * What shortcuts need is loaded when the first file is opened, and nobody waits for it: it takes longer than a listener
 * should, and some megabytes that a node at rest can do without.
 */
export function prepareShortcuts(): OpenShortcuts {
  let asked = false
  let calls: Calls | null = null
  return async ({ handle, path, stats }) => {
    if (!asked) {
      void loadCalls().then((loaded) => {
        calls = loaded
      })
    }
    asked = true
    const { type } = await statfs(path)
    return localFileSystems.includes(type) ? createShortcuts(() => calls, handle.fd, stats) : null
  }
}

/**
 * A block that was read through this process and matched its sum lies in the system's memory; from there it may go to
 * others as it is, for a while, as long as nothing has touched the file since it was opened: any write shows in its
 * times, whoever sets them back afterwards.
 */
function createShortcuts(loaded: () => Calls | null, fd: number, stats: Stats): Shortcuts {
  const matchedAt = new Float64Array(Math.ceil(stats.size / blockSize)).fill(Number.NEGATIVE_INFINITY)
  let touched = false

  function isTouched(): boolean {
    if (touched) return true
    const now = fstatSync(fd)
    touched = now.size !== stats.size || now.mtimeMs !== stats.mtimeMs || now.ctimeMs !== stats.ctimeMs
    return touched
  }

  /** Where the trusted blocks that follow `offset` end; `offset` where there are none. */
  function trustedUntil(offset: number, end: number): number {
    const since = performance.now() - trustedMs
    let block = Math.floor(offset / blockSize)
    while (block * blockSize < end && (matchedAt[block] ?? Number.NEGATIVE_INFINITY) > since) block += 1
    return Math.max(offset, Math.min(block * blockSize, end))
  }

  return {
    matched(first, end) {
      if (Date.now() - stats.ctimeMs > settledMs) matchedAt.fill(performance.now(), first, end)
    },
    take(offset, length) {
      const calls = loaded()
      if (calls === null) return null
      const end = trustedUntil(offset, Math.min(offset + length, stats.size))
      if (end === offset || isTouched()) return null
      return (socket, head) => {
        const headSent = head === undefined ? 0 : Math.max(0, calls.send(socket, head))
        if (head !== undefined && headSent < head.length) return headSent
        const begin = performance.now()
        const sent = calls.sendfile(socket, fd, offset, end - offset)
        // They were not in memory any more: they had better be read beside this thread, and compared.
        if (performance.now() - begin > slowMs) matchedAt.fill(Number.NEGATIVE_INFINITY)
        return headSent + Math.max(0, sent)
      }
    },
  }
}
