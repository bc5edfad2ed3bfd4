import { z } from 'zod'
import { clusterEvent, clusterSettings, memberState, nodeName, role, zone } from '../facts/cluster.ts'
import { id, timestamp } from '../ids.ts'

/** The copies of one node, as it last reported them. */
const nodeCopies = z.object({
  /** The newest layout of which it holds every copy that can be had. */
  filled: z.int(),
  /** Those that it should hold, and how many of them are still to be made there. */
  wanted: z.int(),
  missing: z.int(),
  missingBytes: z.int(),
  /** Those that belong elsewhere by now, and go when the others have been verified. */
  surplus: z.int(),
  bytesPerSecond: z.int(),
  problem: z.string().optional().describe('Why it can keep nothing at the moment: a code'),
})

export type NodeCopies = z.infer<typeof nodeCopies>

/** A node as administrators see it: who it is, and how it is now. Sizes are bytes. */
const clusterNode = z.object({
  id,
  name: z.string(),
  zone: z.string(),
  roles: z.array(role),
  state: memberState,
  alive: z.boolean(),
  /** Whether it is the one that answers. */
  here: z.boolean(),
  joinedAt: timestamp,
  capacityBytes: z.int().optional().describe('How much it may hold; absent: all of its disk'),
  copies: nodeCopies.optional(),
  drained: z.boolean().describe('It was emptied: all that it held is elsewhere, and it may be removed'),
  /** The rest is known only of nodes that live. */
  startedAt: timestamp.optional(),
  version: z.string().optional(),
  url: z.string().optional(),
  addresses: z.array(z.string()).optional(),
  freeBytes: z.int().optional(),
  totalBytes: z.int().optional(),
  load: z.number().optional().describe('0 is idle, 1 is all that it can do'),
  clockSkewMs: z.number().optional().describe('By how much its clock is wrong, where that is worth saying'),
})
export type ClusterNode = z.infer<typeof clusterNode>

/** How the copies of all nodes stand; those in music folders are not counted, nobody made them. */
const copiesStatus = z.object({
  /** Copies that nodes should hold, as far as they have compared, and how many of them they do. */
  wanted: z.int(),
  held: z.int(),
  /** Being fetched or waited for. */
  missing: z.int(),
  /** How many bytes that is. */
  missingBytes: z.int(),
  /** On nodes that do not answer: they are made anew when the grace is over. */
  away: z.int(),
  /** What no live node can give. */
  unavailable: z.int(),
  bytesPerSecond: z.number(),
  settled: z.boolean().describe('Everything was compared, and all that can be had is here'),
})

/** The certificate authority by which the nodes know each other, and how far its replacement is. */
const authorityStatus = z.object({
  expiresAt: timestamp,
  renewal: z
    .object({
      step: z
        .enum(['trusting', 'reissuing', 'forgetting'])
        .describe('A new one is made known, signs the certificates of all nodes, and is alone trusted'),
      waitingFor: z.array(id).describe('The nodes that are not done with that step'),
    })
    .optional()
    .describe('Absent where it is not being replaced, or the store does not answer'),
})
export type AuthorityStatus = z.infer<typeof authorityStatus>

/** Administrators are told so many milliseconds before it expires. */
const authorityNoticeMs = 60 * 86_400_000
export const expiresSoon = ({ expiresAt }: Pick<AuthorityStatus, 'expiresAt'>, now: number): boolean =>
  expiresAt - now < authorityNoticeMs

export const clusterStatus = z.object({
  cluster: id,
  nodes: z.array(clusterNode),
  /** Of all nodes; where the store does not answer, of this one. */
  copies: copiesStatus,
  settings: clusterSettings,
  authority: authorityStatus,
  layout: z
    .object({ version: z.int(), nodes: z.array(id) })
    .optional()
    .describe('Which nodes hold copies; absent while that is not known'),
  /** Whether the store takes writes; reading and playing go on without. */
  storeReachable: z.boolean(),
  /** How many members the store has that vote: it takes writes while more than half of them live. */
  storeMembers: z.int(),
  storeAnswering: z.int().describe('How many of them answer: with those alone it lives on'),
  /** What keeps the store from taking writes though it answers: its quota is reached, or its members differ. */
  storeAlarm: z.enum(['full', 'diverged']).optional(),
  storeHere: z
    .boolean()
    .describe('Whether one of them is on the node that answers; an etcd of your own is anywhere'),
})
export type ClusterStatus = z.infer<typeof clusterStatus>

export const joinInvitation = z.object({
  line: z.string().describe('For `npm run hocket -- up --join`; it lets one node in, once'),
  expiresAt: timestamp,
})
export type JoinInvitation = z.infer<typeof joinInvitation>

/** A machine that may hold less is none with a disk for copies; in bytes. */
export const leastCapacity = 1_073_741_824

export const nodeChange = z
  .object({
    state: memberState.describe('`draining` empties a node, `removed` is for one that is gone for good'),
    name: nodeName,
    zone,
    capacityBytes: z
      .int()
      .min(leastCapacity)
      .nullable()
      .describe('How much it may hold, 1 GiB or more; null: all of its disk'),
  })
  .partial()
export type NodeChange = z.infer<typeof nodeChange>

export const settingsChange = z
  .object({
    replicas: z.int().min(1).max(9).describe('How many copies each blob has'),
    writeQuorum: z.int().min(1).max(9).describe('How many must be durable before an upload is acknowledged'),
    graceSeconds: z
      .int()
      .min(0)
      .max(2_592_000)
      .describe('How long a node may be silent before its copies are made anew'),
  })
  .partial()
export type SettingsChange = z.infer<typeof settingsChange>

export const clusterEvents = z.object({ events: z.array(clusterEvent).describe('The newest first') })
export type ClusterEvents = z.infer<typeof clusterEvents>
