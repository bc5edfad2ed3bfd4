import { z } from 'zod'
import type { Id } from '../../protocol/ids.ts'
import { type Content, dateOf } from './content.ts'
import { type Asking, endpoint, type Parts, settled } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { requireGuid } from './item.ts'
import { itemId, many, optional, wholeNumber } from './parameters.ts'
import { type Heard, heardOf } from './written.ts'

/** The queue of a person, which the web player and every other device go on with. */

interface Shown {
  readonly common: Content
  /** The song that plays: among the entries, where the asker sees it. */
  readonly index: number | undefined
  readonly current: string | undefined
}

async function readQueue(parts: Parts, asking: Asking): Promise<Shown | null> {
  const queue = await parts.listening.queue(asking.viewer, asking.signal)
  if (queue.changedAt === 0) return null
  const heard = queue.tracks.map((id, at): Heard | null => {
    if ((queue.items[at] ?? null) !== null) return { id, isEpisode: false }
    return parts.podcasts.episode(id) === null ? null : { id, isEpisode: true }
  })
  const current = queue.current === undefined ? null : (heard[queue.current] ?? null)
  const before = heard.slice(0, queue.current).filter((item) => item !== null).length
  return {
    current: current?.id,
    index: current === null ? undefined : before,
    common: {
      position: current === null ? 0 : queue.positionMs,
      username: asking.user.name,
      changed: dateOf(queue.changedAt),
      changedBy: queue.changedBy,
      entry: await heardOf(
        parts,
        asking,
        heard.filter((item) => item !== null),
        'entry',
      ),
    },
  }
}

export const getPlayQueue = endpoint(z.object({}), async (parts, asking) => {
  const queue = await readQueue(parts, asking)
  return { playQueue: queue === null ? never(asking) : { current: queue.current, ...queue.common } }
})

export const getPlayQueueByIndex = endpoint(z.object({}), async (parts, asking) => {
  const queue = await readQueue(parts, asking)
  return {
    playQueueByIndex: queue === null ? never(asking) : { currentIndex: queue.index, ...queue.common },
  }
})

/** The queue of who has never had one. */
function never({ user }: Asking): Content {
  return { username: user.name, changed: dateOf(user.createdAt), changedBy: '', entry: [] }
}

async function save(
  parts: Parts,
  { viewer, client, signal }: Asking,
  ids: readonly string[],
  currentOf: (tracks: readonly string[]) => number,
  positionMs: number,
): Promise<Content> {
  const tracks = ids.map((id) => requireGuid(id, 'song'))
  if (tracks.length > 10_000) throw new Failure(10, "The parameter 'id' is not valid: more than 10,000 songs")
  const lines = await parts.catalog.trackLines(viewer, tracks, signal)
  const isKnown = (id: Id, at: number) => (lines[at] ?? null) !== null || parts.podcasts.episode(id) !== null
  if (!tracks.every(isKnown)) throw notFound('song')
  const input =
    tracks.length === 0 ? { tracks, positionMs: 0 } : { tracks, current: currentOf(tracks), positionMs }
  await settled(parts, await parts.listening.saveQueue(viewer, input, client, signal), signal)
  return {}
}

const position = optional(wholeNumber(0)).transform((given) => given ?? 0)

export const savePlayQueue = endpoint(
  z.object({ id: many(itemId), current: optional(itemId), position }),
  (parts, asking, { id, current, position }) =>
    save(
      parts,
      asking,
      id,
      (tracks) => {
        const at = current === undefined ? 0 : tracks.indexOf(current)
        if (at === -1) throw new Failure(10, "The parameter 'current' is not valid: not one of the songs")
        return at
      },
      position,
    ),
)

export const savePlayQueueByIndex = endpoint(
  z.object({ id: many(itemId), currentIndex: optional(wholeNumber(0)), position }),
  (parts, asking, { id, currentIndex, position }) =>
    save(
      parts,
      asking,
      id,
      (tracks) => {
        if (currentIndex === undefined) throw new Failure(10, "Required parameter 'currentIndex' is missing")
        if (currentIndex >= tracks.length) {
          throw new Failure(10, `The parameter 'currentIndex' is not valid: there are ${tracks.length} songs`)
        }
        return currentIndex
      },
      position,
    ),
)
