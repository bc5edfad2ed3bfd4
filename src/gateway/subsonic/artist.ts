import type { ArtistSummary } from '../../protocol/api/catalog.ts'
import { type Content, dateWhere } from './content.ts'
import type { Asking, Parts } from './endpoint.ts'

/** Artists as the API's `ArtistID3`. */
export async function artistsOf(
  { details }: Pick<Parts, 'details'>,
  { viewer, signal }: Pick<Asking, 'viewer' | 'signal'>,
  artists: readonly ArtistSummary[],
): Promise<Content[]> {
  if (artists.length === 0) return []
  const known = await details.artists(
    viewer,
    artists.map(({ id }) => id),
    signal,
  )
  return artists.map((artist) => ({
    id: artist.id,
    name: artist.name,
    coverArt: artist.id,
    albumCount: artist.albumCount,
    starred: dateWhere(artist.mark.starredAt),
    userRating: artist.mark.rating,
    averageRating: known.get(artist.id)?.averageRating,
    musicBrainzId: known.get(artist.id)?.musicBrainzId,
    sortName: artist.sortName,
    roles: known.get(artist.id)?.roles,
  }))
}

/** An artist as a folder, for clients that browse by folders. */
export function artistFolderOf({ id, name, mark }: ArtistSummary): Content {
  return { id, name, starred: dateWhere(mark.starredAt), userRating: mark.rating }
}
