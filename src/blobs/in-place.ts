import { CodedError } from '../protocol/errors.ts'
import type { BlobEvent, InPlace, Pace, PlacedFile, Reader } from './blobs.ts'
import type { Descriptors, OpenFile } from './descriptors.ts'
import type { Digest } from './digest.ts'
import type { Digester } from './digester.ts'
import type { Pages } from './pages.ts'
import { checkStillThere, isAsKnown, openPlaced } from './placed-file.ts'
import { createUnverifiedReader, createVerifiedReader } from './reader.ts'
import type { Scratch } from './scratch.ts'
import type { OpenShortcuts } from './shortcut.ts'
import type { SumsFolder } from './sums.ts'

interface Parts {
  readonly sumsFolder: SumsFolder
  readonly descriptors: Descriptors
  readonly openShortcuts: OpenShortcuts
  readonly pages: Pages
  readonly scratch: Scratch
  readonly digester: Digester
  readonly report: (event: BlobEvent) => void
  /** Ends what runs in the background. */
  readonly signal: AbortSignal
}

type Hashed = PlacedFile & { readonly hash: string }

/** How long an open file is trusted to be the one at its path, in milliseconds. */
const trustedMs = 250

export interface InPlaceFiles extends InPlace {
  /** Settles when nothing runs in the background. */
  settled(): Promise<unknown>
}

export function createInPlace(parts: Parts): InPlaceFiles {
  const { sumsFolder, descriptors, openShortcuts, pages, scratch, digester, report, signal: ending } = parts
  /** Files that are being read whole in the background, one after another, and those found damaged. */
  const checking = new Set<string>()
  const damaged = new Set<string>()
  let lastCheck: Promise<void> = Promise.resolve()
  /** A listener asks for many ranges of what the index names by one object. */
  const keys = new WeakMap<PlacedFile, string>()

  function keyOf(file: PlacedFile): string {
    const known = keys.get(file)
    if (known !== undefined) return known
    const key = makeKey(file)
    keys.set(file, key)
    return key
  }

  async function openFile(file: PlacedFile): Promise<OpenFile> {
    const { handle, path, stats } = await openPlaced(file)
    try {
      const [sums, shortcuts] =
        file.hash === undefined
          ? [null, null]
          : await Promise.all([sumsFolder.load(file.hash), openShortcuts({ handle, path, stats })])
      const fitting = sums?.size === stats.size ? sums : null
      return { handle, path, stats, sums: fitting, shortcuts, checkedAt: performance.now() }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async function digest(file: PlacedFile, pace?: Pace): Promise<Digest> {
    const { handle } = await openPlaced(file)
    try {
      const found = await digester.digest(handle, pace)
      // It may have been written to while it was read; then the digest is of no file that ever was.
      if (!isAsKnown(file, await handle.stat())) throw new CodedError('FILE_CHANGED')
      return found
    } finally {
      await handle.close()
    }
  }

  async function verify(file: Hashed, pace?: Pace): Promise<'sound' | 'corrupt'> {
    const found = await digest(file, pace)
    const key = keyOf(file)
    if (found.hash === file.hash) {
      damaged.delete(key)
      await sumsFolder.keep(file.hash, found.sums)
      return 'sound'
    }
    const { root, path } = file
    if (!damaged.has(key)) report({ kind: 'corrupt', hash: file.hash, file: { root, path } })
    damaged.add(key)
    return 'corrupt'
  }

  /** Reads it whole, soon: its sums are missing, or a block did not match them. */
  function verifySoon(file: Hashed): void {
    const key = keyOf(file)
    if (checking.has(key) || damaged.has(key) || ending.aborted) return
    checking.add(key)
    const check = async () => {
      // A file that changed or went away meanwhile is the scan's business.
      await verify(file, { signal: ending }).catch(() => {})
      descriptors.forget(key)
      checking.delete(key)
    }
    lastCheck = lastCheck.then(check)
  }

  /** Damage and a change look alike in the bytes, but a change shows in the file's size or time. */
  async function explain(file: Hashed, { handle, stats }: OpenFile): Promise<CodedError> {
    const now = await handle.stat()
    descriptors.forget(keyOf(file))
    if (now.size !== stats.size || now.mtimeMs !== stats.mtimeMs) return new CodedError('FILE_CHANGED')
    verifySoon(file)
    return new CodedError('BLOB_CORRUPT', file.hash)
  }

  async function readerOf(file: PlacedFile, key: string, signal?: AbortSignal): Promise<Reader> {
    const borrowed = await descriptors.borrow(key, () => openFile(file))
    try {
      const opened = borrowed.file
      if (performance.now() - opened.checkedAt > trustedMs) {
        await checkStillThere(opened)
        opened.checkedAt = performance.now()
      }
      signal?.throwIfAborted()
      const { hash } = file
      if (hash !== undefined && !opened.sums) verifySoon({ ...file, hash })
      if (hash === undefined || !opened.sums)
        return createUnverifiedReader(borrowed, () => descriptors.forget(key))
      return createVerifiedReader(borrowed, hash, opened.sums, pages, scratch, () =>
        explain({ ...file, hash }, opened),
      )
    } catch (error) {
      borrowed.release()
      descriptors.forget(key)
      throw error
    }
  }

  return {
    async open(file, signal) {
      signal?.throwIfAborted()
      return readerOf(file, keyOf(file), signal)
    },

    async hash(file, pace) {
      const { hash, sums } = await digest(file, pace)
      await sumsFolder.save(hash, sums)
      return hash
    },

    verify,
    settled: () => lastCheck,
  }
}

function makeKey({ root, path, size, modifiedAt, hash }: PlacedFile): string {
  const names = [root, path].map((name) =>
    (typeof name === 'string' ? Buffer.from(name) : name).toString('latin1'),
  )
  return [...names, size, modifiedAt, hash].join('\0')
}
