import { access } from 'node:fs/promises'
import type { Blobs } from '../../blobs/blobs.ts'
import type { UploadResult } from '../../protocol/api/uploads.ts'
import { CodedError, type ErrorCode, errorCodes, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Viewer } from '../catalog.ts'
import type { Reading } from '../tags/messages.ts'
import type { TagReader } from '../tags/reader.ts'
import type { Ledger, UploadContent, UploadRecord } from './ledger.ts'
import type { UploadedTracks } from './tracks.ts'

export type Finished = UploadResult & { readonly revision: number }

export interface FinisherOptions {
  readonly ledger: Ledger
  readonly blobs: Pick<Blobs, 'adopt' | 'size'>
  readonly spread: Spread
  readonly tagReader: Pick<TagReader, 'readTags'>
  readonly tracks: UploadedTracks
  /** Who uploads; throws FORBIDDEN where they are gone. */
  readonly viewerOf: (user: Id) => Viewer
  /** Throws QUOTA_EXCEEDED where there is no room for it. */
  readonly admit: (record: UploadRecord) => Promise<void>
}

/**
 * Resolves when as many copies of a blob that is durable here are durable in all as must be before it is acknowledged
 * (B3); COPIES_TOO_FEW where that cannot be now: the upload is then finished later.
 */
export type Spread = (hash: BlobHash, size: number) => Promise<void>

export interface Finisher {
  /**
   * Makes a track of an upload that has arrived whole, once: asked again, at the same time or after a crash at any
   * point, it answers what came of it. Rejects with the code for which the upload was refused; any other error leaves
   * the upload as it is, to be finished later.
   */
  finish(record: UploadRecord): Promise<Finished>
  isRunning(upload: Id): boolean
}

export function createFinisher({
  ledger,
  blobs,
  spread,
  tagReader,
  tracks,
  viewerOf,
  admit,
}: FinisherOptions): Finisher {
  const running = new Map<Id, Promise<Finished>>()

  async function readContent(record: UploadRecord): Promise<Omit<UploadContent, 'hash'>> {
    const [reading] = await tagReader.readTags([ledger.filePath(record)])
    if (!reading) throw new CodedError('READER_FAILED')
    if (!reading.ok) throw faultError(reading.fault)
    const { tags, audio, fingerprint, faults } = reading
    const warnings = faults.map(({ code, detail }) => ({ code, ...(detail !== undefined && { detail }) }))
    return { tags, audio, fingerprint, warnings }
  }

  /** Makes the file a blob. What is known of it is written down before it leaves its place. */
  async function keep(record: UploadRecord): Promise<UploadRecord & { content: UploadContent }> {
    const path = ledger.filePath(record)
    if (record.content && !(await exists(path))) {
      if ((await blobs.size(record.content.hash)) === null) {
        await ledger.remove(record.id)
        throw new CodedError('NOT_FOUND', 'the bytes of this upload were lost; start it again')
      }
      return { ...record, content: record.content }
    }
    if (!record.content) await admit(record)
    const found = record.content ?? (await readContent(record))
    const announce = (hash: string) => ledger.save({ ...record, content: { ...found, hash } })
    const { hash } = await blobs.adopt(path, { announce })
    return { ...record, content: { ...found, hash } }
  }

  async function run(record: UploadRecord): Promise<Finished> {
    const kept = await keep(record)
    await spread(kept.content.hash, record.size)
    const added = await tracks.add(kept, viewerOf(record.user))
    const result = { ...added, warnings: kept.content.warnings }
    const { content: _, ...brief } = kept
    await ledger.save({ ...brief, result })
    await ledger.removeFile(record.id)
    return result
  }

  async function runOrRefuse(record: UploadRecord): Promise<Finished> {
    try {
      return await run(record)
    } catch (error) {
      if (!isCoded(error) || !refusals.has(error.code)) throw error
      await ledger.save({ ...record, problem: problemOf(error) })
      await ledger.removeFile(record.id)
      throw error
    }
  }

  return {
    async finish({ id }) {
      const record = ledger.records.get(id)
      if (!record) throw new CodedError('NOT_FOUND', 'there is no such upload')
      if (record.result) return record.result
      const finishing = running.get(id) ?? runOrRefuse(record).finally(() => running.delete(id))
      running.set(id, finishing)
      return finishing
    },
    isRunning: (upload) => running.has(upload),
  }
}

/** What is the upload's own fault, and stays so however often it is tried. */
const refusals: ReadonlySet<ErrorCode> = new Set(['UPLOAD_NOT_AUDIO', 'QUOTA_EXCEEDED', 'FORBIDDEN'])

function faultError({ code, detail }: Extract<Reading, { ok: false }>['fault']): CodedError {
  // These two say something of our disk, not of the file.
  const isDisk = code === 'FILE_MISSING' || code === 'FILE_UNREADABLE'
  return isDisk
    ? new CodedError('DISK_FAILED', detail)
    : new CodedError('UPLOAD_NOT_AUDIO', errorCodes[code].title)
}

function problemOf({ code, detail }: CodedError): { code: string; detail?: string } {
  return { code, ...(detail !== undefined && { detail }) }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
