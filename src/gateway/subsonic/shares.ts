import { z } from 'zod'
import type { KnownShare } from '../../listening/listening.ts'
import { isCoded } from '../../protocol/errors.ts'
import { type ShareItem, shareToken } from '../../protocol/facts/listening.ts'
import { shareAddress } from '../shares/opened.ts'
import { type Content, dateOf, dateWhere } from './content.ts'
import { type Asking, endpoint, type Parts, settled } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { findItem, requireGuid } from './item.ts'
import { itemId, many, optional, required, text, wholeNumber } from './parameters.ts'
import { songsOf } from './written.ts'

const mostItems = 1_000
const longestDescription = 4_000

async function shareOf(parts: Parts, asking: Asking, share: KnownShare): Promise<Content> {
  const { viewer, user, request, signal } = asking
  const { tracks } = await parts.listening.shareContent(share, viewer, signal)
  return {
    id: share.token,
    url: shareAddress(request, parts.config.publicUrl, share.token),
    description: share.description,
    username: user.name,
    created: dateOf(share.createdAt),
    expires: dateWhere(share.expiresAt),
    lastVisited: dateWhere(share.visitedAt),
    visitCount: share.visitCount,
    entry: await songsOf(parts, asking, tracks, 'entry'),
  }
}

/** One's own: nobody manages those of others. */
export const getShares = endpoint(z.object({}), async (parts, asking) => {
  const share: Content[] = []
  for (const each of await parts.listening.shares(asking.viewer, asking.signal)) {
    share.push(await shareOf(parts, asking, each))
  }
  return { shares: { share } }
})

/** What an id names among songs, albums, artists and playlists. */
async function itemOf(
  { catalog, listening }: Parts,
  { viewer, signal }: Asking,
  given: string,
): Promise<ShareItem> {
  const found = findItem(catalog, viewer, given)
  if (found !== null) return { kind: found.kind, id: found.id }
  const what = 'song, album, artist or playlist'
  const id = requireGuid(given, what)
  try {
    await listening.playlist(viewer, id, signal)
  } catch (error) {
    throw isCoded(error, 'NOT_FOUND') ? notFound(what) : error
  }
  return { kind: 'playlist', id }
}

/** Milliseconds since 1970; 0: it never ends. */
const expires = optional(wholeNumber(0))

export const createShare = endpoint(
  z.object({ id: many(itemId), description: optional(text), expires }),
  async (parts, asking, { id, description, expires }) => {
    const { viewer, signal } = asking
    if (id.length === 0) throw new Failure(10, "Required parameter 'id' is missing")
    if (id.length > mostItems) {
      throw new Failure(10, `The parameter 'id' is not valid: more than ${mostItems} values`)
    }
    const items: ShareItem[] = []
    for (const each of id) items.push(await itemOf(parts, asking, each))
    const input = {
      items,
      ...(description !== undefined && { description: description.slice(0, longestDescription) }),
      ...(expires !== undefined && expires > 0 && { expiresAt: expires }),
    }
    const made = await settled(parts, await parts.listening.createShare(viewer, input, signal), signal)
    return { shares: { share: [await shareOf(parts, asking, made)] } }
  },
)

export const updateShare = endpoint(
  z.object({ id: required(itemId), description: required(text).optional(), expires }),
  async (parts, { viewer, signal }, { id, description, expires }) => {
    const change = {
      ...(description !== undefined && { description: description.slice(0, longestDescription) || null }),
      ...(expires !== undefined && { expiresAt: expires || null }),
    }
    const changed = await parts.listening.changeShare(viewer, requireToken(id), change, signal)
    await settled(parts, changed, signal)
    return {}
  },
)

export const deleteShare = endpoint(
  z.object({ id: required(itemId) }),
  async (parts, { viewer, signal }, { id }) => {
    await settled(parts, await parts.listening.removeShare(viewer, requireToken(id), signal), signal)
    return {}
  },
)

function requireToken(given: string): string {
  const parsed = shareToken.safeParse(given)
  if (!parsed.success) throw notFound('share')
  return parsed.data
}
