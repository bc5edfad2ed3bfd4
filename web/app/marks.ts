import type { ItemMark } from '../../src/protocol/api/catalog.ts'
import type { MarkKind } from '../../src/protocol/facts/listening.ts'
import type { Api } from '../api/api.ts'
import { problemOf } from '../api/problem.ts'
import type { Store } from '../player/store.ts'
import { type View, withNotice } from './view.ts'

/**
 * Stars and ratings as this page knows them better than what it loaded: set at once when a person clicks, taken back
 * when the server refuses. One item may stand in many loaded lists; this is where all of them look.
 */
export interface Marks {
  of(kind: MarkKind, id: string): ItemMark | undefined
  change(kind: MarkKind, item: { id: string; mark: ItemMark }, change: MarkChange): Promise<void>
  /** Marks were changed, perhaps elsewhere, and the lists have been loaded again: only what these are now counts. */
  refresh(ids: readonly string[]): Promise<void>
  subscribe(listener: () => void): () => void
}

export interface MarkChange {
  starred?: boolean
  rating?: number | null
}

export function createMarks(api: Api, view: Store<View>): Marks {
  const known = new Map<string, ItemMark>()
  /** What is on its way to the server, and therefore newer than what the server says. */
  const pending = new Set<string>()
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }

  return {
    of: (kind, id) => known.get(`${kind}/${id}`),
    async change(kind, item, change) {
      const key = `${kind}/${item.id}`
      const before = known.get(key) ?? item.mark
      known.set(key, changed(before, change))
      pending.add(key)
      tell()
      try {
        known.set(key, await api.mark(kind, item.id, change))
      } catch (error) {
        known.set(key, before)
        view.set(withNotice(view.get(), { problem: problemOf(error) }))
      }
      pending.delete(key)
      tell()
    },
    async refresh(ids) {
      const forget = (key: string) => pending.has(key) || known.delete(key)
      for (const id of ids) for (const kind of ['album', 'artist']) forget(`${kind}/${id}`)
      // The queue holds tracks that no list loads again.
      const { items } = ids.length === 0 ? { items: [] } : await api.lookUp(ids)
      for (const track of items) {
        if (track !== null && !pending.has(`track/${track.id}`)) known.set(`track/${track.id}`, track.mark)
      }
      tell()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function changed(mark: ItemMark, change: MarkChange): ItemMark {
  const { starredAt, rating, ...rest } = mark
  const starred = change.starred ?? starredAt !== undefined
  const rated = change.rating === undefined ? rating : (change.rating ?? undefined)
  return {
    ...rest,
    ...(starred ? { starredAt: starredAt ?? Date.now() } : {}),
    ...(rated === undefined ? {} : { rating: rated }),
  }
}
