import type { TrackSource, Viewer } from '../../catalog/catalog.ts'
import type { KnownEpisode } from '../../podcasts/podcasts.ts'
import { id as guid } from '../../protocol/ids.ts'
import { sourceOfEpisode } from '../media/episodes.ts'
import type { Parts } from './endpoint.ts'
import { notFound } from './failure.ts'
import { findItem } from './item.ts'

/** The bytes of a song, or of an episode that has been downloaded: to those who play them they are the same. Failure 70. */
export function requireSource(
  { catalog, podcasts }: Pick<Parts, 'catalog' | 'podcasts'>,
  viewer: Viewer,
  given: string,
): TrackSource {
  const song = findItem(catalog, viewer, given, ['track'])
  if (song !== null) return catalog.source(viewer, song.id)
  const episode = findEpisode({ podcasts }, given)
  const source = episode && sourceOfEpisode(episode)
  if (source === null) throw notFound('song')
  return source
}

/** The episode of a podcast that the id names, or null. */
export function findEpisode({ podcasts }: Pick<Parts, 'podcasts'>, given: string): KnownEpisode | null {
  const id = guid.safeParse(given)
  return id.success ? podcasts.episode(id.data) : null
}
