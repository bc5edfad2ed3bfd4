import { z } from 'zod'
import {
  markKind,
  playlist,
  queue,
  rules,
  share,
  shareItem,
  shareToken,
  station,
} from '../facts/listening.ts'
import { id, timestamp } from '../ids.ts'
import { itemMark, trackSummary } from './catalog.ts'
import { episodeSummary } from './podcasts.ts'

/** What `/api` says of listening: marks, plays, queues, playlists. */

export const markInput = z.object({
  starred: z.boolean().optional(),
  /** null takes the rating away. */
  rating: z.int().min(1).max(5).nullable().optional(),
})
export const markPath = z.object({ kind: markKind, id })

/** A play that counts: half of the track, or four minutes of it. `play` makes a repeated report harmless. */
export const playInput = z.object({ play: id, track: id, at: timestamp.optional() })

/** The store is away: the play waits on this node's disk, and is counted when it is back. */
export const playKept = z.object({
  kept: z.literal(true),
  /** What this account said of the track before. */
  mark: itemMark,
})

export const queueView = queue.extend({
  /** The tracks of the queue that this user can see, by position; null where one is gone. */
  items: z.array(trackSummary.nullable()),
})
/** The same with the episodes of podcasts that stand in it: their items are null. */
export const queueShown = queueView.extend({ episodes: z.array(episodeSummary) })
export const queueInput = queue.omit({ changedAt: true, changedBy: true }).extend({
  /** The `changedAt` of the queue that this one was made of (0: there was none). Where it is another by now: CONFLICT. */
  basedOn: timestamp.optional(),
})

export const playlistSummary = playlist.omit({ tracks: true }).extend({
  ownerName: z.string(),
  trackCount: z.int(),
  durationMs: z.int(),
  /** Whether the user who asks may change it. */
  editable: z.boolean(),
  cover: z.string(),
})
export type PlaylistSummary = z.infer<typeof playlistSummary>

export const playlistDetail = playlistSummary.extend({
  /** By position. null: the track is gone, or lies in a library that the user who asks cannot see. */
  items: z.array(trackSummary.nullable()),
})
export type PlaylistDetail = z.infer<typeof playlistDetail>

export const playlistInput = z.object({
  name: z.string().min(1).max(300),
  comment: z.string().max(4_000).optional(),
  sharedWith: playlist.shape.sharedWith.default('nobody'),
  tracks: z.array(id).max(20_000).default([]),
  rules: rules.optional(),
})
export const playlistChange = z.object({
  name: z.string().min(1).max(300).optional(),
  comment: z.string().max(4_000).nullable().optional(),
  sharedWith: playlist.shape.sharedWith.optional(),
  rules: rules.optional(),
  /** Steps on the tracks of a plain playlist, done in order, all or none. */
  edits: z
    .array(
      z.discriminatedUnion('do', [
        z.object({ do: z.literal('append'), tracks: z.array(id).min(1).max(20_000) }),
        z.object({
          do: z.literal('insert'),
          at: z.int().nonnegative(),
          tracks: z.array(id).min(1).max(20_000),
        }),
        /** Positions as they were before this step. */
        z.object({ do: z.literal('remove'), positions: z.array(z.int().nonnegative()).min(1).max(20_000) }),
        z.object({ do: z.literal('move'), from: z.int().nonnegative(), to: z.int().nonnegative() }),
        z.object({ do: z.literal('replace'), tracks: z.array(id).max(20_000) }),
      ]),
    )
    .max(100)
    .optional(),
})

export const importResult = z.object({
  playlist: playlistSummary,
  /** Lines of the file that named no track of this library. */
  unmatched: z.array(z.object({ line: z.int(), text: z.string() })),
})

export const stationView = station.extend({})
export const stationInput = station.omit({ id: true })

export const shareSummary = share.omit({ owner: true }).extend({
  token: shareToken,
  /** The address to give away. */
  url: z.string(),
  /** What the first item is called; absent where it is gone. */
  name: z.string().optional(),
})
export type ShareSummary = z.infer<typeof shareSummary>

export const shareInput = share.pick({ items: true, description: true, expiresAt: true })
export const shareChange = z.object({
  /** null takes it away, here as below. */
  description: z.string().max(4_000).nullable().optional(),
  expiresAt: timestamp.nullable().optional(),
})

/** What the link of a share shows to anyone. Nothing of it tells who shares, or what they say of the music. */
export const sharedMusic = z.object({
  /** `mixed`: several items. */
  kind: z.enum([...shareItem.shape.kind.options, 'mixed']),
  name: z.string(),
  /** The artist, where one album or song is shared. */
  artist: z.string().optional(),
  year: z.int().optional(),
  description: z.string().optional(),
  expiresAt: timestamp.optional(),
  cover: shareItem.extend({ version: z.string() }),
  /** Their `mark` says nothing. */
  tracks: z.array(trackSummary),
})
export type SharedMusic = z.infer<typeof sharedMusic>
