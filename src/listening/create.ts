import type { Index } from '../index/index.ts'
import type { Id } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import { createBookmarks } from './bookmarks.ts'
import type { Listening, Music } from './listening.ts'
import { createMarks } from './marks.ts'
import { createMessages } from './messages.ts'
import { createPlaylists } from './playlists.ts'
import { createQueues } from './queues.ts'
import { createShares } from './shares.ts'
import { createStations } from './stations.ts'

export interface ListeningOptions {
  readonly store: Store
  /** With `listeningProjection`, and the catalog's, which has the marks. */
  readonly index: Index
  readonly catalog: Music
  /** The name of a user, shown with playlists that are shared; undefined where they are gone. */
  readonly userName: (id: Id) => string | undefined
}

/** The module of the index's part that finds playlists. */
export const listeningProjection = new URL('./projection.ts', import.meta.url)

export function createListening(options: ListeningOptions): Listening {
  const playlists = createPlaylists(options)
  return {
    ...createMarks(options),
    ...createQueues(options),
    ...playlists,
    ...createShares({ ...options, ...playlists }),
    ...createBookmarks(options),
    ...createStations(options),
    ...createMessages(options),
  }
}
