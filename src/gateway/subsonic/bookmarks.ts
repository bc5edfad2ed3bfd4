import { z } from 'zod'
import { dateOf } from './content.ts'
import { endpoint, settled } from './endpoint.ts'
import { requireGuid, requireItem } from './item.ts'
import { itemId, optional, required, text, wholeNumber } from './parameters.ts'

export const getBookmarks = endpoint(z.object({}), async (parts, asking) => {
  const found = await parts.listening.bookmarks(asking.viewer, asking.signal)
  const ids = found.map(({ track }) => track.id)
  const songs = await parts.listing.songContents(asking.viewer, ids, asking.signal)
  const bookmark = found.map(({ positionMs, comment, createdAt, changedAt }, at) => ({
    position: positionMs,
    username: asking.user.name,
    comment,
    created: dateOf(createdAt),
    changed: dateOf(changedAt),
    entry: { ...songs[at], bookmarkPosition: positionMs },
  }))
  return { bookmarks: { bookmark } }
})

export const createBookmark = endpoint(
  z.object({ id: required(itemId), position: required(wholeNumber(0)), comment: optional(text) }),
  async (parts, { viewer, signal }, { id, position, comment }) => {
    const track = requireItem(parts.catalog, viewer, id, 'track')
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
