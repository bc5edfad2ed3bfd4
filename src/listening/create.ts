import type { Index } from '../index/index.ts'
import type { TrackDetail } from '../protocol/api/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import type { Operation } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { createBookmarks } from './bookmarks.ts'
import { keepPlays } from './kept.ts'
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
  /** Whether there is such an episode of a podcast, which can be bookmarked as tracks can; src/node asks the podcasts. */
  readonly isEpisode: (id: Id) => boolean
  /** The name of a user, shown with playlists that are shared; undefined where they are gone. */
  readonly userName: (id: Id) => string | undefined
  /** What tells a play to services outside, for the transaction that counts it; src/node hands in the outbox. */
  readonly tell: (
    user: Id,
    happening: {
      readonly type: 'play.finished'
      readonly id: Id
      readonly at: number
      readonly track: () => Promise<TrackDetail>
    },
    signal?: AbortSignal,
  ) => Promise<readonly Operation[]>
  /** Where plays are kept while the store is away; made when it is first needed. */
  readonly keptFolder: string
  /** Told of plays that cannot be counted, and why. */
  readonly onError: (error: unknown) => void
}

/** The module of the index's part that finds playlists. */
export const listeningProjection = new URL('./projection.ts', import.meta.url)

export function createListening(options: ListeningOptions): Listening & AsyncDisposable {
  const { count, ...marks } = createMarks(options)
  const playlists = createPlaylists(options)
  return {
    ...marks,
    ...keepPlays({ ...options, count }),
    ...createQueues(options),
    ...playlists,
    ...createShares({ ...options, ...playlists }),
    ...createBookmarks(options),
    ...createStations(options),
    ...createMessages(options),
  }
}
