import type { Index } from '../index/index.ts'
import type { Tags } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import type { Viewer } from './catalog.ts'
import { albumParts } from './facts.ts'
import type { AlbumDetails, ArtistDetails, TrackDetails } from './index/queries/details.ts'

/**
 * What is known of tracks, albums and artists beyond their summaries: for programs that keep a whole library of their
 * own. Of what the viewer does not see, there is nothing.
 */
export interface Details {
  tracks(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<ReadonlyMap<Id, TrackDetails>>
  albums(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<ReadonlyMap<Id, AlbumDetails>>
  artists(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<ReadonlyMap<Id, ArtistDetails>>
  /** The tags of the tracks of an album, from its facts: whoever asks must be known to see the album. */
  tags(album: Id, signal?: AbortSignal): Promise<ReadonlyMap<Id, Tags>>
}

export function createDetails({
  store,
  index,
}: {
  readonly store: Store
  readonly index: Pick<Index, 'reader'>
}): Details {
  const ask = index.reader<typeof import('./index/queries/details.ts')>(
    new URL('./index/queries/details.ts', import.meta.url),
  )
  return {
    tracks: (viewer, ids, signal) => ask.trackDetails(viewer, ids, signal),
    albums: (viewer, ids, signal) => ask.albumDetails(viewer, ids, signal),
    artists: (viewer, ids, signal) => ask.artistDetails(viewer, ids, signal),
    async tags(album, signal) {
      const tags = new Map<Id, Tags>()
      for await (const { value } of albumParts.walk(store, { under: `${album}/` }, signal)) {
        for (const track of value.tracks) tags.set(track.id, track.tags)
      }
      return tags
    },
  }
}
