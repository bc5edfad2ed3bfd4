import { z } from 'zod'
import { nodeName, role, zone } from '../facts/cluster.ts'
import { id } from '../ids.ts'

/** What nodes say to one another, on the port for nodes. */

/** How a node that wants to join describes itself: what becomes its member fact. */
export const newNode = z.object({
  id,
  name: nodeName,
  zone,
  roles: z.array(role).max(10),
  capacityBytes: z.int().nonnegative().nullable(),
  /** Host names and IP addresses under which it is to be dialled, for its certificate. */
  hosts: z.array(z.union([z.ipv4(), z.ipv6(), z.hostname()])).max(20),
})
export type NewNode = z.infer<typeof newNode>

export const joinRequest = newNode.extend({
  /** The secret of the join line: 256 bits in base64url. */
  secret: z.string().regex(/^[\w-]{43}$/),
  /** A PKCS #10 request in PEM; its key never leaves the node. */
  request: z.string().max(4_000),
})
export type JoinRequest = z.infer<typeof joinRequest>

/** What a node becomes with: all that it needs to find the store and to be believed. */
export const joinAnswer = z.object({
  cluster: id,
  certificate: z.string(),
  authorities: z.array(z.string()).min(1),
  /** The cluster's secret, 32 bytes in base64. */
  secret: z.base64().length(44),
  /** Where the store is reached. */
  store: z.array(z.string()),
})
export type JoinAnswer = z.infer<typeof joinAnswer>
