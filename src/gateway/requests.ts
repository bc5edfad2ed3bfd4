import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'

export type RequestNames = (request: Pick<IncomingMessage, 'headers'>) => string

/**
 * Names requests: the client's own id where it is a sane one, so that a proxy's log and ours can be read together; else
 * a new one, of random characters for this server's life and a count (random bytes for each would cost more than all
 * hooks together).
 */
export function createRequestIds(): RequestNames {
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

export interface Answered {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly milliseconds: number
  readonly address: string
  readonly user: string | undefined
}

/**
 * Logs an answer in one line. What people do (writes, refusals, faults) is logged at `info`; what their players load is
 * logged at `debug`, for a listener makes thousands of those. No header and no body is logged.
 */
export function logAnswer(log: FastifyBaseLogger, answered: Answered): void {
  const { method, url, status, milliseconds, address, user } = answered
  log[isQuiet(answered) ? 'debug' : 'info'](
    {
      method,
      path: loggablePath(url),
      status,
      ms: Math.round(milliseconds * 10) / 10,
      address,
      ...(user !== undefined && { user }),
    },
    'answered',
  )
}

/** Whether there will be a line: it need not be put together otherwise. */
export function isLogged(
  { level }: FastifyBaseLogger,
  answered: Pick<Answered, 'method' | 'status'>,
): boolean {
  return level === 'debug' || level === 'trace' || !isQuiet(answered)
}

function isQuiet({ method, status }: Pick<Answered, 'method' | 'status'>): boolean {
  return (method === 'GET' || method === 'HEAD') && status < 400
}

/** Each answer has the request's id, and so has its line in the log. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, log, signedIn } = request
    const status = reply.statusCode
    if (isLogged(log, { method, status })) {
      const [milliseconds, address] = [reply.elapsedTime, request.ip]
      logAnswer(log, { method, url, status, milliseconds, address, user: signedIn?.user.id })
    }
    done()
  })
}
