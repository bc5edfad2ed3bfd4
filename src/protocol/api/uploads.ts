import { z } from 'zod'
import { id, timestamp } from '../ids.ts'

/** What became of an upload: the body of the answer to its last byte, and of later questions about it. */
export const uploadResult = z.object({
  track: id.describe('The track that these bytes are, new or not'),
  title: z.string(),
  duplicate: z.boolean().describe('The same bytes were here before, and nothing was added'),
  /** What is odd about the file, though it plays. */
  warnings: z.array(z.object({ code: z.string(), detail: z.string().optional() })),
})
export type UploadResult = z.infer<typeof uploadResult>

/** An upload as its owner sees it in their list. Finished and refused ones stay there until they expire. */
export const uploadSummary = z.object({
  id,
  fileName: z.string(),
  size: z.int().nonnegative(),
  /** Bytes that have arrived. */
  offset: z.int().nonnegative(),
  state: z.enum(['receiving', 'finishing', 'done', 'refused']),
  createdAt: timestamp,
  expiresAt: timestamp,
  result: uploadResult.optional(),
  /** Why it was refused. */
  problem: z.object({ code: z.string(), detail: z.string().optional() }).optional(),
})
export type UploadSummary = z.infer<typeof uploadSummary>
