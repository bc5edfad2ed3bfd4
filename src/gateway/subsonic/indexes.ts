import { z } from 'zod'
import { ignoredArticles } from '../../catalog/index/keys.ts'
import type { ArtistSummary } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import { artistFolderOf, artistsOf } from './artist.ts'
import type { Content } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { libraryOf } from './library.ts'
import { optional, text, wholeNumber } from './parameters.ts'

/** Artists that are asked of the catalog at once. */
const atOnce = 500

/** Everybody with an album, under the first letter of the name, articles aside. */
async function indexOf(
  { catalog }: Parts,
  { viewer, signal }: Asking,
  library: Id | undefined,
  write: (artists: readonly ArtistSummary[]) => Content[] | Promise<Content[]>,
): Promise<Content[]> {
  const letters = await catalog.letters(viewer, 'artists', library, signal)
  const index: Content[] = []
  let cursor: string | undefined
  let rest: ArtistSummary[] = []
  for (const { letter, count } of letters) {
    const artist: Content[] = []
    while (artist.length < count) {
      if (rest.length === 0) {
        const page = await catalog.artists(
          viewer,
          { role: 'albumArtist', order: 'name', library, cursor, limit: atOnce },
          signal,
        )
        cursor = page.next
        rest = page.items
      }
      if (rest.length === 0) break
      artist.push(...(await write(rest.splice(0, count - artist.length))))
      if (rest.length === 0 && cursor === undefined) break
    }
    if (artist.length > 0) index.push({ name: letter, artist })
    if (rest.length === 0 && cursor === undefined) break
  }
  return merged(index)
}

/** What begins with no letter stands first and last in the order of names, and under one heading here. */
function merged(index: readonly Content[]): Content[] {
  const groups = new Map<string, Content[]>()
  for (const { name, artist } of index) {
    const group = groups.get(String(name)) ?? []
    if (Array.isArray(artist)) group.push(...artist)
    groups.set(String(name), group)
  }
  return [...groups].map(([name, artist]) => ({ name, artist }))
}

export const getArtists = endpoint(
  z.object({ musicFolderId: optional(text) }),
  async (parts, asking, { musicFolderId }) => {
    const library = await libraryOf(parts.catalog, asking.viewer, musicFolderId, asking.signal)
    const index = await indexOf(parts, asking, library, (artists) => artistsOf(parts, asking, artists))
    return { artists: { ignoredArticles, lastModified: parts.lastModified.at, index } }
  },
)

/** The same for clients that browse by folders; those that have seen it since it last changed get no artists. */
export const getIndexes = endpoint(
  z.object({ musicFolderId: optional(text), ifModifiedSince: optional(wholeNumber(0)) }),
  async (parts, asking, { musicFolderId, ifModifiedSince = 0 }) => {
    const library = await libraryOf(parts.catalog, asking.viewer, musicFolderId, asking.signal)
    const lastModified = parts.lastModified.at
    const fresh = ifModifiedSince >= lastModified
    const index = fresh ? [] : await indexOf(parts, asking, library, (artists) => artists.map(artistFolderOf))
    return { indexes: { ignoredArticles, lastModified, index } }
  },
)
