import { z } from 'zod'
import { feedAddress } from '../../podcasts/names.ts'
import type { KnownEpisode } from '../../podcasts/podcasts.ts'
import { type Written, written } from './content.ts'
import { type Asking, endpoint, type Parts, settled } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { requireGuid } from './item.ts'
import { count, flag, itemId, optional, required, text } from './parameters.ts'
import { findEpisode } from './source.ts'

/** Podcasts: administrators keep them for everyone; whoever is the operator looks for episodes and downloads them. */

const nothing = z.object({})
const byId = z.object({ id: required(itemId) })

export const getPodcasts = endpoint(
  z.object({ id: optional(itemId), includeEpisodes: flag(true) }),
  async (parts, asking, { id, includeEpisodes }) => {
    const ids = id === undefined ? await parts.listing.podcasts(asking.signal) : [requireChannel(parts, id)]
    return { podcasts: { channel: channelsOf(parts, asking, ids, includeEpisodes) } }
  },
)

/** One after another: each may have some thousand episodes. */
async function* channelsOf(
  { listing }: Parts,
  { viewer, form, signal }: Asking,
  ids: readonly string[],
  includeEpisodes: boolean,
): AsyncGenerator<Written> {
  const manner = { form, element: 'channel' }
  for (const id of ids) yield written(await listing.podcast(viewer, id, includeEpisodes, manner, signal))
}

export const getNewestPodcasts = endpoint(
  z.object({ count: count(20) }),
  async ({ listing }, { viewer, form, signal }, { count }) => {
    const manner = { form, element: 'episode' }
    const episode = await listing.newestEpisodes(viewer, count, manner, signal)
    return { newestPodcasts: { episode: written(episode) } }
  },
)

export const getPodcastEpisode = endpoint(byId, async (parts, { viewer, signal }, { id }) => {
  const podcastEpisode = await parts.listing.episodeContent(viewer, requireEpisode(parts, id).id, signal)
  if (podcastEpisode === null) throw notFound('podcast episode')
  return { podcastEpisode }
})

export const refreshPodcasts = endpoint(nothing, async (parts, asking) => {
  requireAdministrator(asking)
  await settled(parts, await parts.podcasts.refresh(asking.signal), asking.signal)
  return {}
})

export const createPodcastChannel = endpoint(
  z.object({ url: required(text) }),
  async (parts, asking, { url }) => {
    requireAdministrator(asking)
    const feed = feedOf(url)
    const { user } = asking.viewer
    await settled(parts, await parts.podcasts.subscribe(user, feed, asking.signal), asking.signal)
    return {}
  },
)

export const deletePodcastChannel = endpoint(byId, async (parts, asking, { id }) => {
  requireAdministrator(asking)
  const channel = requireChannel(parts, id)
  await settled(parts, await parts.podcasts.unsubscribe(channel, asking.signal), asking.signal)
  return {}
})

export const downloadPodcastEpisode = endpoint(byId, async (parts, asking, { id }) => {
  requireAdministrator(asking)
  const { id: episode } = requireEpisode(parts, id)
  await settled(parts, await parts.podcasts.download(episode, asking.signal), asking.signal)
  return {}
})

export const deletePodcastEpisode = endpoint(byId, async (parts, asking, { id }) => {
  requireAdministrator(asking)
  const { id: episode } = requireEpisode(parts, id)
  await settled(parts, await parts.podcasts.discard(episode, asking.signal), asking.signal)
  return {}
})

/** Failure 10. */
function feedOf(given: string): string {
  const found = feedAddress(given)
  if ('wrong' in found) throw new Failure(10, `The parameter 'url' is not valid: ${found.wrong}`)
  return found.url
}

function requireAdministrator({ viewer }: Asking): void {
  if (!viewer.administrator) throw new Failure(50, 'Only administrators keep podcasts')
}

function requireChannel({ podcasts }: Parts, given: string): string {
  const id = requireGuid(given, 'podcast')
  if (podcasts.channel(id) === null) throw notFound('podcast')
  return id
}

function requireEpisode(parts: Parts, given: string): KnownEpisode {
  const found = findEpisode(parts, given)
  if (found === null) throw notFound('podcast episode')
  return found
}
