import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { DataStore, Upload } from '@tus/server'
import { diskError } from '../../blobs/disk-errors.ts'
import { CodedError, type ErrorCode, errorCodes } from '../../protocol/errors.ts'
import type { Ledger, UploadRecord } from './ledger.ts'

/** A connection that brings nothing for so long is given up; the client may go on with another. */
const stalledMs = 60_000

/** What the tus server asks of our folder. A class, since the tus server knows stores by this base class. */
export class FolderStore extends DataStore {
  readonly #ledger: Ledger
  readonly #finish: (record: UploadRecord) => Promise<unknown>
  readonly #expireMs: number

  /** `finish` turns an upload that has arrived whole into a track; asked again, it answers what came of it. */
  constructor(ledger: Ledger, finish: (record: UploadRecord) => Promise<unknown>, expireMs: number) {
    super()
    this.extensions = ['creation', 'creation-with-upload', 'expiration', 'termination']
    this.#ledger = ledger
    this.#finish = finish
    this.#expireMs = expireMs
  }

  override async create(upload: Upload): Promise<Upload> {
    const record = this.#record(upload.id)
    const file = await open(this.#ledger.filePath(record), 'wx', 0o600).catch(rethrow)
    await file.close()
    return upload
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const record = this.#record(id)
    await using file = await open(this.#ledger.filePath(record), 'r+').catch(rethrow)
    let position = offset
    const stall = () => stream.destroy(new CodedError('TIMED_OUT', 'nothing arrived for a minute'))
    const timer = setTimeout(stall, stalledMs)
    try {
      for await (const chunk of stream) {
        timer.refresh()
        const bytes: Uint8Array = chunk
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position)
          at += bytesWritten
          position += bytesWritten
        }
      }
    } catch (error) {
      throw diskError(error)
    } finally {
      clearTimeout(timer)
    }
    return position
  }

  /**
   * A client that asks for the offset of an upload whose bytes are all here takes the answer for an acknowledgement,
   * so it is given only once the upload has been finished (B3).
   */
  override async getUpload(id: string): Promise<Upload> {
    const record = this.#record(id)
    if (record.problem) throw new CodedError(codeOf(record.problem.code), record.problem.detail)
    const offset = await this.#ledger.offset(record)
    if (offset === record.size) await this.#finish(record)
    const creation_date = new Date(record.createdAt).toISOString()
    return new Upload({
      id,
      size: record.size,
      offset,
      creation_date,
      metadata: { filename: record.fileName },
    })
  }

  override async remove(id: string): Promise<void> {
    const record = this.#record(id)
    if (record.content && !record.result) throw new CodedError('CONFLICT', 'the upload is being finished')
    await this.#ledger.remove(id)
  }

  override getExpiration(): number {
    return this.#expireMs
  }

  #record(id: string): UploadRecord {
    const record = this.#ledger.records.get(id)
    if (!record) throw new CodedError('NOT_FOUND', 'there is no such upload')
    return record
  }
}

/** The code as it was written down, unless a newer version knew more of them. */
function codeOf(code: string): ErrorCode {
  return isCode(code) ? code : 'UPLOAD_NOT_AUDIO'
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}

function rethrow(error: unknown): never {
  throw diskError(error)
}
