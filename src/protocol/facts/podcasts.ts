import { z } from 'zod'
import { blobHash, id, timestamp } from '../ids.ts'
import { audio } from './catalog.ts'
import { largestPicture } from './sizes.ts'

/**
 * Facts of podcasts.
 *
 *   podcasts/channels/<channelId>                 PodcastChannel
 *   podcasts/episodes/<channelId>/<episodeId>     PodcastEpisode, zstd-compressed
 *
 * The grain is the episode: a feed of some thousand of them is read anew every hour, and mostly one of them is new.
 */
export const podcastUrl = z.url({ protocol: /^https?$/ }).max(4_000)

/** What went wrong last. */
const trouble = z.object({ code: z.string().max(60), detail: z.string().max(500).optional(), at: timestamp })
export type PodcastTrouble = z.infer<typeof trouble>

/** A picture that was fetched, and from where. */
const picture = z.object({ url: podcastUrl, blob: blobHash, size: z.int().positive().max(largestPicture) })

/** How trying goes on: how often it has failed in a row, and not before when it is tried again. */
const attempts = {
  failures: z.int().nonnegative(),
  retryAt: timestamp.optional(),
  trouble: trouble.optional(),
}

/** What a feed says of itself. */
export const feedHead = z.object({
  title: z.string().max(1_000).optional(),
  description: z.string().max(8_000).optional(),
  author: z.string().max(1_000).optional(),
  imageUrl: podcastUrl.optional(),
})
export type FeedHead = z.infer<typeof feedHead>

/** What a feed says of an episode; all text is plain. */
export const feedItem = z.object({
  /** By which the episode is known again: what the feed says, or else the address of its audio. */
  guid: z.string().min(1).max(4_000),
  title: z.string().min(1).max(1_000),
  description: z.string().max(8_000).optional(),
  author: z.string().max(1_000).optional(),
  publishedAt: timestamp.optional(),
  durationMs: z.int().nonnegative().optional(),
  number: z.int().min(0).max(99_999).optional(),
  season: z.int().min(0).max(9_999).optional(),
  explicit: z.boolean().optional(),
  imageUrl: podcastUrl.optional(),
  /** Where the audio is, of what type, and how many bytes it has: what the feed says is often wrong. */
  audio: z.object({
    url: podcastUrl,
    mediaType: z.string().max(100).optional(),
    size: z.int().positive().optional(),
  }),
})
export type FeedItem = z.infer<typeof feedItem>

export const podcastChannel = z.object({
  /** The address of the feed. */
  url: podcastUrl,
  /** Who subscribed: what the feed may lead to depends on what they may name. */
  addedBy: id,
  addedAt: timestamp,
  feed: feedHead,
  image: picture.optional(),
  /** By which its server tells whether it has changed. */
  etag: z.string().max(1_000).optional(),
  lastModified: z.string().max(100).optional(),
  /** The SHA-256 of the feed whose episodes have all been written down. */
  read: blobHash.optional(),
  checkedAt: timestamp.optional(),
  /** When somebody last wanted it looked at now. */
  askedAt: timestamp.optional(),
  ...attempts,
})
export type PodcastChannel = z.infer<typeof podcastChannel>

/**
 * `new`: nobody has asked for it. `wanted`: it is to be downloaded. `kept`: it is here. `failed`: it was tried, and is
 * not tried again by itself. `deleted`, `skipped`: somebody does not want it, after it was here and before.
 */
const episodeState = z.enum(['new', 'wanted', 'kept', 'failed', 'deleted', 'skipped'])

export const podcastEpisode = z.object({
  feed: feedItem,
  addedAt: timestamp,
  state: episodeState,
  /** What was downloaded: there exactly while it is `kept`. */
  kept: audio.extend({ blob: blobHash, size: z.int().positive() }).optional(),
  image: picture.optional(),
  ...attempts,
})
export type PodcastEpisode = z.infer<typeof podcastEpisode>
