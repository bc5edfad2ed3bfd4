import { z } from 'zod'
import { waitFor } from '../../../../test/harness/wait.ts'
import type { Client, Query } from './client.ts'

const episode = z.looseObject({
  id: z.string(),
  title: z.string(),
  status: z.string(),
  streamId: z.string().optional(),
  errorMessage: z.string().optional(),
})
const channel = z.looseObject({
  id: z.string(),
  url: z.string(),
  title: z.string(),
  status: z.string(),
  errorMessage: z.string().optional(),
  episode: z.array(episode).optional(),
})
export type Channel = z.infer<typeof channel>
export type Episode = z.infer<typeof episode>

export async function channelsOf(client: Client, query: Query = {}): Promise<Channel[]> {
  const { podcasts } = await client.ask('getPodcasts', query)
  return z.object({ channel: z.array(channel) }).parse(podcasts).channel
}

/** The channel of that feed, once it has that status. */
export async function channelWith(client: Client, url: string, status: string): Promise<Channel> {
  return await waitFor(
    async () => (await channelsOf(client)).find((each) => each.url === url && each.status === status),
    { what: `the podcast ${url} to be ${status}` },
  )
}

/** The episode of that title, once it has that status. */
export async function episodeWith(client: Client, title: string, status: string): Promise<Episode> {
  return await waitFor(
    async () => {
      const episodes = (await channelsOf(client)).flatMap(({ episode = [] }) => episode)
      return episodes.find((each) => each.title === title && each.status === status)
    },
    { what: `the episode ${title} to be ${status}` },
  )
}

/** Subscribes to the world's podcast, and has its first episode downloaded. */
export async function openPodcast(client: Client, url: string) {
  await client.ask('createPodcastChannel', { url })
  const { id } = await channelWith(client, url, 'completed')
  const { id: first } = await episodeWith(client, 'First & best', 'new')
  await client.ask('downloadPodcastEpisode', { id: first })
  await episodeWith(client, 'First & best', 'completed')
  const { id: second } = await episodeWith(client, 'Second', 'new')
  return { id, first, second }
}
