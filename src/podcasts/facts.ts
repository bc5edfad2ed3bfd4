import { podcastChannel, podcastEpisode } from '../protocol/facts/podcasts.ts'
import type { Id } from '../protocol/ids.ts'
import { defineCollection } from '../store/collection.ts'
import { derivedId } from '../store/derived-id.ts'

/** `<channelId>` */
export const channels = defineCollection({
  prefix: 'podcasts/channels/',
  version: 1,
  schema: podcastChannel,
  compress: true,
})

/** `<channelId>/<episodeId>` */
export const episodes = defineCollection({
  prefix: 'podcasts/episodes/',
  version: 1,
  schema: podcastEpisode,
  compress: true,
})

/** The same for the same feed: two people who subscribe at the same time subscribe once. */
export function channelId(url: string): Id {
  return derivedId(`podcast/${url}`)
}

/** The same whenever and wherever the feed is read. */
export function episodeId(channel: Id, guid: string): Id {
  return derivedId(`podcast/${channel}/${guid}`)
}

export function episodeKey(channel: Id, episode: Id): string {
  return `${channel}/${episode}`
}

/** The ids in the key of an episode. */
export function idsOf(key: string): { readonly channel: Id; readonly episode: Id } {
  const cut = key.indexOf('/')
  return { channel: key.slice(0, cut), episode: key.slice(cut + 1) }
}
