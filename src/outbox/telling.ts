import type { Connection, OutboxEvent } from '../protocol/facts/outbox.ts'
import type { Id } from '../protocol/ids.ts'
import type { Operation } from '../store/collection.ts'
import { eventTrack } from './event.ts'
import { connections, entries, entryId, idOf, userOf } from './facts.ts'
import type { Announcement, Outbox, ToldTrack } from './outbox.ts'
import { type OutboxOptions, reach } from './reach.ts'
import { shortestMs } from './services/service.ts'

/** How long saying what is played now may take, in milliseconds: later it is no longer so. */
const playingMs = 20_000

/** What puts events into the outbox, and what goes past it. */
export function createTelling(
  options: OutboxOptions,
): Pick<Outbox, 'telling' | 'announcing' | 'announce' | 'playing' | 'settled'> {
  const { store, person } = options
  const last = new Map<Id, { readonly track: Id; readonly at: number }>()
  const running = new Set<Promise<void>>()
  let lastWrittenAt = 0

  async function sayPlaying(
    user: Id,
    detail: (signal: AbortSignal) => Promise<ToldTrack>,
    signal: AbortSignal,
  ): Promise<void> {
    const { facts } = await connections.list(store, { under: `${user}/` }, signal)
    if (facts.length === 0) return
    const track = eventTrack(await detail(signal))
    if (track.durationMs <= shortestMs) return
    const saying = facts.map(async ({ id: key, value: connection }) => {
      const { service, target, ask } = await reach(options, { user, id: idOf(key), connection }, signal)
      await service.playing?.(target, track, ask)
    })
    await Promise.allSettled(saying)
  }

  async function announcing(events: readonly Announcement[], signal: AbortSignal): Promise<Operation[]> {
    const operations: Operation[] = []
    for await (const { id, value } of connections.walk(store, { skip: () => undefined }, signal)) {
      const wanted = events.filter((event) => wants(value, event))
      if (wanted.length === 0 || (await person(userOf(id), signal))?.administrator !== true) continue
      for (const event of wanted) operations.push(entries.create(entryId(id, nextMoment(), event.id), event))
    }
    return operations
  }

  /** Two of one moment keep their order. */
  function nextMoment(): number {
    lastWrittenAt = Math.max(lastWrittenAt + 1, Date.now())
    return lastWrittenAt
  }

  return {
    async telling(user, { track, ...happening }, signal) {
      const { facts } = await connections.list(store, { under: `${user}/` }, signal)
      const wanting = facts.filter(({ value }) => value.events.includes(happening.type))
      if (wanting.length === 0) return []
      const event = { ...happening, track: eventTrack(await track()) }
      const at = nextMoment()
      return wanting
        .filter(({ value }) => wants(value, event))
        .map(({ id }) => entries.create(entryId(id, at, event.id), event))
    },

    announcing,

    async announce(event, signal) {
      for (const entry of await announcing([event], signal)) await store.commit(entry, signal)
    },

    playing(user, track, detail) {
      // Players repeat themselves; services limit how often one may.
      const before = last.get(user)
      const at = Date.now()
      if (before?.track === track && at - before.at < shortestMs) return
      last.set(user, { track, at })
      const saying = sayPlaying(user, detail, AbortSignal.timeout(playingMs))
        // Nothing waits for it, and nothing is lost with it.
        .catch(() => undefined)
        .finally(() => running.delete(saying))
      running.add(saying)
    },

    async settled() {
      await Promise.all(running)
    },
  }
}

function wants({ kind, events }: Connection, event: OutboxEvent): boolean {
  if (!events.includes(event.type)) return false
  return kind === 'webhook' || (event.type === 'play.finished' && event.track.durationMs > shortestMs)
}
