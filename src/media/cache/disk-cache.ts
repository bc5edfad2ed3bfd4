import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ByteRange } from '../serve/representation.ts'
import { type Draft, hexadecimal, openDraft } from './draft.ts'

/**
 * Files that can be made again, kept in a folder under a budget of bytes, the least recently used going first.
 *
 * A file's name says what it is: `<hash of the key>.<size>.<CRC-32>.<suffix>`, so there is no index that could be wrong:
 * at the start the folder is listed. A file is written under `tmp/` and renamed when it is complete; one that does not
 * match its name, after a power cut or by hand, is thrown away when it is first asked for, which is why nothing here
 * waits for the disk (fsync). The file's modification time is the time of its last use.
 */
export interface DiskCache extends AsyncDisposable {
  /** What is kept under `key`, held: it is not deleted before it is disposed of. null: nothing. */
  get(key: string): Promise<Kept | null>
  /** Begins a file. Nobody finds it before it is complete. Errors of the disk: DISK_FULL, DISK_READ_ONLY, DISK_FAILED. */
  create(key: string, suffix: string): Promise<Draft>
  status(): { bytes: number; entries: number; budget: number }
}

export interface Kept extends Disposable {
  readonly size: number
  /** A strong entity tag. */
  readonly etag: string
  open(range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array>
}

interface Entry {
  readonly name: string
  readonly size: number
  readonly crc: string
  usedAt: number
  holders: number
  /** The bytes have been compared with the name, by this process. */
  verified: boolean
}

const namePattern = /^([0-9a-f]{32})\.(\d{1,15})\.([0-9a-f]{8})\.[a-z0-9]{1,8}$/
const pieceSize = 256 * 1_024
/** How old the noted time of last use may be before it is noted again. */
const noteAfterMs = 60_000

export function openDiskCache(folder: string, budget: number): DiskCache {
  /** In the order of last use, the longest ago first. */
  const entries = new Map<string, Entry>()
  const drafts = new Set<Draft>()
  let bytes = 0
  /** Of drafts that are on their way to their place. */
  let reserved = 0
  // A folder that cannot be listed is an empty cache; writing to it then says what is wrong.
  const loaded = load().catch(() => {})

  async function load(): Promise<void> {
    await rm(join(folder, 'tmp'), { recursive: true, force: true })
    await mkdir(join(folder, 'tmp'), { recursive: true, mode: 0o700 })
    const found: [string, Entry][] = []
    for (const shard of await readdir(folder)) {
      if (!/^[0-9a-f]{2}$/.test(shard)) continue
      for (const name of await readdir(join(folder, shard)).catch(() => [])) {
        const [, hash, size, crc] = namePattern.exec(name) ?? []
        const usedAt = (await stat(join(folder, shard, name)).catch(() => null))?.mtimeMs
        if (hash === undefined || crc === undefined || usedAt === undefined) continue
        found.push([hash, { name, size: Number(size), crc, usedAt, holders: 0, verified: false }])
      }
    }
    for (const [hash, entry] of found.sort(([, a], [, b]) => a.usedAt - b.usedAt)) insert(hash, entry)
    makeRoom(0)
  }

  function pathOf(name: string): string {
    return join(folder, name.slice(0, 2), name)
  }

  function insert(hash: string, entry: Entry): void {
    drop(hash)
    entries.set(hash, entry)
    bytes += entry.size
  }

  /** Forgets the entry and deletes its file. A reader that has it open reads on: the name goes, the bytes stay. */
  function drop(hash: string): void {
    const entry = entries.get(hash)
    if (entry === undefined) return
    entries.delete(hash)
    bytes -= entry.size
    void unlink(pathOf(entry.name)).catch(() => {})
  }

  /** Deletes what was used longest ago and nobody holds until `size` bytes fit; false where they do not. */
  function makeRoom(size: number): boolean {
    for (const [hash, entry] of entries) {
      if (bytes + reserved + drafting() + size <= budget) return true
      if (entry.holders === 0) drop(hash)
    }
    return bytes + reserved + size <= budget
  }

  function drafting(): number {
    let sum = 0
    for (const draft of drafts) sum += draft.size
    return sum
  }

  /** Gives a finished file its place, where there is room for it. */
  async function admit(hash: string, suffix: string, path: string, size: number, crc: string): Promise<void> {
    if (!makeRoom(size)) return
    const name = `${hash}.${size}.${crc}.${suffix}`
    reserved += size
    try {
      await mkdir(join(folder, name.slice(0, 2)), { recursive: true, mode: 0o700 })
      await rename(path, pathOf(name))
    } finally {
      reserved -= size
    }
    if (entries.get(hash)?.name === name) return
    insert(hash, { name, size, crc, usedAt: Date.now(), holders: 0, verified: true })
  }

  function note(hash: string, entry: Entry): void {
    entries.delete(hash)
    entries.set(hash, entry)
    const now = Date.now()
    if (now - entry.usedAt < noteAfterMs) return
    entry.usedAt = now
    void utimes(pathOf(entry.name), now / 1_000, now / 1_000).catch(() => {})
  }

  return {
    async get(key) {
      await loaded
      const hash = hashOf(key)
      const entry = entries.get(hash)
      if (entry === undefined) return null
      entry.holders += 1
      const handle = await openSound(pathOf(entry.name), entry)
      if (handle === null) {
        if (entries.get(hash) === entry) drop(hash)
        return null
      }
      note(hash, entry)
      return keep(handle, entry)
    },

    async create(key, suffix) {
      await loaded
      const draft = await openDraft(join(folder, 'tmp', randomUUID()), {
        grown: () => void makeRoom(0),
        finished: (path, size, crc) => admit(hashOf(key), suffix, path, size, crc),
        closed: () => void drafts.delete(draft),
      })
      drafts.add(draft)
      return draft
    },

    status: () => ({ bytes, entries: entries.size, budget }),

    async [Symbol.asyncDispose]() {
      await loaded
      await Promise.all([...drafts].map((draft) => draft.close()))
    },
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32)
}

/** Opens the entry's file, whose bytes are what its name says; null where they are not, or it is gone. */
async function openSound(path: string, entry: Entry): Promise<FileHandle | null> {
  const handle = await open(path, 'r').catch(() => null)
  if (handle === null || entry.verified) return handle
  let crc = 0
  let size = 0
  for await (const chunk of pieces(handle, { start: 0, end: entry.size + 1 })) {
    crc = crc32(chunk, crc)
    size += chunk.length
  }
  entry.verified = size === entry.size && hexadecimal(crc) === entry.crc
  if (entry.verified) return handle
  await handle.close()
  return null
}

function keep(handle: FileHandle, entry: Entry): Kept {
  let held = true
  let reading = 0
  const release = (): void => {
    if (held || reading > 0) return
    entry.holders -= 1
    void handle.close().catch(() => {})
  }
  return {
    size: entry.size,
    etag: `"${entry.name.slice(0, 32)}-${entry.crc}"`,
    async *open(range, signal) {
      if (!held) throw new Error('it has been disposed of')
      reading += 1
      try {
        for await (const chunk of pieces(handle, range)) {
          signal.throwIfAborted()
          yield chunk
        }
      } finally {
        reading -= 1
        release()
      }
    },
    [Symbol.dispose]() {
      if (!held) return
      held = false
      release()
    },
  }
}

/** One buffer, filled again for each piece. */
async function* pieces(handle: FileHandle, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(pieceSize, end - start))
  for (let position = start; position < end; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - position), position)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}
