import { z } from 'zod'
import type { Viewer } from '../../catalog/catalog.ts'
import { id as guid, type Id } from '../../protocol/ids.ts'
import { type Content, dateOf } from './content.ts'
import { type Asking, endpoint, type Parts, settled } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { itemId, many, moment, optional, wholeNumber } from './parameters.ts'
import { type Heard, heardOf } from './written.ts'

/** The queue of a person, which the web player and every other device go on with. */

interface Shown {
  readonly common: Content
  /** The song that plays, among the entries; undefined where there are none. */
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
  const entries = heard.filter((item) => item !== null)
  const current = queue.current === undefined ? null : (heard[queue.current] ?? null)
  // A queue with songs always has one to go on with: where that is gone, the one behind it, from its beginning.
  const before = heard.slice(0, queue.current ?? 0).filter((item) => item !== null).length
  const index = Math.min(before, entries.length - 1)
  return {
    current: entries[index]?.id,
    index: index < 0 ? undefined : index,
    common: {
      position: current === null ? 0 : queue.positionMs,
      username: asking.user.name,
      changed: dateOf(queue.changedAt),
      changedBy: queue.changedBy,
      entry: await heardOf(parts, asking, entries, 'entry'),
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

/** The most songs of a queue. */
const most = 10_000

/**
 * Keeps a queue. Apps keep songs for years and mix in what lies on the phone only: what is not here is left out, and the
 * rest is kept. Failure 70 where nothing is left.
 */
async function save(
  parts: Parts,
  { viewer, client, signal }: Asking,
  given: readonly string[],
  currentOf: () => number,
  positionMs: number,
): Promise<Content> {
  if (given.length > most) throw new Failure(10, "The parameter 'id' is not valid: more than 10,000 songs")
  const current = given.length === 0 ? 0 : currentOf()
  const known = await knownOf(parts, viewer, given, signal)
  const tracks = known.filter((id) => id !== null)
  if (tracks.length === 0 && given.length > 0) throw notFound('song')
  const before = known.slice(0, current).filter((id) => id !== null).length
  const input =
    tracks.length === 0
      ? { tracks, positionMs: 0 }
      : {
          tracks,
          current: Math.min(before, tracks.length - 1),
          positionMs: known[current] === null ? 0 : positionMs,
        }
  await settled(parts, await parts.listening.saveQueue(viewer, input, client, signal), signal)
  return {}
}

/** The ids of songs and episodes that are here; null in the place of each other one. */
async function knownOf(
  { catalog, podcasts }: Parts,
  viewer: Viewer,
  given: readonly string[],
  signal: AbortSignal,
): Promise<(Id | null)[]> {
  const ids = given.map((each) => guid.safeParse(each).data ?? null)
  const named = ids.filter((id) => id !== null)
  const lines = await catalog.trackLines(viewer, named, signal)
  const here = new Set(
    named.filter((id, at) => (lines[at] ?? null) !== null || podcasts.episode(id) !== null),
  )
  return ids.map((id) => (id !== null && here.has(id) ? id : null))
}

const position = optional(moment()).transform((given) => given ?? 0)

export const savePlayQueue = endpoint(
  z.object({ id: many(itemId), current: optional(itemId), position }),
  (parts, asking, { id, current, position }) => {
    const currentOf = () => {
      const at = current === undefined ? 0 : id.indexOf(current)
      if (at === -1) throw new Failure(10, "The parameter 'current' is not valid: not one of the songs")
      return at
    }
    return save(parts, asking, id, currentOf, position)
  },
)

export const savePlayQueueByIndex = endpoint(
  z.object({ id: many(itemId), currentIndex: optional(wholeNumber(0)), position }),
  (parts, asking, { id, currentIndex, position }) => {
    const currentOf = () => {
      if (currentIndex === undefined) throw new Failure(10, "Required parameter 'currentIndex' is missing")
      if (currentIndex < id.length) return currentIndex
      throw new Failure(10, `The parameter 'currentIndex' is not valid: there are ${id.length} songs`)
    }
    return save(parts, asking, id, currentOf, position)
  },
)
