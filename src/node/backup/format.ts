import { z } from 'zod'
import { blobHash, timestamp } from '../../protocol/ids.ts'

/**
 * A backup is a tar archive:
 *
 *   hocket-backup.json     Manifest, first
 *   facts/<number>         a batch of records, JSON compressed with zstd, to be applied in the order of their numbers
 *   secrets/<name>         the files of data/secrets
 *   blobs/<sha256>         uploaded audio
 *   end.json               Ending, last: without it the archive was cut off
 */
export const manifest = z.object({
  format: z.literal(1),
  /** The version of Hocket that wrote it. */
  version: z.string(),
  createdAt: timestamp,
  store: z.object({ id: z.string(), revision: z.int() }),
})
export type Manifest = z.infer<typeof manifest>

/** A fact in base64, or null for one that was deleted while the backup was made. */
const record = z.object({ key: z.string(), value: z.base64().nullable() })
export type BackupRecord = z.infer<typeof record>

export const batch = z.object({
  /** The list began anew: everything that batches before this one said is void. */
  anew: z.boolean(),
  records: z.array(record),
})
export type RecordBatch = z.infer<typeof batch>

export const ending = z.object({
  batches: z.int(),
  blobs: z.int(),
  /** Blobs that were damaged already, or broke off while they were read: their bytes in the archive are of no use. */
  damaged: z.array(blobHash),
  /** Blobs of which there was no copy to be had. Archives of older versions do not name them. */
  missing: z.array(blobHash).default([]),
})
export type Ending = z.infer<typeof ending>

export const names = { manifest: 'hocket-backup.json', ending: 'end.json' } as const
