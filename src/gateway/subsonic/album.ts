import type { AlbumDetails } from '../../catalog/index/queries/details.ts'
import type { AlbumSummary } from '../../protocol/api/catalog.ts'
import { type Content, dateOf, secondsOf } from './content.ts'
import type { Asking, Parts } from './endpoint.ts'
import { artistRefOf, markOf } from './song.ts'

/** Albums as the API's `AlbumID3`, with all that is known of them. */
export async function albumsOf(
  { details }: Pick<Parts, 'details'>,
  { viewer, signal }: Pick<Asking, 'viewer' | 'signal'>,
  albums: readonly AlbumSummary[],
): Promise<Content[]> {
  if (albums.length === 0) return []
  const known = await details.albums(
    viewer,
    albums.map(({ id }) => id),
    signal,
  )
  return albums.map((album) => albumOf(album, known.get(album.id)))
}

export function albumOf(album: AlbumSummary, details: AlbumDetails | undefined): Content {
  return {
    id: album.id,
    name: album.name,
    version: details?.version,
    artist: album.artist,
    artistId: album.artists[0]?.id,
    coverArt: album.id,
    songCount: album.trackCount,
    duration: secondsOf(album.durationMs),
    created: dateOf(album.addedAt),
    year: album.year,
    genre: album.genres[0],
    ...markOf(album.mark),
    averageRating: details?.averageRating,
    genres: album.genres.map((name) => ({ name })),
    artists: album.artists.map(artistRefOf),
    displayArtist: album.artist,
    isCompilation: album.compilation,
    sortName: details?.sortName ?? album.name,
    musicBrainzId: details?.musicBrainzId,
    recordLabels: details?.labels.map((name) => ({ name })),
    releaseTypes: details?.releaseTypes,
    moods: details?.moods,
    originalReleaseDate: itemDate(details?.originalDate ?? details?.date),
    releaseDate: itemDate(details?.releaseDate ?? details?.date),
    explicitStatus: details?.explicit ?? '',
    discTitles: details?.discs.flatMap(({ disc, title }) => (title === undefined ? [] : [{ disc, title }])),
  }
}

/** `YYYY`, `YYYY-MM` or `YYYY-MM-DD` in its parts; what is not known is left out. */
function itemDate(date: string | undefined): Content | undefined {
  if (date === undefined) return undefined
  const [year, month, day] = date.split('-').map((part) => Number(part) || undefined)
  return { year, month, day }
}

/** An album as a folder, for clients that browse by folders: it lies in its first artist. */
export function albumFolderOf(album: AlbumSummary): Content {
  return {
    id: album.id,
    parent: album.artists[0]?.id,
    isDir: true,
    title: album.name,
    album: album.name,
    artist: album.artist,
    year: album.year,
    genre: album.genres[0],
    coverArt: album.id,
    duration: secondsOf(album.durationMs),
    created: dateOf(album.addedAt),
    albumId: album.id,
    artistId: album.artists[0]?.id,
    mediaType: 'album',
    ...markOf(album.mark),
    genres: album.genres.map((name) => ({ name })),
    artists: album.artists.map(artistRefOf),
    displayArtist: album.artist,
  }
}
