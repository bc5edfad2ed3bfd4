import { CodedError } from '../protocol/errors.ts'
import type { Bookmark } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import { type Fact, update } from '../store/collection.ts'
import type { ListeningOptions } from './create.ts'
import { bookmarks } from './facts.ts'
import type { Listening } from './listening.ts'

type BookmarkCalls = Pick<Listening, 'bookmarks' | 'setBookmark' | 'removeBookmark'>

/** Read from the store, as queues are: they are few, and a device that goes on wants the last. */
export function createBookmarks({ store, catalog, isEpisode }: ListeningOptions): BookmarkCalls {
  const keyOf = (user: Id, track: Id) => `${user}/${track}`

  return {
    async bookmarks(listener, signal) {
      const found: Fact<Bookmark>[] = []
      const under = `${listener.user}/`
      for await (const fact of bookmarks.walk(store, { under, skip: () => undefined }, signal))
        found.push(fact)
      const ids = found.map(({ id }) => id.slice(under.length))
      const tracks = await catalog.tracksByIds(listener, ids, signal)
      return found.flatMap(({ value }, at) => {
        const [id, track] = [ids[at] ?? '', tracks[at] ?? null]
        return track === null && !isEpisode(id) ? [] : [{ ...value, id }]
      })
    },

    async setBookmark(listener, track, { positionMs, comment }, signal) {
      if (!isEpisode(track)) catalog.nameOf(listener, 'track', track)
      const now = Date.now()
      const { revision } = await update(
        store,
        bookmarks,
        keyOf(listener.user, track),
        (before) => ({
          positionMs,
          ...(comment !== undefined && { comment }),
          createdAt: before?.createdAt ?? now,
          changedAt: now,
        }),
        signal,
      )
      return { value: undefined, revision }
    },

    async removeBookmark(listener, track, signal) {
      const remove = (before: Bookmark | null) => {
        if (before === null) throw new CodedError('NOT_FOUND', `bookmark in ${track}`)
        return null
      }
      const { revision } = await update(store, bookmarks, keyOf(listener.user, track), remove, signal)
      return { value: undefined, revision }
    },
  }
}
