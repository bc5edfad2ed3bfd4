import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Accounts, Authenticated } from '../accounts/accounts.ts'
import { CodedError } from '../protocol/errors.ts'
import { passOf } from './roaming.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on public routes where nobody is signed in, and for the operator. */
    signedIn: Authenticated | null
    /** The command line of this machine asks: it may do what administrators may, but is nobody. */
    operator: boolean
  }
  interface FastifyContextConfig {
    /** Only administrators may use the route. */
    administrator?: boolean
  }
}

/** All that is answered without an account (law S3). A test walks every other route and must be refused. */
export const publicRoutes: ReadonlySet<string> = new Set([
  'GET /api/welcome',
  'POST /api/setup',
  'POST /api/session',
  'GET /api/invitations/:invitation',
  'POST /api/invitations/:invitation/accept',
  // What users chose to share, for who has the link: each route finds the share of its token, and serves nothing else.
  'GET /api/shares/:token',
  'GET /api/shares/:token/tracks/:id/audio',
  'GET /api/shares/:token/tracks/:id/transcode',
  'GET /api/shares/:token/covers/:kind/:id',
  // The program itself: the player's files (the login page among them), and what describes the interface.
  'GET /*',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/',
  'GET /docs/errors',
  'GET /docs/js/scalar.js',
  'GET /docs/js/start.js',
  // The Subsonic API proves each request by what is in it, see `subsonic/identify.ts`.
  'GET /rest/:name',
  'POST /rest/:name',
  'OPTIONS /rest/:name',
  // Health. `/metrics` guards itself: it is open to this machine only.
  'GET /livez',
  'GET /readyz',
  'GET /metrics',
])

const cookieName = 'hocket_session'
/** The longest that browsers keep a cookie; the session itself ends when the accounts role says so. */
const cookieSeconds = 400 * 24 * 3600

/** Default-deny: a route that is not in the list above is answered only to people with a valid session. */
export function requireAuthentication(
  app: FastifyInstance,
  { accounts, isOperator }: { readonly accounts: Accounts; readonly isOperator: (token: string) => boolean },
): void {
  app.decorateRequest('signedIn', null)
  app.decorateRequest('operator', false)
  app.addHook('onRequest', (request, _reply, done) => {
    const token = presentedToken(request)
    if (token !== undefined) {
      request.signedIn = accounts.authenticate(token)
      request.operator = request.signedIn === null && hasBearer(request) && isOperator(token)
    }
    done(refusal(request))
  })
}

function refusal(request: FastifyRequest): CodedError | undefined {
  const { url, config } = request.routeOptions
  if (url === undefined) return undefined // No such route: the answer is 404 for everyone.
  const method = request.method === 'HEAD' ? 'GET' : request.method
  if (publicRoutes.has(`${method} ${url}`)) return undefined
  if (request.signedIn === null && !request.operator) return new CodedError('NOT_SIGNED_IN')
  if (config.administrator === true && !isAdministrator(request)) return new CodedError('FORBIDDEN')
  return undefined
}

/** The person and session of a route that is not public. */
export function signedInAs(request: FastifyRequest): Authenticated {
  if (request.signedIn === null) throw new CodedError('NOT_SIGNED_IN')
  return request.signedIn
}

export function isAdministrator(request: FastifyRequest): boolean {
  return request.operator || request.signedIn?.user.role === 'administrator'
}

/** Whether the request proves itself by what no other site's page knows or can make a browser send. */
export function hasBearer(request: FastifyRequest): boolean {
  return request.headers.authorization !== undefined || passOf(request) !== undefined
}

/** The token of a session, or a pass that stands for one: from the Authorization header, the address, or the cookie. */
export function presentedToken(request: FastifyRequest): string | undefined {
  const { authorization, cookie } = request.headers
  if (authorization !== undefined) return /^Bearer ([\w.~+/-]{1,600}=*)$/i.exec(authorization)?.[1]
  const pass = passOf(request)
  if (pass !== undefined) return pass
  return cookie === undefined ? undefined : /(?:^|;\s*)hocket_session=([\w-]{1,200})(?:;|$)/.exec(cookie)?.[1]
}

/** Gives the browser its session, out of reach of scripts. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, token: string): void {
  reply.header('set-cookie', sessionCookie(request, token, cookieSeconds))
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('set-cookie', sessionCookie(request, '', 0))
}

function sessionCookie(request: FastifyRequest, value: string, maxAge: number): string {
  const secure = request.protocol === 'https' ? '; Secure' : ''
  return `${cookieName}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`
}

/** What a browser or program calls itself, for the lists of sessions and the queue. */
export function clientOf(request: FastifyRequest): string {
  return (request.headers['user-agent'] ?? 'unknown').slice(0, 300)
}
