import type { TrackSummary } from '../protocol/api/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import type { Listener, Music } from './listening.ts'

/** An artist's albums and whatever else credits them, album by album, as the player plays it: a page at a time. */
export async function* songsOfArtist(
  music: Pick<Music, 'tracks'>,
  listener: Listener,
  artist: Id,
  signal?: AbortSignal,
): AsyncGenerator<readonly TrackSummary[]> {
  let cursor: string | undefined
  do {
    const query = { artist, order: 'album', limit: 500, cursor } as const
    const { items, next } = await music.tracks(listener, query, signal)
    yield items
    cursor = next
  } while (cursor !== undefined)
}
