import { z } from 'zod'
import type { Written } from '../../accounts/accounts.ts'
import {
  type ClusterStatus,
  clusterStatus,
  type JoinInvitation,
  joinInvitation,
  nodeChange,
} from '../../protocol/api/cluster.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Member } from '../../protocol/facts/cluster.ts'
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
  setState(node: Id, state: Member['state'], signal: AbortSignal): Promise<Written<void>>
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
        summary: 'Empty a node, take it back, or remove one that is gone for good',
        tag,
        params: z.object({ id }),
        body: nodeChange,
        response: done('It is so'),
      },
    },
    async (request, reply) => {
      const { state } = request.body
      return written(reply.code(204), await present().setState(request.params.id, state, signalOf(reply)))
    },
  )
}
