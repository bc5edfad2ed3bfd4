import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import type { Copy } from '../../blobs/blobs.ts'
import { hasErrorCode } from '../../blobs/disk-errors.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { BlobHash } from '../../protocol/ids.ts'
import { describesCluster } from '../../registry/facts.ts'
import { isAboutMoving } from '../../store/move.ts'
import type { Change, Store } from '../../store/store.ts'
import { type ArchiveEntry, writeArchive } from './archive.ts'
import { type BackupRecord, type Ending, type Manifest, names, type RecordBatch } from './format.ts'

/** The blobs that a backup is to hold. */
export interface BackupBlobs {
  list(signal: AbortSignal): AsyncIterable<{ readonly hash: BlobHash }>
  open(hash: BlobHash, signal: AbortSignal): Promise<Copy>
}

export interface BackupSource {
  readonly store: Store
  readonly blobs: BackupBlobs
  /** The data folder, for its secrets. */
  readonly data: string
  readonly version: string
}

/**
 * The bytes of a tar archive (`format.ts`) of all that cannot be made again: facts, secrets, uploaded audio. It may be
 * made while the node runs: the facts are those of one revision, and since a blob is durable before the facts that
 * name it (B3), the blobs that are listed after them are all that they need.
 */
export async function* backUp(source: BackupSource, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* writeArchive(entries(source, signal))
}

async function* entries(source: BackupSource, signal: AbortSignal): AsyncGenerator<ArchiveEntry> {
  const { id, revision } = await source.store.status(signal)
  const manifest: Manifest = {
    format: 1,
    version: source.version,
    createdAt: Date.now(),
    store: { id, revision },
  }
  yield jsonEntry(names.manifest, manifest)
  let batches = 0
  for await (const batch of factBatches(source.store, signal)) {
    yield entry(`facts/${batches}`, await promisify(zstdCompress)(JSON.stringify(batch)))
    batches += 1
  }
  yield* secretEntries(source.data)
  const end: Ending = { batches, blobs: 0, damaged: [], missing: [] }
  for await (const { hash } of source.blobs.list(signal)) {
    signal.throwIfAborted()
    using reader = await source.blobs.open(hash, signal).catch((error: unknown) => {
      // Damaged and set aside before, or on machines that do not answer: there are no bytes to keep.
      if (isCoded(error, 'BLOB_MISSING') || isCoded(error, 'BLOB_CORRUPT')) return null
      throw error
    })
    if (reader === null) {
      end.missing.push(hash)
      continue
    }
    const note = () => end.damaged.push(hash)
    yield { path: `blobs/${hash}`, size: reader.size, content: filledUp(reader, hash, note, signal) }
    end.blobs += 1
  }
  yield jsonEntry(names.ending, end)
}

/** The facts of one moment, in batches of records of which a later one of a key stands for the earlier. */
async function* factBatches(store: Store, signal: AbortSignal): AsyncGenerator<RecordBatch> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      yield* listThenFollow(store, signal)
      return
    } catch (error) {
      // So much was written meanwhile that the history since the first page is gone: list again (design: compaction).
      if (!isCoded(error, 'COMPACTED') || attempt === 4) throw error
    }
  }
}

/** How many facts go into one batch: few enough that turning them into text does not hold up the main thread. */
const batchSize = 200

async function* listThenFollow(store: Store, signal: AbortSignal): AsyncGenerator<RecordBatch> {
  let first: number | undefined
  let after: string | undefined
  let anew = true
  let last = 0
  for (let more = true; more; ) {
    const page = await store.list('', { limit: batchSize, ...(after !== undefined && { after }) }, signal)
    first ??= page.revision
    last = page.revision
    more = page.more
    after = page.entries.at(-1)?.key
    yield { anew, records: page.entries.filter(isKept).map(toRecord) }
    anew = false
  }
  if (first === undefined || last <= first) return
  for await (const { revision, changes } of store.watch('', first, signal)) {
    if (revision > last) return
    if (changes.length > 0) {
      yield {
        anew: false,
        records: changes.map((change) => toRecord(isKept(change) ? change : { ...change, value: null })),
      }
    }
    if (revision === last) return
  }
}

/**
 * What stands under a lease lasts only as long as somebody renews it, and what describes the cluster or the store would
 * be wrong where it is restored.
 */
const isKept = ({ key, lease }: Pick<Change, 'key' | 'lease'>) =>
  lease === undefined && !describesCluster(key) && !isAboutMoving(key)

function toRecord({ key, value }: Pick<Change, 'key' | 'value'>): BackupRecord {
  return { key, value: value === null ? null : Buffer.from(value).toString('base64') }
}

async function* secretEntries(data: string): AsyncGenerator<ArchiveEntry> {
  const folder = join(data, 'secrets')
  const files = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return []
    throw error
  })
  for (const file of files) {
    if (file.isFile()) yield entry(`secrets/${file.name}`, await readFile(join(folder, file.name)))
  }
}

/**
 * The bytes of a blob. Where they turn out damaged, the rest is zeros, so that the archive goes on: the restore will
 * see that they do not match their name.
 */
async function* filledUp(
  reader: Copy,
  hash: BlobHash,
  note: (hash: BlobHash) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let read = 0
  try {
    for await (const bytes of reader.chunks(undefined, signal)) {
      read += bytes.length
      // The reader uses its buffer again, while the archive's consumer may still hold these bytes.
      yield Buffer.from(bytes)
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!isCoded(error)) throw error
    note(hash)
    for (; read < reader.size; read += 65_536) yield new Uint8Array(Math.min(65_536, reader.size - read))
  }
}

const jsonEntry = (path: string, value: Manifest | Ending) => entry(path, Buffer.from(JSON.stringify(value)))

const entry = (path: string, bytes: Uint8Array): ArchiveEntry => ({
  path,
  size: bytes.length,
  content: [bytes],
})
