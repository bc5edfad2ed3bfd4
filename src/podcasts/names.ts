import { podcastUrl } from '../protocol/facts/podcasts.ts'
import type { KnownChannel, KnownEpisode } from './podcasts.ts'

/** Until its feed has been read, a channel is called by its address. */
export function titleOf({ feed, url }: Pick<KnownChannel, 'feed' | 'url'>): string {
  return feed.title ?? url
}

/** Who an episode is by, as far as the feed says. */
export function authorOf({ feed, channel }: Pick<KnownEpisode, 'feed' | 'channel'>): string {
  return feed.author ?? channel.feed.author ?? titleOf(channel)
}

/** The address of a feed as it is kept; or what is wrong with it, for everyone sees it and it must not hold a password. */
export function feedAddress(given: string): { readonly url: string } | { readonly wrong: string } {
  const parsed = URL.parse(given.trim())
  const url = podcastUrl.safeParse(parsed?.href)
  if (!url.success) return { wrong: 'not the http or https address of a feed' }
  if (parsed?.username !== '' || parsed.password !== '') return { wrong: 'it holds a name or password' }
  return { url: url.data }
}
