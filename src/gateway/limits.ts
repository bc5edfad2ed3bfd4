import type { FastifyInstance } from 'fastify'
import { CodedError } from '../protocol/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body may take as long as the client's line needs. */
    slowBody?: boolean
  }
}

/** Most bytes of all headers, and of an address that is not long by its nature: Node's own limit for both together. */
const headBytes = 16_384

/**
 * Refuses heads that are longer than they need be. Only apps that speak Subsonic have long addresses, for which the
 * server's own limit is higher.
 */
export function limitHeads(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { url = '', rawHeaders } = request.raw
    // Each name and each value has two characters behind it.
    const headers = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0)
    if (headers <= headBytes && (url.length <= headBytes || url.startsWith('/rest/'))) return done()
    reply.header('connection', 'close')
    done(new CodedError('TOO_LARGE', 'the address or its headers are too long'))
  })
}

/** How long a body may take to arrive, in milliseconds. Headers have node's own 60 seconds. */
const bodyDeadline = 30_000

/**
 * Cuts off who sends a body byte by byte to hold a connection. Node's own limit for whole requests is off, since it
 * would cut off uploads as well.
 */
export function limitBodies(app: FastifyInstance): void {
  const timers = new WeakMap<object, NodeJS.Timeout>()
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    if (hasBody && request.routeOptions.config.slowBody !== true) {
      // It holds nothing open: who breaks off in mid-body ends neither of the hooks below.
      timers.set(request, setTimeout(() => request.raw.destroy(), bodyDeadline).unref())
    }
    done()
  })
  app.addHook('preValidation', (request, _reply, done) => {
    clearTimeout(timers.get(request))
    done()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    clearTimeout(timers.get(request))
    done()
  })
}
