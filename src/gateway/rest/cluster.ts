import { z } from 'zod'
import type { Written } from '../../accounts/accounts.ts'
import {
  type ClusterEvents,
  type ClusterStatus,
  clusterEvents,
  clusterStatus,
  type JoinInvitation,
  joinInvitation,
  type NodeChange,
  nodeChange,
  type SettingsChange,
  settingsChange,
} from '../../protocol/api/cluster.ts'
import { CodedError } from '../../protocol/errors.ts'
import { type Id, id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { written } from '../freshness.ts'
import { done, made, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'

/** The cluster that a node belongs to, as its administrators handle it. */
export interface Cluster {
  status(signal: AbortSignal): Promise<ClusterStatus>
  /** A line that lets one more node in. */
  invite(signal: AbortSignal): Promise<Written<JoinInvitation>>
  /** NOT_FOUND, NODE_REMOVED. */
  change(node: Id, change: NodeChange, signal: AbortSignal): Promise<Written<void>>
  /** BAD_REQUEST where more copies would have to be durable than there are. */
  set(change: SettingsChange, signal: AbortSignal): Promise<Written<void>>
  /** Begins to replace the certificate authority; goes on with what has begun. */
  renewAuthority(signal: AbortSignal): Promise<Written<void>>
  /** What has happened, as whoever holds the office of the operator has noted it. */
  events(signal: AbortSignal): Promise<ClusterEvents>
}

/** The nodes of the cluster; a machine that stands alone answers that it belongs to none. */
export function clusterRoutes(app: Api, { cluster }: { readonly cluster: Cluster | null }): void {
  const tag = 'Administration'
  const config = { administrator: true }

  function present(): Cluster {
    if (cluster === null) throw new CodedError('NOT_IN_CLUSTER')
    return cluster
  }

  app.get(
    '/api/cluster',
    {
      config,
      schema: {
        operationId: 'readCluster',
        summary: 'The nodes of the cluster, and how their copies stand',
        tag,
        response: ok(clusterStatus, 'The cluster'),
      },
    },
    (_request, reply) => present().status(signalOf(reply)),
  )

  app.post(
    '/api/cluster/invitations',
    {
      config,
      schema: {
        operationId: 'inviteNode',
        summary: 'A line that lets one more machine join, once, within a day',
        tag,
        response: made(joinInvitation, 'The line; it is shown this once'),
      },
    },
    async (_request, reply) => written(reply.code(201), await present().invite(signalOf(reply))),
  )

  app.patch(
    '/api/cluster/nodes/:id',
    {
      config,
      schema: {
        operationId: 'changeNode',
        summary:
          'Empty a node, take it back, remove one that is gone for good, or change its name, zone or room',
        tag,
        params: z.object({ id }),
        body: nodeChange,
        response: done('It is so'),
      },
    },
    async (request, reply) => {
      return written(
        reply.code(204),
        await present().change(request.params.id, request.body, signalOf(reply)),
      )
    },
  )

  app.patch(
    '/api/cluster/settings',
    {
      config,
      schema: {
        operationId: 'changeClusterSettings',
        summary: 'How many copies there are, how many an upload waits for, and how long a node may be silent',
        tag,
        body: settingsChange,
        response: done('They hold from now on'),
      },
    },
    async (request, reply) => written(reply.code(204), await present().set(request.body, signalOf(reply))),
  )

  app.post(
    '/api/cluster/authority/renewal',
    {
      config,
      schema: {
        operationId: 'renewAuthority',
        summary: 'Replace the certificate authority by which the nodes know each other',
        tag,
        response: done('It has begun, or goes on; `GET /api/cluster` tells how far it is'),
      },
    },
    async (_request, reply) => written(reply.code(204), await present().renewAuthority(signalOf(reply))),
  )

  app.get(
    '/api/cluster/events',
    {
      config,
      schema: {
        operationId: 'listClusterEvents',
        summary: 'The last hundred events of the cluster',
        tag,
        response: ok(clusterEvents, 'The newest first'),
      },
    },
    (_request, reply) => present().events(signalOf(reply)),
  )
}
