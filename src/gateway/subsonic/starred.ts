import { z } from 'zod'
import { goneSignalOf } from '../signal.ts'
import type { Content } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { inFolders, musicFolders } from './library.ts'
import type { ListQuery } from './listing.ts'
import { pageOf, type Span, wholeList } from './written.ts'

/** The API gives all that is starred in one answer, however much it is: it is read as it is sent. */
async function starred(
  parts: Parts,
  asked: Asking,
  musicFolderId: readonly string[],
  folders: boolean,
): Promise<Content> {
  const { viewer, form, reply } = await inFolders(parts.catalog, asked, musicFolderId)
  const query = { order: 'starred' } as const
  const asking = { viewer, form, signal: goneSignalOf(reply) }
  const whole = (asked: (page: Span) => ListQuery) =>
    wholeList((page) => {
      const one = asked(page)
      return pageOf(parts, asking, one, { element: one.kind, folders })
    })
  return {
    artist: whole((page) => ({ kind: 'artist', query: { ...query, role: 'any', ...page } })),
    album: whole((page) => ({ kind: 'album', query: { ...query, ...page } })),
    song: whole((page) => ({ kind: 'song', query: { ...query, ...page } })),
  }
}

const parameters = z.object({ musicFolderId: musicFolders })

export const getStarred = endpoint(parameters, async (parts, asking, { musicFolderId }) => ({
  starred: await starred(parts, asking, musicFolderId, true),
}))

export const getStarred2 = endpoint(parameters, async (parts, asking, { musicFolderId }) => ({
  starred2: await starred(parts, asking, musicFolderId, false),
}))
