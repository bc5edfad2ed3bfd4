import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import type { EpisodeSummary } from '../../src/protocol/api/podcasts.ts'

/** What a queue holds: a track, or an episode of a podcast, which sounds as a track does; its podcast is its album. */
export interface Playable extends TrackSummary {
  readonly kind?: 'episode'
}

/** An episode as the player plays it; undefined where it has not been downloaded. */
export function playableOf(episode: EpisodeSummary): Playable | undefined {
  const { id, title, podcast, explicit, cover, publishedAt, audio } = episode
  if (audio === undefined) return undefined
  return {
    kind: 'episode',
    id,
    title,
    artist: podcast.title,
    artists: [],
    album: { id: podcast.id, name: podcast.title },
    albumArtists: [],
    genres: [],
    ...(explicit === true && { explicit: 'explicit' }),
    ...audio,
    cover,
    addedAt: publishedAt,
    mark: { playCount: 0 },
  }
}
