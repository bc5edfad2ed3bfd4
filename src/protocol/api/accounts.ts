import { z } from 'zod'
import { device, invitation, password, role, session, user, userName } from '../facts/accounts.ts'
import { id, timestamp } from '../ids.ts'

/** What `/api` says of accounts. No secret, hash or token is ever in an answer, save once when it is made. */

export const account = user.omit({ passwordHash: true }).extend({ usedBytes: z.int() })
export type Account = z.infer<typeof account>

/** What a page needs before anyone is signed in. */
export const welcome = z.object({
  /** No administrator exists yet: show the first-run page. */
  needsSetup: z.boolean(),
  /** The first-run page must show the code that the server printed in its log (it is not reached by loopback). */
  needsSetupCode: z.boolean(),
  version: z.string(),
  /** Present when the request carried a valid session. */
  account: account.optional(),
})
export type Welcome = z.infer<typeof welcome>

export const setupInput = z.object({
  name: userName,
  password,
  language: z.enum(['en', 'es']).optional(),
  code: z.string().max(64).optional(),
})

export const signInInput = z.object({
  name: z.string().max(64),
  password: z.string().max(1_024),
  /** How the session should be called in the list of sessions; the User-Agent where absent. */
  client: z.string().max(300).optional(),
})
/** `token` is for programs (Authorization: Bearer); browsers get the same in an HttpOnly cookie and may ignore it. */
export const signedIn = z.object({ account, session: id, token: z.string() })
export type SignedIn = z.infer<typeof signedIn>

/** How a page goes on at another gateway when its own dies. */
export const roaming = z.object({
  gateways: z.array(z.object({ name: z.string(), url: z.url().describe('Without a slash at the end') })),
  /** Absent on a machine that stands alone. */
  pass: z.string().optional(),
  expiresAt: timestamp.optional(),
})
export type Roaming = z.infer<typeof roaming>

export const sessionSummary = session.omit({ user: true }).extend({ current: z.boolean() })
export type SessionSummary = z.infer<typeof sessionSummary>

export const userInput = z.object({
  name: userName,
  password,
  role: role.default('user'),
  quotaBytes: z.int().nonnegative().optional(),
})
export const userChange = z.object({
  name: userName.optional(),
  role: role.optional(),
  disabled: z.boolean().optional(),
  /** null: the server's setting. */
  quotaBytes: z.int().nonnegative().nullable().optional(),
  /** By an administrator: a new password; ends the user's sessions. */
  password: password.optional(),
})
export const ownChange = z.object({
  language: z.enum(['en', 'es']).optional(),
  password: z.object({ old: z.string().max(1_024), new: password }).optional(),
})

export const invitationInput = z.object({
  role: role.default('user'),
  note: z.string().max(200).optional(),
  /** How long the link is good for. */
  days: z.int().min(1).max(90).default(7),
})
export const invitationSummary = invitation
export type InvitationSummary = z.infer<typeof invitationSummary>
/** `token` is shown once: the page makes the link `/invitation/<token>` of it. */
export const invitationMade = z.object({ invitation, token: z.string() })
/** What the person who follows the link sees. */
export const invitationOffer = z.object({ role, invitedBy: z.string(), expiresAt: timestamp })
export const invitationAcceptance = z.object({
  name: userName,
  password,
  language: z.enum(['en', 'es']).optional(),
})

export const deviceInput = z.object({ label: z.string().min(1).max(100) })
export const deviceSummary = device.omit({ user: true, secret: true, secretHash: true })
export type DeviceSummary = z.infer<typeof deviceSummary>
/** `secret` is shown once. */
export const deviceMade = z.object({ device: deviceSummary, secret: z.string() })
