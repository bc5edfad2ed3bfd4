import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { Sums } from './digest.ts'
import type { Shortcuts } from './shortcut.ts'

/** A file that is open for reading, and what was known of it when it was opened. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly path: string | Buffer
  readonly stats: Stats
  readonly sums: Sums | null
  /** Null where all bytes go through this process. */
  readonly shortcuts: Shortcuts | null
  /** When it was last seen that this is the file at its path, as `performance.now()`. */
  checkedAt: number
}

export interface Borrowed {
  readonly file: OpenFile
  /** Holds the file open until a matching `release`: once for the borrower, once for each read under way. */
  retain(): void
  release(): void
}

/**
 * Open files kept for the next reader: a listener asks for many ranges of one file, and opening it, with its sums,
 * costs more than reading a range. At most `capacity` files without readers stay open, each for about half a minute,
 * so that a disk can be unmounted.
 */
export interface Descriptors extends AsyncDisposable {
  /** The open file `key`, opened by `open` where it is not open yet. Release it. */
  borrow(key: string, open: () => Promise<OpenFile>): Promise<Borrowed>
  /** The next `borrow` opens it anew; readers that have it keep what they have. */
  forget(key: string): void
}

interface Entry {
  readonly opening: Promise<OpenFile>
  references: number
  usedAt: number
}

const idleMs = 30_000

export function createDescriptors(capacity: number): Descriptors {
  const entries = new Map<string, Entry>()
  const closing = new Set<Promise<void>>()
  const timer = setInterval(closeIdle, idleMs / 2).unref()

  function close(entry: Entry): void {
    const closed = entry.opening.then(
      ({ handle }) => handle.close(),
      () => {},
    )
    closing.add(closed)
    void closed.finally(() => closing.delete(closed))
  }

  function forget(key: string): void {
    const entry = entries.get(key)
    entries.delete(key)
    if (entry?.references === 0) close(entry)
  }

  function closeIdle(): void {
    const before = performance.now() - idleMs
    for (const [key, entry] of entries) if (entry.references === 0 && entry.usedAt < before) forget(key)
  }

  function release(key: string, entry: Entry): void {
    entry.references -= 1
    entry.usedAt = performance.now()
    if (entry.references > 0) return
    if (entries.get(key) !== entry) {
      close(entry)
      return
    }
    // A Map keeps the order of insertion: the first that nobody reads is the one not used for longest.
    entries.delete(key)
    entries.set(key, entry)
    if (entries.size <= capacity) return
    const oldest = entries.entries().find(([, { references }]) => references === 0)
    if (oldest) forget(oldest[0])
  }

  return {
    async borrow(key, open) {
      const entry = entries.get(key) ?? { opening: open(), references: 0, usedAt: 0 }
      entries.set(key, entry)
      entry.references += 1
      try {
        const file = await entry.opening
        return {
          file,
          retain: () => {
            entry.references += 1
          },
          release: () => release(key, entry),
        }
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key)
        throw error
      }
    },

    forget,

    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      for (const key of entries.keys()) forget(key)
      await Promise.all(closing)
    },
  }
}
