import type { Copies } from '../../blobs/copies/copies.ts'
import type { Figure } from '../../gateway/metrics.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Operator } from './operator.ts'

interface Parts {
  readonly registry: Registry
  readonly copies: Pick<Copies, 'status'>
  /** Null without the role. */
  readonly operator: Pick<Operator, 'isInOffice'> | null
  readonly storeEndpoints: () => readonly string[]
}

/**
 * What the metrics tell of the cluster. Of copies each node tells its own: the sum over all nodes is that of the
 * cluster. Of nodes each tells what it sees, so that two which see different ones show.
 */
export function figuresOf({ registry, copies, operator, storeEndpoints }: Parts): readonly Figure[] {
  const living = (state: 'active' | 'draining') => registry.nodes().filter((node) => node.state === state)
  const present = () => registry.following && registry.node(registry.self) !== null
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['hocket_cluster_nodes_alive', 'Nodes that live and take part', () => living('active').length],
    [
      'hocket_cluster_nodes_draining',
      'Nodes that live and are being emptied',
      () => living('draining').length,
    ],
    [
      'hocket_cluster_nodes_silent',
      'Nodes that belong to the cluster and do not answer',
      () =>
        registry.members().filter(({ id, state }) => state !== 'removed' && registry.node(id) === null)
          .length,
    ],
    [
      'hocket_cluster_wrong_clocks',
      'Nodes whose clock is wrong by more than five seconds',
      () => registry.nodes().filter(({ skewMs }) => skewMs !== null).length,
    ],
    [
      'hocket_cluster_lease_held',
      '1 while this node follows the store and stands there as alive',
      () => Number(present()),
    ],
    [
      'hocket_cluster_operator',
      '1 while this node looks after the whole cluster',
      () => Number(operator?.isInOffice),
    ],
    ['hocket_cluster_store_members', 'Members of etcd that vote', () => storeEndpoints().length],
    ['hocket_copies_wanted', 'Copies that belong on this node', () => copies.status().wanted],
    ['hocket_copies_present', 'Those that are there', () => copies.status().here],
    ['hocket_copies_missing', 'Those that are still to be made', () => copies.status().missing],
    ['hocket_copies_missing_bytes', 'How many bytes these have', () => copies.status().missingBytes],
    [
      'hocket_copies_surplus',
      'Copies that belong elsewhere and wait to be dropped',
      () => copies.status().surplus,
    ],
    ['hocket_copies_unavailable', 'Missing copies that no live node can give', () => copies.status().lost],
  ]
  return [
    ...gauges.map(([name, help, read]) => ({ name, help, kind: 'gauge', read }) as const),
    {
      name: 'hocket_copies_copied_bytes_total',
      help: 'Bytes that were copied to this node from others',
      kind: 'counter',
      read: () => copies.status().copiedBytes,
    },
  ]
}
