import { z } from 'zod'
import { id, timestamp } from '../ids.ts'
import { clusterEvent } from './cluster.ts'

/**
 * Facts of the outbox: what must be delivered outside, and to whom.
 *
 *   outbox/connections/<userId>/<connectionId>                   Connection
 *   outbox/entries/<userId>/<connectionId>/<time>-<eventId>      Event; the time in 15 digits, so that they stand in order
 *   outbox/progress/<userId>/<connectionId>                      Progress, written by whoever delivers
 *   outbox/services/lastfm                                       ScrobbleService, set by administrators
 */
export const connectionKind = z.enum(['listenbrainz', 'lastfm', 'webhook'])
export type ConnectionKind = z.infer<typeof connectionKind>

export const eventType = z.enum(['play.finished', 'upload.finished', 'library.scanned', 'cluster.changed'])
export type EventType = z.infer<typeof eventType>

/** An address outside. */
export const outsideUrl = z.url({ protocol: /^https?$/ }).max(2_000)

/** Where a user wants something delivered. */
export const connection = z.object({
  kind: connectionKind,
  /** Without a slash at its end. */
  url: outsideUrl,
  /** What the account is called there; absent for webhooks. */
  account: z.string().max(300).optional(),
  /** What is delivered; of the scrobbling services always plays, and nothing else. */
  events: z.array(eventType).min(1).max(eventType.options.length),
  /** A token, a session's key or the key of signatures, encrypted (law S2). */
  secret: z.string().max(4_000),
  createdAt: timestamp,
})
export type Connection = z.infer<typeof connection>

const named = z.object({ name: z.string(), musicBrainzId: z.string().optional() })

/** A track as it was when something happened to it: what is told outside does not change with the library. */
export const eventTrack = z.object({
  id,
  title: z.string(),
  /** The artists in one line, as the file credits them, and one by one. */
  artist: z.string(),
  artists: z.array(named),
  album: z.string().optional(),
  albumArtist: z.string().optional(),
  track: z.int().optional(),
  disc: z.int().optional(),
  durationMs: z.int(),
  isrc: z.string().optional(),
  musicBrainz: z.object({
    recording: z.string().optional(),
    track: z.string().optional(),
    release: z.string().optional(),
    releaseGroup: z.string().optional(),
  }),
})
export type EventTrack = z.infer<typeof eventTrack>

/** Something that happened and is told outside. `id` is the same however often it is told. */
export const event = z.discriminatedUnion('type', [
  z.object({ type: z.literal('play.finished'), id, at: timestamp, track: eventTrack }),
  z.object({ type: z.literal('upload.finished'), id, at: timestamp, track: eventTrack }),
  z.object({
    type: z.literal('library.scanned'),
    id,
    at: timestamp,
    added: z.int(),
    changed: z.int(),
    moved: z.int(),
    removed: z.int(),
  }),
  clusterEvent.extend({ type: z.literal('cluster.changed'), id }),
])
export type OutboxEvent = z.infer<typeof event>

/** How delivering to one connection goes. Absent: nothing has been tried yet. */
export const progress = z.object({
  deliveredAt: timestamp.optional(),
  /** Attempts that have failed since the last one that went well. */
  failures: z.int().nonnegative(),
  /** Not before then. */
  retryAt: timestamp.optional(),
  /** What went wrong last. */
  trouble: z
    .object({ code: z.string().max(60), detail: z.string().max(500).optional(), at: timestamp })
    .optional(),
  /** Nothing is tried until the user has put something right. */
  needsAttention: z.boolean(),
  /** Entries that were given up: refused for good, too old or too many. */
  dropped: z.int().nonnegative(),
})
export type Progress = z.infer<typeof progress>

/** By which this server is known to Last.fm, or to a service that speaks as it does. */
export const scrobbleService = z.object({
  apiUrl: outsideUrl,
  /** Where users allow this server to scrobble for them. */
  authorizeUrl: outsideUrl,
  apiKey: z.string().min(1).max(200),
  /** Encrypted (law S2). */
  secret: z.string().max(4_000),
})
export type ScrobbleService = z.infer<typeof scrobbleService>
