import type { Index } from '../index/index.ts'
import type { Id } from '../protocol/ids.ts'
import type { Viewer } from './catalog.ts'
import type { AlbumDetails } from './index/queries/album-details.ts'
import type { ArtistDetails } from './index/queries/artist-details.ts'
import type { TrackDetails } from './index/queries/track-details.ts'

/**
 * What is known of tracks, albums and artists beyond their summaries: for programs that keep a whole library of their
 * own. Of what the viewer does not see, there is nothing.
 */
export interface Details {
  tracks(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<ReadonlyMap<Id, TrackDetails>>
  albums(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<ReadonlyMap<Id, AlbumDetails>>
  artists(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<ReadonlyMap<Id, ArtistDetails>>
}

export function createDetails({ index }: { readonly index: Pick<Index, 'reader'> }): Details {
  const ask = index.reader<typeof import('./index/queries.ts')>(
    new URL('./index/queries.ts', import.meta.url),
  )
  return {
    tracks: (viewer, ids, signal) => ask.trackDetails(viewer, ids, signal),
    albums: (viewer, ids, signal) => ask.albumDetails(viewer, ids, signal),
    artists: (viewer, ids, signal) => ask.artistDetails(viewer, ids, signal),
  }
}
