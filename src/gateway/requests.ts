import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'

/**
 * Names requests: the client's own id where it is a sane one, so that a proxy's log and ours can be read together; else
 * a new one, of random characters for this server's life and a count (random bytes for each would cost more than all
 * hooks together).
 */
export function createRequestIds(): (request: IncomingMessage) => string {
  const life = randomBytes(6).toString('base64url')
  let count = 0
  return (request) => {
    const given = request.headers['x-request-id']
    if (typeof given === 'string' && /^[\w.-]{1,64}$/.test(given)) return given
    count += 1
    return `${life}-${count.toString(36)}`
  }
}

/**
 * A path as logs may show it: without the query (clients put tokens there) and without the token of an invitation's
 * address, which is as good as an account, and that of a share's.
 */
export function loggablePath(url: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? ''
  return path.replace(/(\/(?:invitation|share)s?\/)[^/]+/g, '$1…').slice(0, 500)
}

/**
 * One line for each answer, with the request's id. What people do (writes, refusals, faults) is logged at `info`; what
 * their players load is logged at `debug`, for a listener makes thousands of those. No header and no body is logged.
 */
export function logRequests(app: FastifyInstance, log: FastifyBaseLogger): void {
  const verbose = log.level === 'debug' || log.level === 'trace'
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const quiet = (request.method === 'GET' || request.method === 'HEAD') && reply.statusCode < 400
    if (quiet && !verbose) return done()
    request.log[quiet ? 'debug' : 'info'](
      {
        method: request.method,
        path: loggablePath(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        address: request.ip,
        ...(request.signedIn !== null && { user: request.signedIn.user.id }),
      },
      'answered',
    )
    done()
  })
}
