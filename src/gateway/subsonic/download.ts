import { z } from 'zod'
import type { Viewer } from '../../catalog/catalog.ts'
import { isCoded } from '../../protocol/errors.ts'
import { id as guid } from '../../protocol/ids.ts'
import { sendBytes } from '../media/answer.ts'
import { type Collection, readCollection } from '../media/collections.ts'
import { type Asking, answered, endpoint, type Parts } from './endpoint.ts'
import { notFound } from './failure.ts'
import { findItem, onPlaylist } from './item.ts'
import { itemId, required } from './parameters.ts'
import { findEpisode, requireSource } from './source.ts'

/** A song or episode as it is stored; an album, an artist or a playlist as a zip of the songs. */
export const download = endpoint(z.object({ id: required(itemId) }), async (parts, asking, { id }) => {
  const { request, reply, viewer } = asking
  if (isOne(parts, viewer, id)) {
    const source = requireSource(parts, viewer, id)
    const original = await parts.tracks.open(source, asking.signal)
    const downloadAs = `${source.title}.${source.suffix}`
    await sendBytes(request, reply, original, { downloadAs }, parts.streams)
  } else {
    await parts.archives.send(request, reply, viewer, (signal) => collect(parts, asking, id, signal))
  }
  return answered
})

function isOne(parts: Parts, viewer: Viewer, given: string): boolean {
  return findItem(parts.catalog, viewer, given, ['track']) !== null || findEpisode(parts, given) !== null
}

/** Failure 70 where the id names nothing, 50 where it is someone else's playlist. */
async function collect(
  parts: Parts,
  asking: Asking,
  given: string,
  signal: AbortSignal,
): Promise<Collection> {
  const item = findItem(parts.catalog, asking.viewer, given, ['album', 'artist'])
  if (item !== null && item.kind !== 'track') {
    return readCollection(parts, asking.viewer, item.kind, item.id, signal)
  }
  if (!guid.safeParse(given).success) throw notFound('song')
  try {
    return await onPlaylist(parts, { ...asking, signal }, given, (id) =>
      readCollection(parts, asking.viewer, 'playlist', id, signal),
    )
  } catch (error) {
    throw isCoded(error, 'NOT_FOUND') ? notFound('song') : error
  }
}
