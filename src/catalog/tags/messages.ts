import { z } from 'zod'
import { audio, tags } from '../../protocol/facts/catalog.ts'

/** What parent and child say to each other. The child reads hostile files: its answers are checked like any input. */

/** Codes of what can be wrong with a file; `docs/errors.md` explains them. */
const fileProblem = z.enum([
  'FILE_EMPTY',
  'FILE_MISSING',
  'FILE_UNREADABLE',
  'FILE_NOT_AUDIO',
  'FILE_DAMAGED',
  'FILE_ENCRYPTED',
  'FILE_TRUNCATED',
  'FILE_MISLABELLED',
  'TAGS_TOO_LARGE',
  'COVER_NOT_AN_IMAGE',
  'READER_FAILED',
])
export type FileProblem = z.infer<typeof fileProblem>

const fault = z.object({ code: fileProblem, detail: z.string().max(2_000).optional() })

/** What reading one file gave: a track with faults that do not keep it from playing, or the reason why there is none. */
export const reading = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    tags,
    audio,
    size: z.int().nonnegative(),
    modifiedAt: z.int().nonnegative(),
    fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
    faults: z.array(fault).max(5),
  }),
  z.object({ ok: z.literal(false), fault }),
])
export type Reading = z.infer<typeof reading>

const word = z.object({
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
  startMs: z.int().nonnegative(),
  endMs: z.int().nonnegative().optional(),
})

const lyrics = z.object({
  synced: z.boolean(),
  language: z.string().max(20).optional(),
  lines: z
    .array(
      z.object({
        text: z.string().max(2_000),
        startMs: z.int().nonnegative().optional(),
        words: z.array(word).max(2_000).readonly().optional(),
      }),
    )
    .max(5_000),
})

const cover = z.object({ bytes: z.instanceof(Uint8Array), mediaType: z.string().max(100) })

/** Paths are in the text form of `scan/path.ts`. */
export type Request =
  | { readonly kind: 'tags'; readonly paths: readonly string[] }
  | { readonly kind: 'lyrics'; readonly path: string | null; readonly beside: string | Uint8Array | null }
  | { readonly kind: 'cover'; readonly path: string }

/** `readings` are for the next paths in order; a request for tags is done when all have come. */
export const answer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tags'), readings: z.array(reading) }),
  z.object({ kind: z.literal('lyrics'), lyrics: z.array(lyrics).max(50) }),
  z.object({ kind: z.literal('cover'), cover: cover.nullable() }),
])
export type Answer = z.infer<typeof answer>
