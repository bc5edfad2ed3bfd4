import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { itemId, required, text } from './parameters.ts'

/** What this server has not, said in the API's own words: no videos, no captions, no jukebox. */

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
