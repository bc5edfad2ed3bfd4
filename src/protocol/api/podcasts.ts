import { z } from 'zod'
import { feedHead, feedItem, podcastUrl } from '../facts/podcasts.ts'
import { id, timestamp } from '../ids.ts'

/** What `/api` says of podcasts. */

/** What went wrong last, in words, and when. */
const podcastTrouble = z.object({
  code: z.string(),
  title: z.string(),
  help: z.string(),
  detail: z.string().optional(),
  at: timestamp,
})

export const podcastSummary = z.object({
  id,
  /** The address of the feed. */
  url: podcastUrl,
  /** Until the feed has been read, its address. */
  title: z.string(),
  ...feedHead.pick({ description: true, author: true }).shape,
  /** Changes whenever its picture does. */
  cover: z.string(),
  addedAt: timestamp,
  /** When the feed was last looked at; absent: never yet. */
  checkedAt: timestamp.optional(),
  /** Whether it is being looked at, or about to be. */
  refreshing: z.boolean(),
  episodeCount: z.int(),
  /** When the newest episode was published. */
  newestAt: timestamp.optional(),
  trouble: podcastTrouble.optional(),
})
export type PodcastSummary = z.infer<typeof podcastSummary>

export const podcastInput = z.object({ url: z.string().max(4_000).describe('The address of its feed') })

/** An episode as it can be played: only what was downloaded can. */
export const episodeAudio = z.object({
  durationMs: z.int(),
  codec: z.string(),
  mediaType: z.string(),
  suffix: z.string(),
  bitrate: z.int(),
  size: z.int(),
  /** Put into the address of the audio as `v` it makes the answer cacheable for ever. */
  version: z.string(),
})

export const episodeSummary = z.object({
  id,
  podcast: z.object({ id, title: z.string() }),
  title: z.string(),
  author: z.string(),
  ...feedItem.pick({ description: true, season: true, number: true, explicit: true, durationMs: true }).shape,
  publishedAt: timestamp,
  /** Bytes, as far as is known. */
  size: z.int().optional(),
  cover: z.string(),
  /** `remote`: not here. `downloading`: on its way, or waiting for it. `failed`: not tried again by itself. */
  state: z.enum(['remote', 'downloading', 'downloaded', 'failed']),
  trouble: podcastTrouble.optional(),
  /** There exactly where it is `downloaded`. */
  audio: episodeAudio.optional(),
  /** Where this account goes on from, in milliseconds. */
  placeMs: z.int().optional(),
})
export type EpisodeSummary = z.infer<typeof episodeSummary>

export const episodeQuery = z.object({
  podcast: id.optional().describe('Of this podcast only'),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  limit: z.coerce.number().int().min(1).max(100).default(50),
})

export const placeInput = z.object({
  positionMs: z.int().nonnegative().describe('0: from its beginning, which need not be kept'),
})
