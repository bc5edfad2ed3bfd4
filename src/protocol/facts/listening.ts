import { z } from 'zod'
import { id, timestamp } from '../ids.ts'

/**
 * Facts of listening: what each user says of the music.
 *
 *   listening/marks/<userId>/<kind>/<itemId>   Mark
 *   listening/queues/<userId>                  Queue
 *   listening/playlists/<playlistId>           Playlist, zstd-compressed
 *   listening/bookmarks/<userId>/<trackId>     Bookmark
 *   listening/stations/<stationId>             Station
 *   listening/shares/<token>                   Share
 *   listening/messages/<time>-<messageId>      Message; the time in 15 digits, so that they stand in their order
 */
export const markKind = z.enum(['track', 'album', 'artist'])
export type MarkKind = z.infer<typeof markKind>

const mark = z.object({
  starredAt: timestamp.optional(),
  rating: z.int().min(1).max(5).optional(),
  playCount: z.int().nonnegative(),
  playedAt: timestamp.optional(),
  /** Of a track: the ids of the last plays that were counted, so that one that is reported again counts once. */
  lastPlays: z.array(id).max(5).optional(),
})
export type Mark = z.infer<typeof mark>
/** The collection of marks: the listening role writes them, the catalog's index shows them beside the items. */
export const marksDefinition = { prefix: 'listening/marks/', version: 1, schema: mark } as const

export const queue = z.object({
  tracks: z.array(id).max(10_000),
  /** Index into `tracks` of the one that plays; absent when the queue is empty. */
  current: z.int().nonnegative().optional(),
  positionMs: z.int().nonnegative(),
  changedAt: timestamp,
  changedBy: z.string().max(300),
})
export type Queue = z.infer<typeof queue>

/** One condition of a smart playlist. What it means in SQL: `src/catalog/index/queries/rules.ts`. */
const rule = z.discriminatedUnion('field', [
  z.object({
    field: z.enum(['title', 'artist', 'albumArtist', 'album', 'genre', 'composer', 'comment', 'path']),
    operator: z.enum(['is', 'isNot', 'contains', 'doesNotContain', 'startsWith', 'endsWith']),
    value: z.string().max(400),
  }),
  z.object({
    field: z.enum(['year', 'rating', 'playCount', 'durationSeconds', 'bpm', 'bitrate', 'track', 'disc']),
    operator: z.enum(['is', 'isNot', 'atLeast', 'atMost']),
    value: z.number(),
  }),
  z.object({
    field: z.enum(['addedAt', 'playedAt', 'starredAt']),
    operator: z.enum(['inTheLastDays', 'notInTheLastDays']),
    value: z.int().min(1).max(36_500),
  }),
  z.object({ field: z.enum(['starred', 'compilation']), operator: z.literal('is'), value: z.boolean() }),
])
export type Rule = z.infer<typeof rule>

export const rules = z.object({
  match: z.enum(['all', 'any']),
  rules: z.array(rule).min(1).max(50),
  sort: z
    .enum(['title', 'artist', 'album', 'year', 'addedAt', 'playedAt', 'playCount', 'rating', 'random'])
    .optional(),
  descending: z.boolean().optional(),
  limit: z.int().min(1).max(10_000).optional(),
})
export type Rules = z.infer<typeof rules>

export const playlist = z.object({
  id,
  owner: id,
  name: z.string().min(1).max(300),
  comment: z.string().max(4_000).optional(),
  /** Who else may read it: nobody, everyone with an account, or these users. */
  sharedWith: z.union([z.enum(['nobody', 'everyone']), z.array(id).max(1_000)]),
  /** A plain playlist's tracks, in order; a track may stand in it more than once. */
  tracks: z.array(id).max(20_000),
  /** Where present, the playlist is smart and `tracks` is empty. */
  rules: rules.optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})
export type Playlist = z.infer<typeof playlist>

/** A place in a track to go on from. */
export const bookmark = z.object({
  positionMs: z.int().nonnegative(),
  comment: z.string().max(4_000).optional(),
  createdAt: timestamp,
  changedAt: timestamp,
})
export type Bookmark = z.infer<typeof bookmark>

/** An internet radio station, kept by administrators for everyone. Clients play it themselves. */
export const station = z.object({
  id,
  name: z.string().min(1).max(300),
  streamUrl: z.url({ protocol: /^https?$/ }).max(2_000),
  homePageUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional(),
})
export type Station = z.infer<typeof station>

/** The end of a share's link, and its id: 128 random bits. Whoever knows it hears what is shared. */
export const shareToken = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'the end of a share’s link')
  .describe('The end of the link of a share')

export const shareItem = z.object({ kind: z.enum(['track', 'album', 'artist', 'playlist']), id })
export type ShareItem = z.infer<typeof shareItem>

/** Music that its owner lets everyone hear who has the link. It shows what the items hold when it is looked at. */
export const share = z.object({
  owner: id,
  items: z.array(shareItem).min(1).max(1_000),
  description: z.string().max(4_000).optional(),
  /** The link opens nothing from then on; absent: it never ends. */
  expiresAt: timestamp.optional(),
  createdAt: timestamp,
  visitCount: z.int().nonnegative(),
  visitedAt: timestamp.optional(),
})
export type Share = z.infer<typeof share>

/** What someone has said to everyone with an account. */
export const message = z.object({ user: id, text: z.string().min(1).max(2_000), at: timestamp })
export type Message = z.infer<typeof message>
