import { createReadStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { z } from 'zod'
import type { Blobs } from '../../blobs/blobs.ts'
import { openDiskBlobs } from '../../blobs/disk.ts'
import { diskError, hasErrorCode } from '../../blobs/disk-errors.ts'
import { syncFolder } from '../../blobs/durable.ts'
import { pathBytes } from '../../catalog/scan/path.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { blobHash } from '../../protocol/ids.ts'
import { describesCluster } from '../../registry/facts.ts'
import { limits } from '../../store/limits.ts'
import { isAboutMoving } from '../../store/move.ts'
import { openSqliteStore } from '../../store/sqlite.ts'
import type { Store, Write } from '../../store/store.ts'
import { bringLibrariesHome } from '../home.ts'
import { lockDataFolder } from '../lock.ts'
import { type ArchiveEntry, damaged, readArchive } from './archive.ts'
import { batch, type Ending, ending, type Manifest, manifest, names, type RecordBatch } from './format.ts'

export interface Restored {
  readonly manifest: Manifest
  readonly facts: number
  readonly blobs: number
  /** How many blobs the archive holds in damaged form; they are not restored. */
  readonly damagedBlobs: number
  /** How many it does not hold, because no machine that answered had them. */
  readonly missingBlobs: number
}

/**
 * Makes the instance that the archive `file` holds in the data folder, which must hold none yet. All or nothing: it is
 * built in a folder beside and moved into place at the end. `progress` is told how many bytes have been read.
 *
 * Throws BACKUP_UNREADABLE, BACKUP_DAMAGED, BACKUP_NEWER, DATA_FOLDER_NOT_EMPTY, and what `lockDataFolder` throws.
 */
export async function restore(
  file: string,
  data: string,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Restored> {
  using _lock = await lockDataFolder(data)
  await requireEmpty(data)
  const work = await mkdtemp(join(data, workPrefix))
  try {
    const restored = await build(file, work, progress, signal)
    for (const name of parts) await moveIntoPlace(join(work, name), join(data, name))
    await syncFolder(data)
    return restored
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) {
      throw damaged('a part of it does not have its form', error)
    }
    throw diskError(error)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** What a restore makes, the store last: where it stands, everything does. */
const parts = ['secrets', 'sums', 'blobs', 'store.db'] as const
const workPrefix = 'restore-'

/**
 * Throws DATA_FOLDER_NOT_EMPTY where the folder holds any part of an instance: blobs without a store may be the last
 * copies of what they are (B4). Only what an earlier restore left when it was killed is removed: it began in a folder
 * without any part, and its own work folder, which it would have removed last, is still there.
 */
async function requireEmpty(data: string): Promise<void> {
  const present = await readdir(data)
  const work = present.filter((name) => name.startsWith(workPrefix))
  const own = present.filter((name) => parts.some((part) => part === name))
  if (own.includes('store.db') || (own.length > 0 && work.length === 0)) {
    throw new CodedError('DATA_FOLDER_NOT_EMPTY', data)
  }
  for (const name of [...own, ...work]) await rm(join(data, name), { recursive: true, force: true })
}

async function moveIntoPlace(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    if (!hasErrorCode(error, 'ENOENT')) throw error
  })
}

async function build(
  file: string,
  work: string,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Restored> {
  await using entries = readArchive(bytesOf(file, progress, signal))
  const head = await entries.next()
  if (head.done) throw damaged('it is not whole')
  // Nothing is opened for what is no archive of ours.
  const found = await readManifest(head.value)
  await using store = await openSqliteStore(join(work, 'store.db'), { signal })
  await using blobs = await openDiskBlobs(work, { cacheBytes: 0, otherCopies: () => [], report: () => {} })
  const facts = createFactWriter(store, signal)
  let end: Ending | undefined
  let kept = 0
  let lost = 0
  for await (const entry of entries) {
    if (end !== undefined) {
      throw damaged('it goes on after its end')
    } else if (entry.path === names.ending) {
      end = ending.parse(JSON.parse((await whole(entry)).toString('utf8')))
    } else if (entry.path === `facts/${facts.batches}`) {
      await facts.apply(await readBatch(entry))
    } else if (entry.path.startsWith('secrets/')) {
      await keepSecret(work, entry)
    } else if (entry.path.startsWith('blobs/')) {
      if (await keepBlob(blobs, entry, signal)) kept += 1
      else lost += 1
    } else {
      throw damaged(`${JSON.stringify(entry.path)} is not a name that Hocket gives`)
    }
  }
  if (end === undefined || end.batches !== facts.batches || end.blobs !== kept + lost) {
    throw damaged('it is not whole')
  }
  await bringLibrariesHome(store, ({ path = '' }) => isFolder(path), signal)
  return {
    manifest: found,
    facts: await facts.count(),
    blobs: kept,
    damagedBlobs: lost,
    missingBlobs: end.missing.length,
  }
}

/** A music folder of some machine of a cluster is one of this machine's where it is found. */
async function isFolder(path: string): Promise<boolean> {
  const found = await stat(pathBytes(path)).catch(() => null)
  return found?.isDirectory() === true
}

async function* bytesOf(
  file: string,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let read = 0
  try {
    for await (const bytes of createReadStream(file, { highWaterMark: 262_144, signal })) {
      read += bytes.length
      progress(read)
      yield bytes
    }
  } catch (error) {
    signal.throwIfAborted()
    if (hasErrorCode(error, 'ENOENT', 'EACCES', 'EISDIR', 'EIO', 'ENOTDIR')) {
      throw new CodedError('BACKUP_UNREADABLE', error instanceof Error ? error.message : file, {
        cause: error,
      })
    }
    throw error
  }
}

async function readManifest(entry: ArchiveEntry): Promise<Manifest> {
  if (entry.path !== names.manifest) throw damaged('this is not an archive of Hocket')
  const content: unknown = JSON.parse((await whole(entry)).toString('utf8'))
  const { format } = z.object({ format: z.int() }).parse(content)
  if (format > 1) throw new CodedError('BACKUP_NEWER')
  return manifest.parse(content)
}

/** A page of the store has at most some 3 MiB, and a transaction 4 MB; base64 makes a third more of it. */
const mostBatchBytes = 32 * 1024 * 1024

async function readBatch(entry: ArchiveEntry): Promise<RecordBatch> {
  try {
    const text = await promisify(zstdDecompress)(await whole(entry), { maxOutputLength: mostBatchBytes })
    return batch.parse(JSON.parse(text.toString('utf8')))
  } catch (error) {
    throw damaged(`the facts in ${entry.path} cannot be read`, error)
  }
}

/** The content of a small entry. */
async function whole({ path, size, content }: ArchiveEntry): Promise<Buffer> {
  if (size > 1 << 28) throw damaged(`${path} is larger than Hocket writes it`)
  const pieces: Uint8Array[] = []
  for await (const bytes of content) pieces.push(Buffer.from(bytes))
  return Buffer.concat(pieces)
}

async function keepSecret(work: string, entry: ArchiveEntry): Promise<void> {
  const name = entry.path.slice('secrets/'.length)
  if (!/^[\w-][\w.-]{0,99}$/.test(name))
    throw damaged(`${JSON.stringify(entry.path)} is not a name that Hocket gives`)
  const folder = join(work, 'secrets')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  await writeFile(join(folder, name), await whole(entry), { mode: 0o600, flush: true })
}

/** Whether the bytes match their name, and are kept. */
async function keepBlob(
  blobs: Blobs,
  { path, size, content }: ArchiveEntry,
  signal: AbortSignal,
): Promise<boolean> {
  const name = blobHash.safeParse(path.slice('blobs/'.length))
  if (!name.success) throw damaged(`${JSON.stringify(path)} is not the name of a blob`)
  try {
    await blobs.put(iterate(content), { expected: name.data, size, signal })
    return true
  } catch (error) {
    if (isCoded(error, 'BLOB_MISMATCH')) return false
    throw error
  }
}

async function* iterate(content: ArchiveEntry['content']): AsyncGenerator<Uint8Array> {
  yield* content
}

/** Writes records into an empty store, as many at a time as a transaction takes. */
function createFactWriter(store: Store, signal: AbortSignal) {
  let batches = 0
  return {
    get batches() {
      return batches
    },
    async apply({ anew, records }: RecordBatch): Promise<void> {
      if (anew && batches > 0) await clear(store, signal)
      batches += 1
      // Archives of clusters that older versions wrote hold what described them.
      const restored = records.filter(({ key }) => !describesCluster(key) && !isAboutMoving(key))
      const writes = restored.map(({ key, value }) => ({
        key,
        value: value === null ? null : Buffer.from(value, 'base64'),
      }))
      for (const part of transactions(writes)) await store.commit({ conditions: [], writes: part }, signal)
    },
    async count(): Promise<number> {
      let count = 0
      for await (const entries of pages(store, signal)) count += entries.length
      return count
    },
  }
}

async function clear(store: Store, signal: AbortSignal): Promise<void> {
  for await (const entries of pages(store, signal)) {
    for (const part of transactions(entries.map(({ key }) => ({ key, value: null })))) {
      await store.commit({ conditions: [], writes: part }, signal)
    }
  }
}

async function* pages(store: Store, signal: AbortSignal) {
  let after: string | undefined
  for (let more = true; more; ) {
    const page = await store.list('', after === undefined ? {} : { after }, signal)
    yield page.entries
    more = page.more
    after = page.entries.at(-1)?.key
  }
}

/** The writes in as few transactions as the limits of the store allow. */
function* transactions(writes: readonly Write[]): Generator<readonly Write[]> {
  let part: Write[] = []
  let size = 0
  for (const write of writes) {
    const length = write.value?.length ?? 0
    if (part.length === limits.operations || size + length > limits.transactionBytes) {
      yield part
      part = []
      size = 0
    }
    part.push(write)
    size += length
  }
  if (part.length > 0) yield part
}
