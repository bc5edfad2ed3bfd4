import { constants, createReadStream } from 'node:fs'
import { access, type FileHandle, open, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { BlobHash } from '../protocol/ids.ts'
import type { BlobEvent, Blobs, InPlace, OtherCopies, Pace, Reader, Stored, Verdict } from './blobs.ts'
import { createDescriptors, type OpenFile } from './descriptors.ts'
import type { Digest } from './digest.ts'
import { createDigester } from './digester.ts'
import { diskError, hasErrorCode } from './disk-errors.ts'
import { createPlacer, makeFolder, syncFolder } from './durable.ts'
import { createInPlace } from './in-place.ts'
import { listBlobs, names } from './listing.ts'
import { createLocks } from './locks.ts'
import { createPages } from './pages.ts'
import { createVerifiedReader, scanBytes } from './reader.ts'
import { createScratch } from './scratch.ts'
import { prepareShortcuts } from './shortcut.ts'
import { hashPath, openSums } from './sums.ts'
import { checkSpace, spaceOf, writeTemporary } from './temporary.ts'

export interface DiskBlobsOptions {
  /** Memory for the pages that are being read and those that are popular. */
  readonly cacheBytes: number
  /** Where else the content of a damaged blob may be had; on one machine, the same file in a music folder. */
  readonly otherCopies: OtherCopies
  readonly report: (event: BlobEvent) => void
}

export interface DiskBlobs extends Blobs {
  readonly inPlace: InPlace
}

/** How many files without readers stay open for the next one. */
const idleFiles = 256

/**
 * Blobs in a data folder: `blobs/ab/cd/<hash>`, their sums in `sums/` beside it, what is being written in `blobs/tmp/`,
 * and what turned out damaged in `blobs/corrupt/`. The one process that owns the folder calls `sweepTemporary` before.
 */
export async function openDiskBlobs(dataFolder: string, options: DiskBlobsOptions): Promise<DiskBlobs> {
  const folder = join(dataFolder, 'blobs')
  const corruptFolder = join(folder, 'corrupt')
  await makeFolder(folder).catch(rethrow)

  const sumsFolder = openSums(join(dataFolder, 'sums'))
  const descriptors = createDescriptors(idleFiles)
  const pages = createPages(options.cacheBytes)
  const scratch = createScratch(scanBytes)
  const digester = createDigester()
  const locks = createLocks()
  const openShortcuts = prepareShortcuts()
  const placeDurably = createPlacer(folder)
  const ending = new AbortController()
  /** Blobs of which a block did not match, until all of it has been read: nothing of them is served meanwhile. */
  const suspects = new Map<BlobHash, Promise<unknown>>()
  /** Blobs that are being removed: others must not count on them. */
  const leaving = new Set<BlobHash>()

  const { report } = options
  const inPlace = createInPlace({
    sumsFolder,
    descriptors,
    openShortcuts,
    pages,
    scratch,
    digester,
    report,
    signal: ending.signal,
  })

  async function openBlob(hash: BlobHash): Promise<OpenFile> {
    const path = hashPath(folder, hash)
    const handle = await openHandle(hash, path)
    try {
      const stats = await handle.stat()
      const [saved, shortcuts] = await Promise.all([
        sumsFolder.load(hash),
        openShortcuts({ handle, path, stats }),
      ])
      const sums = saved?.size === stats.size ? saved : await makeSums(hash, handle)
      return { handle, path, stats, sums, shortcuts, checkedAt: performance.now() }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async function openHandle(hash: BlobHash, path: string): Promise<FileHandle> {
    try {
      return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error
      throw new CodedError((await exists(join(corruptFolder, hash))) ? 'BLOB_CORRUPT' : 'BLOB_MISSING', hash)
    }
  }

  /** The sums were lost, in a power cut or by hand: they are made again from a blob that proves to be whole. */
  async function makeSums(hash: BlobHash, handle: FileHandle): Promise<Digest['sums']> {
    const digest = await digester.digest(handle, { signal: ending.signal })
    if (digest.hash !== hash) {
      suspect(hash)
      throw new CodedError('BLOB_CORRUPT', hash)
    }
    await sumsFolder.save(hash, digest.sums).catch(() => {})
    return digest.sums
  }

  function suspect(hash: BlobHash): void {
    if (suspects.has(hash) || ending.signal.aborted) return
    const settled = verify(hash, { signal: ending.signal }).catch(() => {})
    suspects.set(hash, settled)
    void settled.then(() => suspects.delete(hash))
  }

  async function verify(hash: BlobHash, pace: Pace = {}): Promise<Verdict> {
    const verdict = await examine(hash, pace)
    if (verdict === 'sound' || verdict === 'missing') return verdict
    return (await heal(hash, pace.signal)) ? 'healed' : 'corrupt'
  }

  async function examine(hash: BlobHash, pace: Pace): Promise<'sound' | 'missing' | 'corrupt'> {
    let handle: FileHandle
    try {
      handle = await openHandle(hash, hashPath(folder, hash))
    } catch (error) {
      if (isCoded(error, 'BLOB_MISSING')) return 'missing'
      if (isCoded(error, 'BLOB_CORRUPT')) return 'corrupt'
      throw error
    }
    try {
      const { hash: found, sums } = await digester.digest(handle, pace)
      if (found !== hash) return await setAside(hash, handle)
      await sumsFolder.keep(hash, sums)
      return 'sound'
    } finally {
      await handle.close()
    }
  }

  /** Takes the damaged file out of service, unless a sound one has taken its place while it was read. */
  function setAside(hash: BlobHash, handle: FileHandle): Promise<'sound' | 'corrupt'> {
    return locks.run(hash, async () => {
      const path = hashPath(folder, hash)
      const now = await stat(path).catch(() => null)
      if (now && now.ino !== (await handle.stat()).ino) return 'sound'
      if (now) await placeDurably(path, join(corruptFolder, hash))
      descriptors.forget(hash)
      report({ kind: 'corrupt', hash })
      return 'corrupt'
    })
  }

  /** Takes the content from another copy, if there is a sound one. */
  async function heal(hash: BlobHash, signal?: AbortSignal): Promise<boolean> {
    for await (const reader of options.otherCopies(hash)) {
      using copy = reader
      try {
        await put(copy.chunks(undefined, signal), { expected: hash, ...(signal && { signal }) })
      } catch {
        signal?.throwIfAborted()
        continue
      }
      report({ kind: 'healed', hash })
      return true
    }
    return false
  }

  /**
   * Gives written, fsynced bytes their name. An older copy is replaced, for these have just been hashed; and what was
   * set aside goes, now that a sound copy stands in its place (B4).
   */
  function place(path: string, { hash, sums }: Digest): Promise<Stored> {
    return locks.run(hash, async () => {
      const target = hashPath(folder, hash)
      const duplicate = await exists(target)
      await sumsFolder.save(hash, sums)
      await placeDurably(path, target)
      await rm(join(corruptFolder, hash), { force: true })
      descriptors.forget(hash)
      return { hash, size: sums.size, duplicate }
    })
  }

  const put: Blobs['put'] = (source, putOptions = {}) =>
    keep((tmp) => writeTemporary(tmp, source, putOptions.signal), putOptions)

  const keep: Blobs['keep'] = async (write, { expected, size, signal } = {}) => {
    signal?.throwIfAborted()
    if (size !== undefined) await checkSpace(folder, size)
    const { path, digest } = await write(join(folder, 'tmp'))
    try {
      compare(digest, expected, size)
      return await place(path, digest)
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  }

  const adopt: Blobs['adopt'] = async (path, { expected, signal, announce } = {}) => {
    const digest = await digestDurably(path, signal)
    compare(digest, expected)
    await announce?.(digest.hash)
    signal?.throwIfAborted()
    try {
      return await place(path, digest)
    } catch (error) {
      if (!hasErrorCode(error, 'EXDEV')) throw error
      const stored = await put(createReadStream(path), { expected: digest.hash, size: digest.sums.size })
      await rm(path)
      return stored
    }
  }

  async function digestDurably(path: string, signal?: AbortSignal): Promise<Digest> {
    await using handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW)
    const now = new Date()
    // The age of a blob counts from here, not from when its upload began: see `collect`.
    await utimes(path, now, now)
    await handle.sync()
    return await digester.digest(handle, signal ? { signal } : {})
  }

  /**
   * Under the lock, so that no `remove` runs meanwhile; refused before it, since two nodes that remove the same blob
   * would wait for each other. Nothing may be set aside under the lock: that is left to a verification of its own.
   */
  async function vouch(hash: BlobHash, pace: Pace = {}): Promise<boolean> {
    if (leaving.has(hash) || suspects.has(hash)) return false
    return await locks.run(hash, async () => {
      pace.signal?.throwIfAborted()
      const handle = await openHandle(hash, hashPath(folder, hash)).catch(absent)
      if (handle === null) return false
      try {
        const digest = await digester.digest(handle, pace)
        if (digest.hash === hash) return true
        suspect(hash)
        return false
      } finally {
        await handle.close()
      }
    })
  }

  const remove: Blobs['remove'] = (hash, verifyOthers, signal) =>
    locks.run(hash, async () => {
      leaving.add(hash)
      try {
        const others = await verifyOthers(hash, signal)
        if (others < 1) throw new CodedError('LAST_COPY', hash)
        await unlinkDurably(hash)
      } finally {
        leaving.delete(hash)
      }
    })

  async function unlinkDurably(hash: BlobHash): Promise<void> {
    const path = hashPath(folder, hash)
    await rm(path, { force: true })
    descriptors.forget(hash)
    await syncFolder(join(path, '..'))
  }

  const collect: Blobs['collect'] = async (isReferenced, graceMs, signal) => {
    let blobs = 0
    let bytes = 0
    for await (const { hash, storedAt } of listBlobs(folder, undefined, signal)) {
      if (storedAt > Date.now() - graceMs || (await isReferenced(hash))) continue
      await locks.run(hash, async () => {
        // It may have been put again, or come into use, while this waited for its turn.
        const now = await stat(hashPath(folder, hash)).catch(() => null)
        if (!now || now.mtimeMs > Date.now() - graceMs || (await isReferenced(hash))) return
        await unlinkDurably(hash)
        await sumsFolder.remove(hash)
        blobs += 1
        bytes += now.size
      })
    }
    return { blobs, bytes }
  }

  return {
    put: (source, putOptions) => put(source, putOptions).catch(rethrow),
    keep: (write, keepOptions) => keep(write, keepOptions).catch(rethrow),
    adopt: (path, adoptOptions) => adopt(path, adoptOptions).catch(rethrow),

    async size(hash, signal) {
      signal?.throwIfAborted()
      if (suspects.has(hash)) return null
      const found = await stat(hashPath(folder, hash)).catch(() => null)
      return found?.isFile() ? found.size : null
    },

    async open(hash, signal): Promise<Reader> {
      signal?.throwIfAborted()
      if (suspects.has(hash)) throw new CodedError('BLOB_CORRUPT', hash)
      const borrowed = await descriptors.borrow(hash, () => openBlob(hash)).catch(rethrow)
      const { sums } = borrowed.file
      if (!sums || signal?.aborted) {
        borrowed.release()
        signal?.throwIfAborted()
        throw new CodedError('BLOB_CORRUPT', hash)
      }
      return createVerifiedReader(borrowed, hash, sums, pages, scratch, async () => {
        suspect(hash)
        return new CodedError('BLOB_CORRUPT', hash)
      })
    },

    verify: (hash, pace) => verify(hash, pace).catch(rethrow),
    vouch: (hash, pace) => vouch(hash, pace).catch(rethrow),
    remove: (hash, verifyOthers, signal) => remove(hash, verifyOthers, signal).catch(rethrow),
    collect: (isReferenced, graceMs, signal) => collect(isReferenced, graceMs, signal).catch(rethrow),
    list: (after, signal) => listBlobs(folder, after, signal),
    damaged: () => names(corruptFolder, /^[0-9a-f]{64}$/),
    space: () => spaceOf(folder).catch(rethrow),
    inPlace,

    async [Symbol.asyncDispose]() {
      ending.abort(new Error('the blobs have been closed'))
      await Promise.all([...suspects.values(), inPlace.settled()])
      await descriptors[Symbol.asyncDispose]()
      await digester[Symbol.asyncDispose]()
      pages[Symbol.dispose]()
      scratch[Symbol.dispose]()
    },
  }
}

function compare({ hash, sums }: Digest, expected?: BlobHash, size?: number): void {
  if (expected !== undefined && expected !== hash) throw new CodedError('BLOB_MISMATCH', `found ${hash}`)
  if (size !== undefined && size !== sums.size)
    throw new CodedError('BLOB_MISMATCH', `found ${sums.size} bytes`)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function absent(error: unknown): null {
  if (isCoded(error, 'BLOB_MISSING') || isCoded(error, 'BLOB_CORRUPT')) return null
  throw error
}

function rethrow(error: unknown): never {
  throw diskError(error)
}
