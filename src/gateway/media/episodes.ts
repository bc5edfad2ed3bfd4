import type { TrackSource } from '../../catalog/catalog.ts'
import { titleOf } from '../../podcasts/names.ts'
import type { KnownEpisode, Podcasts } from '../../podcasts/podcasts.ts'
import type { Id } from '../../protocol/ids.ts'
import type { TrackPicture } from './renditions.ts'

/** The bytes of an episode as those of a track: to those who play them they are the same. Null where it is not here. */
export function sourceOfEpisode({ id, channel, feed, kept }: KnownEpisode): TrackSource | null {
  if (kept === undefined) return null
  const { bitDepth: _depth, ...audio } = kept
  return {
    ...audio,
    id,
    album: channel.id,
    part: '000',
    title: feed.title,
    fingerprint: kept.blob,
    embeddedCover: false,
    embeddedLyrics: false,
    places: [],
  }
}

export interface PodcastPicture {
  readonly name: string
  readonly pictures: readonly TrackPicture[]
  readonly mosaic: false
}

/** The picture of a podcast, or of an episode: its own, or else its channel's. Null where there is neither. */
export function podcastPicture(
  podcasts: Pick<Podcasts, 'channel' | 'episode'>,
  id: Id,
): PodcastPicture | null {
  const episode = podcasts.episode(id)
  const channel = episode?.channel ?? podcasts.channel(id)
  if (channel === null) return null
  const pictures = [episode?.image, channel.image].flatMap((image): TrackPicture[] => {
    if (image === undefined) return []
    const { blob, size } = image
    // It is in no library, whatever id is named: all there is of it is the blob.
    const file = { library: channel.id, path: '', modifiedAt: undefined, is: { blob, size } }
    return [{ version: blob, place: undefined, file, within: null }]
  })
  return { name: episode?.feed.title ?? titleOf(channel), pictures, mosaic: false }
}

/** By which a page knows that the picture is another. */
export function pictureVersion({ channel, image }: Pick<KnownEpisode, 'channel' | 'image'>): string {
  return (image ?? channel.image)?.blob ?? 'none'
}
