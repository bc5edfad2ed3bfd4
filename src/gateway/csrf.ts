import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CodedError } from '../protocol/errors.ts'
import { hasBearer } from './authentication.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requests are proven by what is in them, never by a cookie: pages of other sites may use the route. */
    provesItself?: boolean
  }
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Another site's page can make a browser send our cookie, but not choose the `Sec-Fetch-Site` and `Origin` that go with
 * it. So a request that changes something or opens a WebSocket, and is proven by the cookie or by nothing, must come
 * from our own pages or from a program that is no browser (which sends neither header).
 */
export function refuseForeignPages(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const harmless = safeMethods.has(request.method) && request.headers.upgrade === undefined
    const { provesItself } = request.routeOptions.config
    if (harmless || provesItself || hasBearer(request) || isOwnPage(request)) done()
    else done(new CodedError('CROSS_SITE'))
  })
}

/** Whether a request comes from one of our pages, or from no page at all. */
function isOwnPage(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin } = request.headers
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === request.host)
}
