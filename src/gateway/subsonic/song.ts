import type { TrackDetails } from '../../catalog/index/queries/details.ts'
import type { MoreTags } from '../../catalog/index/tracks.ts'
import type { ArtistRef, TrackSummary } from '../../protocol/api/catalog.ts'
import { type Content, dateOf, dateWhere, secondsOf } from './content.ts'
import type { Asking, Parts } from './endpoint.ts'

/** Songs as the API's `Child`, with all that the index knows of them. */
export async function songsOf(
  { details }: Pick<Parts, 'details'>,
  { viewer, signal }: Pick<Asking, 'viewer' | 'signal'>,
  tracks: readonly TrackSummary[],
): Promise<Content[]> {
  if (tracks.length === 0) return []
  const known = await details.tracks(
    viewer,
    tracks.map(({ id }) => id),
    signal,
  )
  return tracks.map((track) => songOf(track, known.get(track.id)))
}

export function songOf(track: TrackSummary, details: TrackDetails | undefined): Content {
  const { mark, album, genres, artists, albumArtists } = track
  return {
    id: track.id,
    parent: album.id,
    isDir: false,
    title: track.title,
    album: album.name,
    artist: track.artist,
    track: track.track,
    year: track.year,
    genre: genres[0],
    coverArt: album.id,
    size: track.size,
    contentType: track.mediaType,
    suffix: track.suffix,
    duration: secondsOf(track.durationMs),
    bitRate: track.bitrate,
    path: details?.path ?? `${track.artist}/${album.name}/${track.title}.${track.suffix}`,
    isVideo: false,
    discNumber: track.disc,
    created: dateOf(track.addedAt),
    albumId: album.id,
    artistId: artists[0]?.id,
    type: 'music',
    mediaType: 'song',
    ...markOf(mark),
    ...(details && soundOf(details)),
    sortName: details?.sortName ?? track.title,
    genres: genres.map((name) => ({ name })),
    artists: artists.map(artistRefOf),
    displayArtist: track.artist,
    albumArtists: albumArtists.map(artistRefOf),
    displayAlbumArtist: albumArtists.map(({ name }) => name).join(', '),
    contributors: details?.contributors.map(({ role, subRole, ...artist }) => ({
      role,
      subRole,
      artist: artistRefOf(artist),
    })),
    displayComposer: details?.composers.map(({ name }) => name).join(', '),
    explicitStatus: track.explicit ?? '',
    ...(track.replayGain && { replayGain: { ...track.replayGain } }),
    ...(details && tagsOf(details.more)),
  }
}

function soundOf({ bitDepth, sampleRate, channels, bpm, comment, averageRating }: TrackDetails): Content {
  return { averageRating, bitDepth, samplingRate: sampleRate, channelCount: channels, bpm, comment }
}

function tagsOf({ recording, isrcs = [], moods = [], works = [], movements = [], groupings = [] }: MoreTags) {
  return {
    musicBrainzId: recording,
    isrc: isrcs,
    moods,
    works: works.map((name) => ({ name })),
    movements: movements.map(({ name, number, count }) => ({ name, number, count })),
    groupings,
  }
}

export function artistRefOf({ id, name }: ArtistRef): Content {
  return { id, name }
}

/** What the user who asks says of something. */
export function markOf({ starredAt, rating, playCount, playedAt }: TrackSummary['mark']): Content {
  return { starred: dateWhere(starredAt), userRating: rating, playCount, played: dateWhere(playedAt) }
}
