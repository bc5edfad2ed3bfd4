import { z } from 'zod'

/** The GUID of a thing (track, album, artist, playlist, user …): lower-case UUID text, safe in a URL and a file name. */
export const id = z.uuid().describe('A GUID')
export type Id = z.infer<typeof id>

/** The name of a blob: the SHA-256 of its bytes in lower-case hexadecimal (law B1). */
export const blobHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal')
  .describe('The SHA-256 of the bytes')
export type BlobHash = z.infer<typeof blobHash>

/** Milliseconds since 1970-01-01 UTC. */
export const timestamp = z.int().nonnegative().describe('Milliseconds since 1970-01-01 UTC')
export type Timestamp = z.infer<typeof timestamp>
