import { z } from 'zod'
import { zone } from '../../protocol/facts/cluster.ts'
import { type Id, id, timestamp } from '../../protocol/ids.ts'
import { defineCollection } from '../../store/collection.ts'
import type { Place } from './placement.ts'

const place = z.object({ id, zone, capacityBytes: z.int().positive() })
const placed = z.object({ replicas: z.int().min(1).max(9), nodes: z.array(place).max(2_000) })

/**
 * Where copies belong, under `cluster/layout/current`. Written by whoever holds the office for it, from `nextLayout`.
 */
const layoutSchema = z.object({
  /** One more with each change of `replicas` or `nodes`. */
  version: z.int().positive(),
  ...placed.shape,
  /** The last layout whose copies were all made. While it is here, its copies stay (they may be the only ones). */
  previous: placed.nullable(),
  /** Members that are not alive, and since when (N1): beyond the grace period they are no longer in `nodes`. */
  silent: z.array(z.object({ id, since: timestamp })).max(2_000),
})
export type Layout = z.infer<typeof layoutSchema>

/** Its only id is `layoutId`. */
export const layouts = defineCollection({
  prefix: 'cluster/layout/',
  version: 1,
  schema: layoutSchema,
  compress: true,
})
export const layoutId = 'current'

/** A member with the role `media`, draining and removed ones included. */
export interface MediaMember {
  readonly id: Id
  readonly zone: string
  /** How much it may hold; null: all of its disk. */
  readonly capacityBytes: number | null
  readonly state: 'active' | 'draining' | 'removed'
  /** Null while it is not alive (N1). */
  readonly alive: { readonly totalBytes: number } | null
  /** The newest layout of which it has made all its copies, as it reports. */
  readonly filled: number
}

/** A capacity that differs by less than this share is not worth moving blobs for. */
const capacityTolerance = 0.1

/**
 * The layout as it should be now, or `current` itself where that is right. A silent node stays for the grace period and
 * comes back when it is alive again; a draining one leaves at once, and its copies count until they have been made
 * elsewhere. `now` is the caller's clock: a clock that is behind prolongs the grace.
 */
export function nextLayout(
  current: Layout | null,
  members: readonly MediaMember[],
  settings: { readonly replicas: number; readonly graceSeconds: number },
  now: number,
): Layout | null {
  const known = new Map(current?.nodes.map((node) => [node.id, node]))
  const silent = silentOf(current, members, now)
  const since = new Map(silent.map((one) => [one.id, one.since]))
  const staying = members.filter((member) => {
    if (member.state !== 'active') return false
    const silentSince = since.get(member.id)
    return silentSince === undefined || now - silentSince < settings.graceSeconds * 1_000
  })
  const nodes = staying.flatMap((member) => placeOf(member, known.get(member.id))).sort(byId)
  const { replicas } = settings
  if (current === null)
    return nodes.length === 0 ? null : { version: 1, replicas, nodes, previous: null, silent }

  // Copies that nobody may hold would be lost by plan: the last nodes keep theirs until there are others.
  if (nodes.length > 0 && !isSame(current, { replicas, nodes })) {
    // One that was never filled holds nothing that must be waited for: the last filled one is what counts.
    const previous = current.previous ?? { replicas: current.replicas, nodes: current.nodes }
    return { version: current.version + 1, replicas, nodes, previous, silent }
  }
  const filled = new Map(members.map((member) => [member.id, member.filled]))
  const isFilled = current.nodes.every((node) => (filled.get(node.id) ?? 0) >= current.version)
  const previous = isFilled ? null : current.previous
  const isAsBefore =
    previous === current.previous && JSON.stringify(silent) === JSON.stringify(current.silent)
  return isAsBefore ? current : { ...current, previous, silent }
}

function silentOf(current: Layout | null, members: readonly MediaMember[], now: number): Layout['silent'] {
  const before = new Map(current?.silent.map(({ id, since }) => [id, since]))
  return members
    .filter(({ alive, state }) => alive === null && state !== 'removed')
    .map((member) => ({ id: member.id, since: before.get(member.id) ?? now }))
    .sort(byId)
}

function placeOf(member: MediaMember, known: Place | undefined): Place[] {
  const { id, zone } = member
  const capacityBytes = member.capacityBytes ?? member.alive?.totalBytes ?? known?.capacityBytes ?? 0
  if (capacityBytes <= 0) return []
  const isNear =
    known !== undefined &&
    Math.abs(capacityBytes - known.capacityBytes) <= known.capacityBytes * capacityTolerance
  return [{ id, zone, capacityBytes: isNear ? known.capacityBytes : capacityBytes }]
}

type Placed = Pick<Layout, 'replicas' | 'nodes'>

function isSame(one: Placed, other: Placed): boolean {
  return one.replicas === other.replicas && JSON.stringify(one.nodes) === JSON.stringify(other.nodes)
}

function byId(one: { readonly id: Id }, other: { readonly id: Id }): number {
  return one.id < other.id ? -1 : 1
}
