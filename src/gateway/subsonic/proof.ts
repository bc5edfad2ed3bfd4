import { createHash } from 'node:crypto'
import type { Asking } from './endpoint.ts'
import { plainOf } from './identify.ts'
import { firstOf } from './parameters.ts'

/**
 * What an address carries that we hand to a client and its player opens by itself: who asks, as a token. The secret
 * stands in no address of ours, however the client has sent it. The salt is the device's, so that an address stays the
 * same and what lies there is found in caches.
 */
export function proofOf({ raw, user, device }: Pick<Asking, 'raw' | 'user' | 'device'>): URLSearchParams {
  const [token, salt, version, client] = ['t', 's', 'v', 'c'].map((name) => firstOf(raw, name))
  const secret = firstOf(raw, 'apiKey') ?? plainOf(firstOf(raw, 'p') ?? '')
  const made = () => createHash('md5').update(`${secret}${device.id}`).digest('hex')
  const proof = token === undefined ? { t: made(), s: device.id } : { t: token, s: salt ?? '' }
  return new URLSearchParams({ u: user.name, ...proof, v: version ?? '', c: client ?? '' })
}
