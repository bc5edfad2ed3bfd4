import type { Passwords } from '../../accounts/password.ts'
import { hashAnswer, hashQuestion, verifyAnswer, verifyQuestion } from '../../protocol/api/peers.ts'
import type { PeerRoutes } from './server.ts'

/** What nodes without the role `accounts` ask of one that has it. Nothing of it is logged. */
export function peerPasswordRoutes(passwords: Pick<Passwords, 'hash' | 'verify'>): PeerRoutes {
  return (app) => {
    app.post(
      '/passwords/hash',
      { schema: { body: hashQuestion, response: { 200: hashAnswer } } },
      async ({ body }) => ({ hash: await passwords.hash(body.password) }),
    )
    app.post(
      '/passwords/verify',
      { schema: { body: verifyQuestion, response: { 200: verifyAnswer } } },
      async ({ body }) => ({ matches: await passwords.verify(body.password, body.hash) }),
    )
  }
}
