import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Id, Timestamp } from '../protocol/ids.ts'

/** What a pass says: it stands for a session, which it does not outlive. */
export interface Pass {
  readonly user: Id
  readonly session: Id
  readonly expiresAt: Timestamp
  /** Of the page that it was made for, which may show it from wherever it was served: a machine has many names. */
  readonly origin: string
}

/** How a pass begins; no token of a session does. */
const mark = '~'

/**
 * A pass stands for a session where its cookie cannot go: at another gateway of the cluster, which to a browser is
 * another site. It is signed with a key that all nodes have, so any of them can check it without asking the store.
 */
export function sealPass(key: Buffer, { user, session, expiresAt, origin }: Pass): string {
  const place = Buffer.from(origin).toString('base64url')
  const content = `${user}.${session}.${expiresAt.toString(36)}.${place}`
  return `${mark}${content}.${seal(key, content).toString('base64url')}`
}

/** What the pass says, or null where we did not make it. Whether it is still good is for the caller to see. */
export function openPass(key: Buffer, text: string): Pass | null {
  const found = /^~(([\da-f-]{36})\.([\da-f-]{36})\.([\da-z]{6,12})\.([\w-]{1,400}))\.([\w-]{43})$/.exec(text)
  if (found === null) return null
  const [, content = '', user = '', session = '', expires = '', place = '', proof = ''] = found
  if (!timingSafeEqual(seal(key, content), Buffer.from(proof, 'base64url'))) return null
  const origin = Buffer.from(place, 'base64url').toString()
  return { user, session, expiresAt: Number.parseInt(expires, 36), origin }
}

export const isPass = (text: string) => text.startsWith(mark)

function seal(key: Buffer, content: string): Buffer {
  return createHmac('sha256', key).update(content).digest()
}
