import { authorOf, titleOf } from '../../podcasts/names.ts'
import type { KnownChannel, KnownEpisode } from '../../podcasts/podcasts.ts'
import { errorCodes } from '../../protocol/errors.ts'
import type { PodcastTrouble } from '../../protocol/facts/podcasts.ts'
import { dateOf, dateWhere, secondsOf } from './content.ts'
import { coverArt } from './cover-art.ts'
import { list, shape } from './shape.ts'

/** An episode, and where the listener wants to go on in it. */
export interface ShownEpisode extends KnownEpisode {
  /** In milliseconds. */
  readonly bookmarkPosition?: number | undefined
}

/** Episodes of podcasts as the API's `PodcastEpisode`. */
export const episode = shape<ShownEpisode>({
  id: ({ id }) => id,
  parent: ({ channel }) => channel.id,
  isDir: false,
  title: ({ feed }) => feed.title,
  album: ({ channel }) => titleOf(channel),
  artist: authorOf,
  track: ({ feed }) => feed.number,
  year: ({ feed }) =>
    feed.publishedAt === undefined ? undefined : new Date(feed.publishedAt).getUTCFullYear(),
  genre: 'Podcast',
  coverArt: ({ id, image, channel }) => (image === undefined ? coverOf(channel) : coverArt(id, image.blob)),
  size: ({ kept, feed }) => kept?.size ?? feed.audio.size,
  contentType: ({ kept, feed }) => kept?.mediaType ?? feed.audio.mediaType,
  suffix: ({ kept }) => kept?.suffix,
  duration: ({ kept, feed }) => secondsWhere(kept?.durationMs ?? feed.durationMs),
  bitRate: ({ kept }) => kept?.bitrate,
  isVideo: false,
  discNumber: ({ feed }) => feed.season,
  created: ({ addedAt }) => dateOf(addedAt),
  type: 'podcast',
  bookmarkPosition: ({ bookmarkPosition }) => bookmarkPosition,
  bitDepth: ({ kept }) => kept?.bitDepth,
  samplingRate: ({ kept }) => kept?.sampleRate,
  channelCount: ({ kept }) => kept?.channels,
  displayArtist: authorOf,
  explicitStatus: ({ feed }) => explicitOf(feed.explicit),
  streamId: ({ id, kept }) => (kept === undefined ? undefined : id),
  channelId: ({ channel }) => channel.id,
  description: ({ feed }) => feed.description,
  status: statusOf,
  errorMessage: ({ trouble }) => messageOf(trouble),
  publishDate: ({ feed }) => dateWhere(feed.publishedAt),
})

/** A channel with those of its episodes that are asked for; none is another thing than an empty list. */
export interface ShownChannel extends KnownChannel {
  readonly episodes: readonly ShownEpisode[] | undefined
}

export const channel = shape<ShownChannel>({
  id: ({ id }) => id,
  url: ({ url }) => url,
  title: titleOf,
  description: ({ feed }) => feed.description,
  coverArt: coverOf,
  originalImageUrl: ({ feed }) => feed.imageUrl,
  status: statusOfChannel,
  errorMessage: ({ trouble }) => messageOf(trouble),
  episode: list(episode, ({ episodes }) => episodes),
})

function coverOf({ id, image }: KnownChannel): string {
  return coverArt(id, image?.blob ?? '')
}

/** What is tried again by itself is an error until it has gone well. */
function statusOf({ state, trouble }: KnownEpisode): string {
  if (state === 'kept') return 'completed'
  if (state === 'failed' || (state === 'wanted' && trouble !== undefined)) return 'error'
  return state === 'wanted' ? 'downloading' : state
}

function statusOfChannel({ checkedAt, askedAt = 0, trouble }: KnownChannel): string {
  if (checkedAt === undefined) return 'new'
  if (askedAt > checkedAt) return 'downloading'
  return trouble === undefined ? 'completed' : 'error'
}

function messageOf(trouble: PodcastTrouble | undefined): string | undefined {
  if (trouble === undefined) return undefined
  const [, known] = Object.entries(errorCodes).find(([code]) => code === trouble.code) ?? []
  return [known?.title ?? trouble.code, ...(trouble.detail === undefined ? [] : [trouble.detail])].join(': ')
}

function secondsWhere(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : secondsOf(milliseconds)
}

function explicitOf(explicit: boolean | undefined): string {
  if (explicit === undefined) return ''
  return explicit ? 'explicit' : 'clean'
}
