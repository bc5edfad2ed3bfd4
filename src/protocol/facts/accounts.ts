import { z } from 'zod'
import { id, timestamp } from '../ids.ts'

/**
 * Facts of the accounts.
 *
 *   accounts/users/<userId>             User
 *   accounts/names/<folded name>        Name: holds a name for one user; made and deleted with the user
 *   accounts/administrators             Administrators: made with the first account; never empty
 *   accounts/sessions/<sha256(token)>   Session; the token itself is never stored
 *   accounts/invitations/<sha256(token)> Invitation
 *   accounts/devices/<deviceId>         Device (law S2)
 */
export const role = z.enum(['administrator', 'user']).describe('What an account may do')
export type Role = z.infer<typeof role>

/** Letters, digits, `.`, `_`, `-` and `@`, 1 to 64 of them: safe in every client and on every command line. */
export const userName = z
  .string()
  .regex(/^[\p{L}\p{N}._@-]{1,64}$/u, 'letters, digits, and . _ - @ only, 1 to 64 of them')
export const password = z.string().min(8).max(1_024).describe('At least 8 characters')

export const user = z.object({
  id,
  name: userName,
  role,
  /** argon2id in the PHC string form: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  passwordHash: z.string().max(500),
  /** Most bytes of uploads; absent: the server's setting. */
  quotaBytes: z.int().nonnegative().optional(),
  disabled: z.boolean(),
  language: z.enum(['en', 'es']).optional(),
  createdAt: timestamp,
})
export type User = z.infer<typeof user>

export const name = z.object({ user: id })

/**
 * Who can administer: the users with that role that are not disabled. One fact, so that two administrators who demote
 * each other at the same moment conflict, and so that the first account is made only once.
 */
export const administrators = z.object({ users: z.array(id).min(1).max(1_000) })

export const session = z.object({
  id,
  user: id,
  /** What the person sees in their list of sessions: the browser or program, as it named itself. */
  client: z.string().max(300),
  createdAt: timestamp,
  /** Written at most once in five minutes. */
  lastSeenAt: timestamp,
  expiresAt: timestamp,
})
export type Session = z.infer<typeof session>

export const invitation = z.object({
  id,
  role,
  createdBy: id,
  createdAt: timestamp,
  expiresAt: timestamp,
  note: z.string().max(200).optional(),
})
export type Invitation = z.infer<typeof invitation>

export const device = z.object({
  id,
  user: id,
  label: z.string().min(1).max(100),
  /** AES-256-GCM under the installation's key: nonce, ciphertext and tag in base64. */
  secret: z.string().max(500),
  /** SHA-256 of the secret, which is 130 random bits: finds the device of an API key. */
  secretHash: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: timestamp,
  lastUsedAt: timestamp.optional(),
})
export type Device = z.infer<typeof device>
