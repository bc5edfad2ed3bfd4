import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Index } from '../index/index.ts'
import { CodedError } from '../protocol/errors.ts'
import { signalOf } from './signal.ts'

/**
 * Law F4: an answer to a write carries `Hocket-Revision`; a read that presents it as `Hocket-After` waits until the
 * local index has come so far, or gets BEHIND. It runs before the authentication, since the session itself may be
 * what has just been written.
 */
export function honourFreshness(app: FastifyInstance, index: Pick<Index, 'waitFor' | 'revision'>): void {
  app.addHook('onRequest', (request, reply, done) => {
    const after = request.headers['hocket-after']
    if (after === undefined) return done()
    if (typeof after !== 'string' || !/^\d{1,15}$/.test(after)) {
      return done(new CodedError('BAD_REQUEST', 'Hocket-After must be a revision: a whole number'))
    }
    if (Number(after) <= index.revision) return done()
    index.waitFor(Number(after), signalOf(reply)).then(() => done(), done)
  })
}

/** Hands out what a write made, and its revision in the header. */
export function written<Value>(
  reply: FastifyReply,
  { value, revision }: { readonly value: Value; readonly revision: number },
): Value {
  reply.header('hocket-revision', String(revision))
  return value
}
