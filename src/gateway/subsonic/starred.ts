import { z } from 'zod'
import type { Content } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { libraryOf } from './library.ts'
import { optional, text } from './parameters.ts'
import { wholeList } from './written.ts'

/** The API gives all that is starred in one answer; this many of each kind, the latest, fit in one. */
const most = 10_000

async function starred(
  { catalog, listing }: Parts,
  { viewer, form, signal }: Asking,
  musicFolderId: string | undefined,
  folders: boolean,
): Promise<Content> {
  const library = await libraryOf(catalog, viewer, musicFolderId, signal)
  const query = { order: 'starred', library } as const
  const manner = (element: string) => ({ form, element, folders })
  return {
    artist: await wholeList(most, (page) =>
      listing.artistList(viewer, { ...query, role: 'any', ...page }, manner('artist'), signal),
    ),
    album: await wholeList(most, (page) =>
      listing.albumList(viewer, { ...query, ...page }, manner('album'), signal),
    ),
    song: await wholeList(most, (page) =>
      listing.songList(viewer, { ...query, ...page }, manner('song'), signal),
    ),
  }
}

const parameters = z.object({ musicFolderId: optional(text) })

export const getStarred = endpoint(parameters, async (parts, asking, { musicFolderId }) => ({
  starred: await starred(parts, asking, musicFolderId, true),
}))

export const getStarred2 = endpoint(parameters, async (parts, asking, { musicFolderId }) => ({
  starred2: await starred(parts, asking, musicFolderId, false),
}))
