import type { TrackDetails } from '../../catalog/index/queries/track-details.ts'
import { nobody } from '../../catalog/nobody.ts'
import type { ArtistRef, ItemMark, TrackSummary } from '../../protocol/api/catalog.ts'
import { dateOf, dateWhere, secondsOf } from './content.ts'
import { coverArt } from './cover-art.ts'
import { list, part, shape, texts } from './shape.ts'

/** An artist as others name them. */
export const artistRef = shape<ArtistRef>({ id: ({ id }) => id, name: ({ name }) => name })
/** What has nothing but a name: a genre, a label, a work. */
export const named = shape<string>({ name: (name) => name })

const contributor = shape<TrackDetails['contributors'][number]>({
  role: ({ role }) => role,
  subRole: ({ subRole }) => subRole,
  artist: part(artistRef, (artist) => artist),
})

const gain = shape<NonNullable<TrackSummary['replayGain']>>({
  trackGain: ({ trackGain }) => trackGain,
  trackPeak: ({ trackPeak }) => trackPeak,
  albumGain: ({ albumGain }) => albumGain,
  albumPeak: ({ albumPeak }) => albumPeak,
})

const movement = shape<NonNullable<TrackDetails['more']['movements']>[number]>({
  name: ({ name }) => name,
  number: ({ number }) => number,
  count: ({ count }) => count,
})

/** What the user who asks says of something. */
export const marked = {
  starred: ({ mark }: Marked) => dateWhere(mark.starredAt),
  userRating: ({ mark }: Marked) => mark.rating,
  averageRating: ({ averageRating }: Marked) => averageRating,
  playCount: ({ mark }: Marked) => mark.playCount,
  played: ({ mark }: Marked) => dateWhere(mark.playedAt),
}
interface Marked {
  readonly mark: ItemMark
  readonly averageRating: number | undefined
}

const none: readonly never[] = []

/**
 * What stands where nothing is tagged: apps show a name of nothing as an empty line that nobody finds. The API tells no
 * language, so it is English.
 */
export const nameless = { artist: 'Unknown artist', album: 'Unknown album' } as const

/** Those who are named; where nobody is, whoever stands for that, so that apps find it below an artist. */
export function artistsOf(named: readonly ArtistRef[]): readonly ArtistRef[] {
  return named.length === 0 ? nobodys : named
}
const nobodys: readonly ArtistRef[] = [{ id: nobody, name: nameless.artist }]

/** What stands alone on an album of somebody has no artist to be found below: the album is. */
function artistsOfSong({ artists, album }: Song): readonly ArtistRef[] {
  return artists.length === 0 && album.artists.length === 0 ? nobodys : artists
}

/** A track, and where the listener wants to go on in it. */
export interface Song extends TrackDetails {
  /** In milliseconds. */
  readonly bookmarkPosition?: number | undefined
}

/** Songs as the API's `Child`, with all that the index knows of them. */
export const song = shape<Song>({
  id: ({ id }) => id,
  parent: ({ album }) => album.id,
  isDir: false,
  title: ({ title }) => title,
  album: ({ album }) => album.name || nameless.album,
  artist: ({ artist }) => artist || nameless.artist,
  track: ({ track }) => track,
  year: ({ year }) => year,
  genre: ({ genres }) => genres[0],
  coverArt: ({ album }) => coverArt(album.id, album.cover),
  size: ({ size }) => size,
  contentType: ({ mediaType }) => mediaType,
  suffix: ({ suffix }) => suffix,
  duration: ({ durationMs }) => secondsOf(durationMs),
  bitRate: ({ bitrate }) => bitrate,
  path: ({ path, artist, album, title, suffix }) =>
    path ?? `${artist || nameless.artist}/${album.name || nameless.album}/${title}.${suffix}`,
  isVideo: false,
  discNumber: ({ disc }) => disc,
  created: ({ addedAt }) => dateOf(addedAt),
  albumId: ({ album }) => album.id,
  artistId: (track) => artistsOfSong(track)[0]?.id,
  type: 'music',
  mediaType: 'song',
  ...marked,
  bookmarkPosition: ({ bookmarkPosition }) => bookmarkPosition,
  bitDepth: ({ bitDepth }) => bitDepth,
  samplingRate: ({ sampleRate }) => sampleRate,
  channelCount: ({ channels }) => channels,
  bpm: ({ bpm }) => bpm,
  comment: ({ comment }) => comment,
  sortName: ({ sortName, title }) => sortName ?? title,
  genres: list(named, ({ genres }) => genres),
  artists: list(artistRef, artistsOfSong),
  displayArtist: ({ artist }) => artist || nameless.artist,
  albumArtists: list(artistRef, ({ album }) => artistsOf(album.artists)),
  displayAlbumArtist: ({ album }) => namesOf(album.artists) || nameless.artist,
  contributors: list(contributor, ({ contributors }) => contributors),
  displayComposer: ({ composers }) => namesOf(composers),
  explicitStatus: ({ explicit }) => explicit ?? '',
  replayGain: part(gain, ({ replayGain }) => replayGain),
  musicBrainzId: ({ more }) => more.recording,
  isrc: texts(({ more }) => more.isrcs ?? none),
  moods: texts(({ more }) => more.moods ?? none),
  works: list(named, ({ more }) => more.works ?? none),
  movements: list(movement, ({ more }) => more.movements ?? none),
  groupings: texts(({ more }) => more.groupings ?? none),
})

function namesOf(artists: readonly ArtistRef[]): string {
  return artists.map(({ name }) => name).join(', ')
}
