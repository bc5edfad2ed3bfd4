import type { Chronicle, ClusterEvent, Member } from '../protocol/facts/cluster.ts'
import type { Id } from '../protocol/ids.ts'

/** The cluster as it is now, as far as events tell of it. */
export interface Observed {
  readonly nodes: readonly ObservedNode[]
  readonly layout: { readonly version: number; readonly nodes: number; readonly filled: boolean } | null
  /** Blobs that no live node has. */
  readonly unavailable: number
  /** As text that changes when they do. */
  readonly settings: string
}

export interface ObservedNode {
  readonly id: Id
  readonly name: string
  readonly state: Member['state']
  readonly alive: boolean
  /** By how much its clock is wrong, in milliseconds, where that is worth saying. */
  readonly skewMs: number | null
}

const mostEvents = 100

/**
 * The chronicle with what has happened since, or `current` itself where nothing has. It compares two states, so it
 * misses nothing that lasted, whoever wrote the former one.
 */
export function nextChronicle(current: Chronicle | null, observed: Observed, now: number): Chronicle {
  const before = new Map(current?.nodes.map((node) => [node.id, node]))
  const found = [
    ...observed.nodes.flatMap((node) => eventsOfNode(node, before.get(node.id))),
    ...eventsOfCopies(current, observed),
  ]
  const next: Chronicle = {
    events: [...(current?.events ?? []), ...found.map((event) => ({ ...event, at: now }))].slice(-mostEvents),
    nodes: observed.nodes.map(({ id, state, alive, skewMs }) => ({
      id,
      state,
      alive,
      clockIsWrong: skewMs !== null,
    })),
    layout: observed.layout?.version ?? 0,
    filled: observed.layout?.filled ?? false,
    unavailable: observed.unavailable,
    settings: observed.settings,
  }
  return current !== null && JSON.stringify(next) === JSON.stringify(current) ? current : next
}

/** What `next` tells that `current` did not, the oldest first. */
export function newsOf(current: Chronicle | null, next: Chronicle): readonly ClusterEvent[] {
  return next.events.filter((event) => current?.events.includes(event) !== true)
}

type Happened = Omit<ClusterEvent, 'at'>

function eventsOfNode(
  { name, state, alive, skewMs }: ObservedNode,
  before: Chronicle['nodes'][number] | undefined,
): Happened[] {
  if (before === undefined) return state === 'removed' ? [] : [{ kind: 'joined', name }]
  const events: Happened[] = []
  if (state !== before.state) events.push({ kind: state, name })
  if (state === 'removed') return events
  if (alive !== before.alive) events.push({ kind: alive ? 'returned' : 'silent', name })
  if (skewMs !== null && !before.clockIsWrong)
    events.push({ kind: 'clock', name, amount: Math.round(skewMs) })
  return events
}

function eventsOfCopies(current: Chronicle | null, { layout, unavailable, settings }: Observed): Happened[] {
  const events: Happened[] = []
  if (current !== null && settings !== current.settings) events.push({ kind: 'settings' })
  if (layout !== null && layout.version !== current?.layout)
    events.push({ kind: 'layout', amount: layout.nodes })
  if (layout?.filled === true && !(current?.filled === true && current.layout === layout.version))
    events.push({ kind: 'repaired' })
  if (unavailable > (current?.unavailable ?? 0)) events.push({ kind: 'unavailable', amount: unavailable })
  return events
}
