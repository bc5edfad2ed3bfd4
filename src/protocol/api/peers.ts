import { z } from 'zod'
import { beside } from '../facts/catalog.ts'
import { nodeName, role, zone } from '../facts/cluster.ts'
import { blobHash, id, timestamp } from '../ids.ts'

/** What nodes say to one another, on the port for nodes. */

/** How a node that wants to join describes itself: what becomes its member fact. */
const newNode = z.object({
  id,
  name: nodeName,
  zone,
  roles: z.array(role).max(10),
  capacityBytes: z.int().nonnegative().nullable(),
  /** Host names and IP addresses under which it is to be dialled, for its certificate. */
  hosts: z.array(z.union([z.ipv4(), z.ipv6(), z.hostname()])).max(20),
})
export type NewNode = z.infer<typeof newNode>

export const joinRequest = newNode.extend({
  /** The secret of the join line: 256 bits in base64url. */
  secret: z.string().regex(/^[\w-]{43}$/),
  /** A PKCS #10 request in PEM; its key never leaves the node. */
  request: z.string().max(4_000),
})
export type JoinRequest = z.infer<typeof joinRequest>

/** What a node becomes with: all that it needs to find the store and to be believed. */
export const joinAnswer = z.object({
  cluster: id,
  certificate: z.string(),
  authorities: z.array(z.string()).min(1),
  /** The cluster's secret, 32 bytes in base64. */
  secret: z.base64().length(44),
  /** Where the store is reached. */
  store: z.array(z.string()),
})
export type JoinAnswer = z.infer<typeof joinAnswer>

/** A value that may be absent, under a key that is always there: JSON leaves out what is undefined. */
function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional().transform((value): z.output<Schema> | undefined => value)
}

const path = z.string().max(20_000)
const count = z.number().nonnegative()

/** What must be known of a track to make something of it: the node that is asked need not have heard of it yet. */
const trackSource = z.object({
  id,
  album: id,
  part: z.string().max(100),
  title: z.string(),
  size: count,
  fingerprint: z.string().max(200),
  blob: maybe(blobHash),
  codec: z.string().max(100),
  mediaType: z.string().max(200),
  suffix: z.string().max(100),
  durationMs: count,
  bitrate: count,
  sampleRate: count,
  channels: count,
  embeddedCover: z.boolean(),
  embeddedLyrics: z.boolean(),
  places: z
    .array(
      z.object({
        library: id,
        path,
        modifiedAt: timestamp,
        lyricsFile: maybe(path),
        coverFile: maybe(path),
        coverModifiedAt: maybe(timestamp),
        lyrics: maybe(beside),
      }),
    )
    .max(1_000),
})

const version = z.string().max(1_000)

export const renditionQuestion = z.object({
  source: trackSource,
  wanted: z.object({
    format: z.enum(['opus', 'aac', 'mp3']),
    bitrateKbps: z.int().positive().max(10_000),
    offsetMs: z.number().nonnegative(),
    v: maybe(version),
  }),
})

export const pictureQuestion = z.object({
  id: z.string().max(200),
  name: z.string(),
  pictures: z
    .array(
      z.object({
        version,
        place: maybe(z.object({ library: id, path })),
        file: maybe(z.object({ library: id, path, modifiedAt: maybe(timestamp), is: maybe(beside) })),
        within: trackSource.nullable(),
      }),
    )
    .max(16),
  mosaic: z.boolean(),
  accept: maybe(z.string().max(20_000)),
  size: maybe(z.int().positive().max(10_000)),
  v: maybe(version),
})

export const lyricsQuestion = z.object({ source: trackSource })

/** The schema of passwords themselves is that of the accounts: this is the limit of what is carried. */
const carriedPassword = z.string().max(10_000)
const passwordHash = z.string().max(1_000)
export const hashQuestion = z.object({ password: carriedPassword })
export const hashAnswer = z.object({ hash: passwordHash })
export const verifyQuestion = z.object({ password: carriedPassword, hash: maybe(passwordHash) })
export const verifyAnswer = z.object({ matches: z.boolean() })

export const scanQuestion = z.object({
  library: maybe(id),
  folders: maybe(z.array(path).max(10_000)),
  full: maybe(z.boolean()),
})

export const uploadHere = z.object({ here: z.boolean() })
