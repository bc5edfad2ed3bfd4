import { setTimeout as pause } from 'node:timers/promises'
import { isCoded } from '../protocol/errors.ts'
import type { Store } from '../store/store.ts'
import { connections, entries, progresses } from './facts.ts'
import { createLane, type Mandate } from './lane.ts'
import type { OutboxOptions } from './reach.ts'

export interface DeliveryOptions extends OutboxOptions {
  /** Told of what goes wrong here; what goes wrong outside is in the progress of each connection. */
  readonly onError: (error: unknown) => void
}

/** Connections that are delivered to at the same time. */
const mostLanes = 16
/** How often everything is compared, whatever was heard of changes, in milliseconds. */
const compareEveryMs = 30_000
/** Before trying again what the store did not let us do, in milliseconds. */
const patienceMs = 2_000

/**
 * Delivers what waits in the outbox, to every connection on its own, until the mandate ends. It goes by what waits, not
 * by what has happened: whatever a predecessor sent and could not mark is sent again (N2).
 */
export async function deliverOutbox(options: DeliveryOptions, mandate: Mandate): Promise<void> {
  const { store, onError } = options
  const { signal } = mandate
  const lane = createLane(options, mandate)
  const running = new Map<string, Promise<void>>()
  /** When a connection that was looked at may be tried again. */
  const dueAt = new Map<string, number>()
  let stir = new AbortController()

  const report = (error: unknown) => {
    if (!signal.aborted) onError(error)
  }
  const heard = (key: string) => {
    const changed = keyOfConnection(key)
    if (changed !== null) dueAt.delete(changed)
    stir.abort()
  }

  function start(key: string): void {
    const work = lane(key)
      .catch((error: unknown) => {
        report(error)
        return Date.now() + patienceMs
      })
      .then((due) => {
        running.delete(key)
        if (due === null) dueAt.delete(key)
        else dueAt.set(key, due)
        stir.abort()
      })
    running.set(key, work)
  }

  async function look(): Promise<void> {
    for await (const key of waitingConnections(store, signal)) {
      const isDue = (dueAt.get(key) ?? 0) <= Date.now()
      if (isDue && !running.has(key) && running.size < mostLanes) start(key)
    }
  }

  const watching = watchOutbox(store, heard, report, signal)
  while (!signal.aborted) {
    stir = new AbortController()
    await look().catch(report)
    const now = Date.now()
    const later = [...dueAt.values()].filter((due) => due > now)
    const next = Math.min(...later, now + compareEveryMs)
    const either = AbortSignal.any([signal, stir.signal])
    await pause(next - now, undefined, { signal: either, ref: false }).catch(() => undefined)
  }
  await Promise.all([watching, ...running.values()])
}

/** Each connection for which something waits, once: its entries stand together, and the walk leaps over them. */
async function* waitingConnections(store: Store, signal: AbortSignal): AsyncGenerator<string> {
  let after: string | undefined
  for (;;) {
    const page = await store.list(entries.prefix, { limit: 1, ...(after !== undefined && { after }) }, signal)
    const [first] = page.entries
    if (first === undefined) return
    const key = entries.id(first.key).split('/').slice(0, 2).join('/')
    yield key
    // `0` comes after `/`.
    after = entries.key(`${key}0`)
  }
}

/** The connection whose own facts have changed, so that it may be tried again at once; null: only its entries have. */
function keyOfConnection(key: string): string | null {
  for (const { prefix } of [connections, progresses])
    if (key.startsWith(prefix)) return key.slice(prefix.length)
  return null
}

/** Tells of each key of the outbox that changes. */
async function watchOutbox(
  store: Store,
  heard: (key: string) => void,
  report: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { revision } = await store.status(signal)
      for await (const { changes } of store.watch('outbox/', revision, signal)) {
        for (const { key } of changes) heard(key)
      }
    } catch (error) {
      if (isCoded(error, 'COMPACTED')) continue
      report(error)
      await pause(patienceMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
}
