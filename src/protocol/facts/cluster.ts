import { z } from 'zod'
import { blobHash, id, timestamp } from '../ids.ts'

/** Facts of the cluster itself, below `cluster/`: who belongs to it, who is alive, and what it agrees on. */

export const role = z.enum(['gateway', 'accounts', 'catalog', 'media', 'operator'])
export type Role = z.infer<typeof role>
export const allRoles: readonly Role[] = role.options

export const nodeName = z.string().trim().min(1).max(64)
/** What fails together: a machine, a room, a building. No two copies lie in one while there are enough of them. */
export const zone = z.string().trim().min(1).max(64)

/** Where a node's server for other nodes is reached: `192.168.1.5:4651`, `nas.example.org:4651`, `[fd00::5]:4651`. */
export const peerAddress = z
  .string()
  .max(262)
  .regex(/^([\w.-]{1,255}|\[[0-9a-f:.]{2,45}\]):\d{1,5}$/i, 'host:port, an IPv6 address in brackets')

/** A SHA-256 in lower-case hexadecimal, of whatever the field says. */
const fingerprint = blobHash

/** A certificate that a node was given, and by which it is known until it expires. */
export const memberCertificate = z.object({
  /** In hexadecimal, as in the certificate. */
  serial: z.string().regex(/^[0-9a-f]{1,40}$/),
  /** Of the certificate in DER. */
  fingerprint,
  expiresAt: timestamp,
})
export type MemberCertificate = z.infer<typeof memberCertificate>

export const memberState = z.enum(['active', 'draining', 'removed'])

/** A node that was let into the cluster, under `cluster/members/<id>`; it stays as `removed` so that it is known. */
export const member = z.object({
  id,
  name: nodeName,
  zone,
  roles: z.array(role),
  /** How many bytes of blobs it may hold; null: what its disk has. */
  capacityBytes: z.int().nonnegative().nullable(),
  state: memberState,
  joinedAt: timestamp,
  /** Those that have not expired; only these are accepted from the node, and none once it is removed. */
  certificates: z.array(memberCertificate).max(50),
})
export type Member = z.infer<typeof member>

/** A node that is alive (N1), under `cluster/presence/<id>` and a lease that ends with it. */
export const presence = z.object({
  id,
  /** New with each start: two of them under one id are two nodes with one identity. */
  incarnation: id,
  /** A hash of the machine and data folder: tells a start after a crash from a copy that runs elsewhere. */
  place: fingerprint,
  startedAt: timestamp,
  /** The most likely first. */
  addresses: z.array(peerAddress).max(20),
  /** Where people reach its gateway, if it has one. */
  publicUrl: z.string().max(2_000).nullable(),
  roles: z.array(role),
  zone,
  version: z.string().max(100),
  freeBytes: z.int().nonnegative(),
  totalBytes: z.int().nonnegative(),
  /** How busy it is: 0 is idle, 1 is all that it can do. */
  load: z.number().nonnegative(),
  /** The node's own clock when it wrote this, in milliseconds since 1970: wrong clocks are noticed by it. */
  clock: timestamp,
})
export type Presence = z.infer<typeof presence>

/** A join token, under `cluster/tokens/<SHA-256 of its secret>`: lets one node in, once, until it expires. */
export const joinToken = z.object({
  createdAt: timestamp,
  expiresAt: timestamp,
  /** Who used it: null while nobody has. The same node, with the same key, may finish what a crash interrupted. */
  usedBy: z.object({ node: id, key: fingerprint, at: timestamp }).nullable(),
})
export type JoinToken = z.infer<typeof joinToken>

/** The certificate authority, under `cluster/trust/authority`; one that is to replace it, under `cluster/trust/next`. */
export const authority = z.object({
  /** The cluster's own id. */
  cluster: id,
  /** In PEM, the one that signs first; the others are still trusted. */
  certificates: z.array(z.string().max(10_000)).min(1).max(5),
  /** The private key of the first, in PKCS #8, encrypted under the cluster's secret. */
  encryptedKey: z.string().max(10_000),
})
export type AuthorityFact = z.infer<typeof authority>

/**
 * By which authorities a node, and all that it runs, knows others and is known, under `cluster/trusting/<node>`: an
 * authority is replaced when every node has reported.
 */
export const trustReport = z.object({
  /** The SHA-256 of each authority that it trusts. */
  trusts: z.array(fingerprint).max(5),
  /** Of the one that has signed its certificate; null: of none that it trusts. */
  issuer: fingerprint.nullable(),
})
export type TrustReport = z.infer<typeof trustReport>

/** What happened to the cluster that its administrators may want to know of. */
export const clusterEvent = z.object({
  /** By the clock of the node that noticed it. */
  at: timestamp,
  kind: z.enum([
    'joined',
    'silent',
    'returned',
    'draining',
    'active',
    'removed',
    'layout',
    'repaired',
    'unavailable',
    'clock',
    'settings',
  ]),
  /** How the node was called then; absent where it is about no single one. */
  name: nodeName.optional(),
  /** Of `layout`, how many nodes hold copies by it; of `unavailable`, how many blobs; of `clock`, milliseconds. */
  amount: z.int().optional(),
})
export type ClusterEvent = z.infer<typeof clusterEvent>

/**
 * The last events, under `cluster/events/recent`, with the state after them: whoever holds the office compares that with
 * what is, so that nothing is missed or told twice when the office changes hands.
 */
export const chronicle = z.object({
  /** The newest last. */
  events: z.array(clusterEvent).max(100),
  nodes: z
    .array(z.object({ id, state: memberState, alive: z.boolean(), clockIsWrong: z.boolean() }))
    .max(2_000),
  layout: z.int().nonnegative(),
  filled: z.boolean(),
  unavailable: z.int().nonnegative(),
  settings: z.string().max(1_000),
})
export type Chronicle = z.infer<typeof chronicle>

/** What administrators set for the whole cluster, under `cluster/settings/current`. Without it, the defaults hold. */
export const clusterSettings = z.object({
  /** How many copies each blob has. */
  replicas: z.int().min(1).max(9).default(2),
  /** How many copies must be durable before an upload is acknowledged (B3); fewer only where fewer nodes hold media. */
  writeQuorum: z.int().min(1).max(9).default(2),
  /** How long a node may be silent before its blobs are copied again, in seconds (N1). */
  graceSeconds: z.int().min(0).max(2_592_000).default(900),
})
export type ClusterSettings = z.infer<typeof clusterSettings>
