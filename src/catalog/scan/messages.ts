import { z } from 'zod'

/** What the walking process says of a folder: where it differs from what is known. Paths are relative to the library. */
const walkEvent = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    size: z.int().nonnegative(),
    modifiedAt: z.int().nonnegative(),
    /** Whether the catalog has a file at this path. */
    known: z.boolean(),
    lyricsFile: z.string().optional(),
    lyricsModifiedAt: z.int().nonnegative().optional(),
    coverFile: z.string().optional(),
    coverModifiedAt: z.int().nonnegative().optional(),
  }),
  z.object({ kind: z.literal('vanished'), path: z.string() }),
  z.object({
    kind: z.literal('problem'),
    path: z.string(),
    code: z.enum(['LIBRARY_GONE', 'PATH_TOO_LONG', 'FILE_UNREADABLE', 'LINK_OUTSIDE', 'LINK_CIRCLE']),
    detail: z.string().optional(),
  }),
])
export type WalkEvent = z.infer<typeof walkEvent>
export type FoundFile = Extract<WalkEvent, { kind: 'file' }>

/** Each message but the last must be acknowledged, so that a million differences do not pile up. */
export const walkMessage = z.object({
  seen: z.int().nonnegative(),
  events: z.array(walkEvent),
  done: z.boolean(),
})
export type WalkMessage = z.infer<typeof walkMessage>

export interface WalkOrder {
  readonly library: string
  readonly root: string
  readonly folders: readonly string[]
  readonly full: boolean
  /** The index's file, which is only read. */
  readonly index: string
}
