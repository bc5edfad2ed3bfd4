import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { itemId, required, text } from './parameters.ts'

/** What this server has not, said in the API's own words: no videos, no captions, no jukebox, no podcasts. */

const nothing = z.object({})
const byId = z.object({ id: required(itemId) })

export const getVideos = endpoint(nothing, () => ({ videos: {} }))
export const getVideoInfo = endpoint(byId, () => {
  throw notFound('video')
})
export const getCaptions = endpoint(byId, () => {
  throw notFound('video')
})

export const jukeboxControl = endpoint(z.object({ action: required(text) }), () => {
  throw new Failure(50, 'This server has no jukebox: it plays on your devices only')
})

export const getPodcasts = endpoint(nothing, () => ({ podcasts: { channel: [] } }))
export const getNewestPodcasts = endpoint(nothing, () => ({ newestPodcasts: { episode: [] } }))
export const getPodcastEpisode = endpoint(byId, () => {
  throw notFound('podcast episode')
})

const podcasting = () => {
  throw new Failure(50, 'This server keeps no podcasts')
}
export const refreshPodcasts = endpoint(nothing, podcasting)
export const createPodcastChannel = endpoint(z.object({ url: required(text) }), podcasting)
export const deletePodcastChannel = endpoint(byId, podcasting)
export const deletePodcastEpisode = endpoint(byId, podcasting)
export const downloadPodcastEpisode = endpoint(byId, podcasting)
