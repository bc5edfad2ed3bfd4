import { z } from 'zod'
import { type Content, dateOf } from './content.ts'
import { endpoint, type Parts, settled } from './endpoint.ts'
import { episode } from './episode.ts'
import { requireGuid, requireItem } from './item.ts'
import { itemId, moment, optional, required, text } from './parameters.ts'
import { findEpisode } from './source.ts'

export const getBookmarks = endpoint(z.object({}), async (parts, asking) => {
  const found = await parts.listening.bookmarks(asking.viewer, asking.signal)
  const ids = found.map(({ id }) => id)
  const songs = await parts.listing.songContents(asking.viewer, ids, asking.signal)
  const bookmark = found.flatMap(({ id, positionMs, comment, createdAt, changedAt }, at) => {
    const heard = songs[at] ?? contentOfEpisode(parts, id)
    if (heard === null) return []
    return {
      position: positionMs,
      username: asking.user.name,
      comment,
      created: dateOf(createdAt),
      changed: dateOf(changedAt),
      entry: { ...heard, bookmarkPosition: positionMs },
    }
  })
  return { bookmarks: { bookmark } }
})

function contentOfEpisode(parts: Parts, id: string): Content | null {
  const found = findEpisode(parts, id)
  return found && episode.content(found)
}

export const createBookmark = endpoint(
  z.object({ id: required(itemId), position: required(moment()), comment: optional(text) }),
  async (parts, { viewer, signal }, { id, position, comment }) => {
    const track = findEpisode(parts, id)?.id ?? requireItem(parts.catalog, viewer, id, 'track')
    const input = { positionMs: position, ...(comment !== undefined && { comment: comment.slice(0, 4_000) }) }
    await settled(parts, await parts.listening.setBookmark(viewer, track, input, signal), signal)
    return {}
  },
)

export const deleteBookmark = endpoint(
  z.object({ id: required(itemId) }),
  async (parts, { viewer, signal }, { id }) => {
    const track = requireGuid(id, 'bookmark')
    await settled(parts, await parts.listening.removeBookmark(viewer, track, signal), signal)
    return {}
  },
)
