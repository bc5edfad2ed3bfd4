import type { Playlist } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import type { ListeningOptions } from './create.ts'
import type { Listener } from './listening.ts'

/** Tracks of a playlist that the listener sees, and how long they take, in milliseconds. */
export interface Figures {
  readonly trackCount: number
  readonly durationMs: number
}

interface Remembered extends Figures {
  /** What they were counted from. */
  readonly updatedAt: number
  readonly revision: number
  readonly at: number
}

/** How long the figures of a smart playlist may lag behind the catalog in lists of playlists. */
const lag = 30_000
const mostRemembered = 1_000

/**
 * Answers the function that says how many tracks playlists have for a listener, and how long they take. A smart
 * playlist may have to look at every track, so its figures are counted again only when something has changed, and at
 * most every half minute.
 */
export function createMeasure({ index, catalog }: ListeningOptions) {
  const remembered = new Map<string, Remembered>()

  async function ofRules(listener: Listener, playlist: Playlist, signal?: AbortSignal): Promise<Figures> {
    const { id, rules, owner, updatedAt } = playlist
    if (rules === undefined) throw new Error('not a smart playlist')
    const key = `${listener.user} ${id}`
    const known = remembered.get(key)
    const fresh = known?.revision === index.revision || Date.now() - (known?.at ?? 0) < lag
    if (known !== undefined && known.updatedAt === updatedAt && fresh) return known
    const { revision } = index
    const tracks = await catalog.tracksByRules(listener, rules, owner, signal)
    const [figures = { trackCount: 0, durationMs: 0 }] = await catalog.measure(listener, [tracks], signal)
    if (remembered.size >= mostRemembered) remembered.clear()
    remembered.set(key, { ...figures, updatedAt, revision, at: Date.now() })
    return figures
  }

  return async (
    listener: Listener,
    playlists: readonly Playlist[],
    signal?: AbortSignal,
  ): Promise<Figures[]> => {
    const plain = playlists.filter(({ rules }) => rules === undefined)
    const figures = new Map<Id, Figures>()
    const counted = await catalog.measure(
      listener,
      plain.map(({ tracks }) => tracks),
      signal,
    )
    for (const [at, { id }] of plain.entries()) {
      const own = counted[at]
      if (own !== undefined) figures.set(id, own)
    }
    for (const playlist of playlists) {
      if (playlist.rules !== undefined) figures.set(playlist.id, await ofRules(listener, playlist, signal))
    }
    return playlists.map(({ id }) => figures.get(id) ?? { trackCount: 0, durationMs: 0 })
  }
}
