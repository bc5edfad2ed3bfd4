import { z } from 'zod'
import { endpoint } from './endpoint.ts'

const nothing = z.object({})

export const ping = endpoint(nothing, () => ({}))

/** Nobody needs one. */
export const getLicense = endpoint(nothing, () => ({ license: { valid: true } }))

const extensions: Readonly<Record<string, readonly number[]>> = {
  apiKeyAuthentication: [1],
  formPost: [1],
  getPodcastEpisode: [1],
  indexBasedQueue: [1],
  playbackReport: [1],
  songLyrics: [1, 2],
  topSongsByArtistId: [1],
  transcodeOffset: [1],
  transcoding: [1],
}

export const openSubsonicExtensions = Object.entries(extensions).map(([name, versions]) => ({
  name,
  versions,
}))

export const tokenInfo = endpoint(nothing, (_parts, { user }) => ({ tokenInfo: { username: user.name } }))
