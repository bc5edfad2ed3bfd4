import { z } from 'zod'
import { id, timestamp } from '../ids.ts'
import { catalogCounts, scanStatus } from './catalog.ts'

/** How a node is, for its administrators and for `hocket status`. Sizes are bytes, delays milliseconds. */
export const nodeStatus = z.object({
  version: z.string(),
  startedAt: timestamp,
  /** Null while it does not answer. */
  store: z.object({ id: z.string(), revision: z.int(), bytes: z.int() }).nullable(),
  index: z.object({
    state: z.enum(['filling', 'following']),
    revision: z.int(),
    /** Revisions of the store that the index has not applied yet. */
    behind: z.int(),
    applied: z.int(),
    /** Facts that could not be read: from a newer version, or damaged. */
    skipped: z.int(),
  }),
  memory: z.object({ rss: z.int(), heapUsed: z.int() }),
  eventLoopDelay: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  disk: z.object({ free: z.int(), total: z.int() }),
  streams: z.int().describe('Audio answers that are being sent now'),
  transcodes: z.object({ running: z.int(), waiting: z.int() }),
  scan: scanStatus,
  counts: catalogCounts,
})
export type NodeStatus = z.infer<typeof nodeStatus>

export const scanInput = z.object({
  /** Only this library; absent: all of them. */
  library: id.optional(),
  /** Reads every file again, changed or not. */
  full: z.boolean().default(false),
})
