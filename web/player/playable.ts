import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import type { EpisodeSummary } from '../../src/protocol/api/podcasts.ts'
import type { Station } from '../../src/protocol/facts/listening.ts'

/**
 * What a queue holds: a track; an episode of a podcast, which sounds as a track does, with its podcast for an album; or a
 * radio station, which has no length and no place to go on from.
 */
export interface Playable extends TrackSummary {
  readonly kind?: 'episode' | 'station'
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

export function playableStation({ id, name }: Pick<Station, 'id' | 'name'>): Playable {
  return {
    kind: 'station',
    id,
    title: name,
    artist: '',
    artists: [],
    album: { id, name },
    albumArtists: [],
    genres: [],
    durationMs: 0,
    codec: '',
    mediaType: '',
    suffix: '',
    bitrate: 0,
    size: 0,
    version: '',
    // A picture is drawn of its name.
    cover: name,
    addedAt: 0,
    mark: { playCount: 0 },
  }
}
