import { z } from 'zod'
import { goneSignalOf } from '../signal.ts'
import type { Content } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { libraryOf } from './library.ts'
import type { ListQuery } from './listing.ts'
import { optional, text } from './parameters.ts'
import { pageOf, type Span, wholeList } from './written.ts'

/** The API gives all that is starred in one answer, however much it is: it is read as it is sent. */
async function starred(
  parts: Parts,
  { viewer, form, signal, reply }: Asking,
  musicFolderId: string | undefined,
  folders: boolean,
): Promise<Content> {
  const library = await libraryOf(parts.catalog, viewer, musicFolderId, signal)
  const query = { order: 'starred', library } as const
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

const parameters = z.object({ musicFolderId: optional(text) })

export const getStarred = endpoint(parameters, async (parts, asking, { musicFolderId }) => ({
  starred: await starred(parts, asking, musicFolderId, true),
}))

export const getStarred2 = endpoint(parameters, async (parts, asking, { musicFolderId }) => ({
  starred2: await starred(parts, asking, musicFolderId, false),
}))
