import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeDurably } from '../../blobs/durable.ts'
import { uploadResult } from '../../protocol/api/uploads.ts'
import { audio, tags } from '../../protocol/facts/catalog.ts'
import { blobHash, type Id, id, timestamp } from '../../protocol/ids.ts'

const problem = z.object({ code: z.string(), detail: z.string().optional() })

/**
 * What is known of an upload. How much has arrived is the size of its file. The fields fill up in this order: `content`
 * before the file becomes a blob, `result` when its facts are committed; or `problem` where it was refused.
 */
const uploadRecord = z.object({
  id,
  user: id,
  fileName: z.string().min(1).max(1_000),
  size: z.int().positive(),
  createdAt: timestamp,
  content: z
    .object({
      hash: blobHash,
      fingerprint: z.string(),
      tags,
      audio,
      warnings: z.array(problem),
    })
    .optional(),
  result: uploadResult.extend({ revision: z.int().nonnegative() }).optional(),
  problem: problem.optional(),
})
export type UploadRecord = z.infer<typeof uploadRecord>
export type UploadContent = NonNullable<UploadRecord['content']>

/** The uploads of a data folder: `uploads/<id>.json` and, until it is a blob, `uploads/<id>/<file name>`. */
export interface Ledger {
  readonly records: ReadonlyMap<Id, UploadRecord>
  /** Durable when it resolves. */
  save(record: UploadRecord): Promise<void>
  /** Removes the upload's file, and the record with it unless it is to be remembered. */
  removeFile(upload: Id): Promise<void>
  remove(upload: Id): Promise<void>
  /** Where the bytes are gathered. Its name is the uploader's, since tags may lack a title. */
  filePath(record: UploadRecord): string
  /** How many bytes have arrived. */
  offset(record: UploadRecord): Promise<number>
}

export async function openLedger(folder: string): Promise<Ledger> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const records = new Map<Id, UploadRecord>()
  for (const name of await readdir(folder)) {
    const record = name.endsWith('.json') ? await readRecord(join(folder, name)) : null
    if (record && name === `${record.id}.json`) records.set(record.id, record)
  }
  for (const name of await readdir(folder)) {
    // What belongs to no upload was left by a crash while one was made or removed.
    if (!records.has(name.replace(/\.json$/, '')))
      await rm(join(folder, name), { recursive: true, force: true })
  }

  const recordPath = (upload: Id) => join(folder, `${upload}.json`)
  const removeFile = (upload: Id) => rm(join(folder, upload), { recursive: true, force: true })
  const filePath = (record: UploadRecord) => join(folder, record.id, record.fileName)

  return {
    records,
    async save(record) {
      await mkdir(join(folder, record.id), { recursive: true, mode: 0o700 })
      await writeDurably(recordPath(record.id), JSON.stringify(uploadRecord.parse(record)))
      records.set(record.id, record)
    },
    removeFile,
    async remove(upload) {
      records.delete(upload)
      await rm(recordPath(upload), { force: true })
      await removeFile(upload)
    },
    filePath,
    async offset(record) {
      if (record.content ?? record.result) return record.size
      const file = await stat(filePath(record)).catch(() => null)
      return file?.size ?? 0
    },
  }
}

async function readRecord(path: string): Promise<UploadRecord | null> {
  try {
    return uploadRecord.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
