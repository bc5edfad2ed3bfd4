import type { Viewer } from '../../catalog/catalog.ts'
import type { Listening } from '../../listening/listening.ts'
import { authorOf, titleOf } from '../../podcasts/names.ts'
import type { KnownEpisode, ShownChannel } from '../../podcasts/podcasts.ts'
import type { EpisodeSummary, PodcastSummary } from '../../protocol/api/podcasts.ts'
import { type ErrorCode, errorCodes, isCoded } from '../../protocol/errors.ts'
import type { PodcastTrouble } from '../../protocol/facts/podcasts.ts'
import type { Id } from '../../protocol/ids.ts'
import { pictureVersion } from '../media/episodes.ts'

/** Podcasts and their episodes as `/api` says them. */

export function summaryOfPodcast(channel: ShownChannel): PodcastSummary {
  const { id, url, feed, image, addedAt, checkedAt, askedAt = 0, trouble, episodeCount, newestAt } = channel
  return {
    id,
    url,
    title: titleOf(channel),
    description: feed.description,
    author: feed.author,
    cover: image?.blob ?? 'none',
    addedAt,
    checkedAt,
    refreshing: checkedAt === undefined || askedAt > checkedAt,
    episodeCount,
    newestAt,
    trouble: shownTrouble(trouble),
  }
}

export function summaryOfEpisode(episode: KnownEpisode, placeMs: number | undefined): EpisodeSummary {
  const { id, channel, feed, kept, addedAt, trouble } = episode
  return {
    id,
    podcast: { id: channel.id, title: titleOf(channel) },
    title: feed.title,
    author: authorOf(episode),
    description: feed.description,
    season: feed.season,
    number: feed.number,
    explicit: feed.explicit,
    durationMs: kept?.durationMs ?? feed.durationMs,
    publishedAt: feed.publishedAt ?? addedAt,
    size: kept?.size ?? feed.audio.size,
    cover: pictureVersion(episode),
    state: stateOf(episode),
    trouble: shownTrouble(trouble),
    audio: kept && {
      durationMs: kept.durationMs,
      codec: kept.codec,
      mediaType: kept.mediaType,
      suffix: kept.suffix,
      bitrate: kept.bitrate,
      size: kept.size,
      version: kept.blob,
    },
    placeMs,
  }
}

function stateOf({ state }: KnownEpisode): EpisodeSummary['state'] {
  if (state === 'kept') return 'downloaded'
  if (state === 'wanted') return 'downloading'
  return state === 'failed' ? 'failed' : 'remote'
}

function shownTrouble(trouble: PodcastTrouble | undefined): EpisodeSummary['trouble'] {
  if (trouble === undefined) return undefined
  const { title, help } = isErrorCode(trouble.code) ? errorCodes[trouble.code] : errorCodes.INTERNAL
  return { ...trouble, title, help }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}

/** How long the store may take to tell of places, in milliseconds: episodes are heard without them too. */
const patienceMs = 1_000

/** Where the viewer goes on, by episode: nowhere while the store is away, which plays nobody less. */
export async function placesOf(
  listening: Pick<Listening, 'bookmarks'>,
  viewer: Viewer,
  signal: AbortSignal,
): Promise<ReadonlyMap<Id, number>> {
  const patience = AbortSignal.timeout(patienceMs)
  try {
    const found = await listening.bookmarks(viewer, AbortSignal.any([signal, patience]))
    return new Map(found.map(({ id, positionMs }) => [id, positionMs]))
  } catch (error) {
    const isAway = patience.aborted || isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')
    if (signal.aborted || !isAway) throw error
    return new Map()
  }
}
