import type { CopiesReport } from '../../blobs/copies/report.ts'
import type { Layout } from '../../blobs/placement/layout.ts'
import type { ClusterStatus } from '../../protocol/api/cluster.ts'
import type { ClusterSettings, Member } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'

/** What is known of the copies of all nodes. */
export interface Known {
  readonly members: readonly Pick<Member, 'id' | 'state' | 'roles'>[]
  readonly live: ReadonlySet<Id>
  readonly reports: ReadonlyMap<Id, CopiesReport>
  readonly layout: Layout | null
  readonly settings: Pick<ClusterSettings, 'replicas'>
}

/** What all nodes say of their copies, added up; of silent ones, what is not to be had from them meanwhile. */
export function standingOf(known: Known): ClusterStatus['copies'] {
  const { members, live, reports, layout } = known
  const sum = { wanted: 0, held: 0, missing: 0, missingBytes: 0, away: 0, unavailable: 0, bytesPerSecond: 0 }
  for (const { id, state } of members) {
    const report = reports.get(id)
    if (report === undefined || state === 'removed') continue
    const { wanted, missing, missingBytes, lost, bytesPerSecond } = report
    const held = Math.max(0, wanted - missing)
    if (live.has(id)) {
      sum.wanted += wanted
      sum.held += held
      sum.missing += missing
      sum.missingBytes += missingBytes
      sum.bytesPerSecond += bytesPerSecond
      // Each node that lacks it counts the same blob.
      sum.unavailable = Math.max(sum.unavailable, lost)
    } else if (layout?.nodes.some((node) => node.id === id)) {
      sum.wanted += wanted
      sum.away += held
    }
  }
  return { ...sum, settled: isSettled(known) }
}

/**
 * Whether a node that is being emptied is needed no more: all that it held has been made elsewhere, by nodes that live.
 * Where one of them has died since, what is still here may be the only copy.
 */
export function isDrained(
  { id, state }: Pick<Member, 'id' | 'state'>,
  { layout, live }: Pick<Known, 'layout' | 'live'>,
): boolean {
  return (
    state === 'draining' &&
    layout !== null &&
    layout.previous === null &&
    layout.nodes.every((node) => node.id !== id && live.has(node.id))
  )
}

/**
 * What nodes miss is as old as the layout that they last compared. After a machine was drained, removed or added, or the
 * number of copies was changed, they miss nothing for some seconds, until the layout is made anew and compared.
 */
function isSettled({ members, live, reports, layout, settings }: Known): boolean {
  if (layout === null || layout.replicas !== settings.replicas) return false
  const placed = new Set(layout.nodes.map(({ id }) => id))
  return members.every(({ id, state, roles }) => {
    if (state !== 'active') return !placed.has(id)
    if (!live.has(id)) return true
    if (!roles.includes('media')) return !placed.has(id)
    const report = reports.get(id)
    if (report === undefined) return false
    const { filled, comparing, missing, lost } = report
    return placed.has(id) && filled >= layout.version && !comparing && missing === lost
  })
}
