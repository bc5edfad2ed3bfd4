import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A pass may stand in the address (`?pass=`): for what browsers load without headers of ours. */
    takesPass?: boolean
  }
}

/** Another gateway of the cluster, as browsers reach it. */
export interface GatewayAddress {
  readonly name: string
  /** Without a slash at the end. */
  readonly url: string
}

/** The other gateways that are known, those that live first. */
export type OtherGateways = () => readonly GatewayAddress[]

const preflightSeconds = 600
/** What our pages send to and read from another gateway. */
const requestHeaders =
  'Authorization, Content-Type, Hocket-After, Range, If-Range, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset'
const answerHeaders =
  'Hocket-Revision, Content-Range, ETag, Location, Tus-Resumable, Upload-Offset, Upload-Length, X-Request-Id'

/**
 * Lets pages that another gateway of this cluster has served go on here when that one dies. To a browser they are
 * foreign: no cookie of ours comes with them, and they prove themselves with a pass (see `src/accounts/passes.ts`), which
 * also says where the page is from; people reach one machine by many names. A preflight shows no pass yet, and tells
 * nothing.
 */
export function admitOtherGateways(
  app: FastifyInstance,
  others: OtherGateways,
  originOfPass: (pass: string) => string | null,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    if (origin === undefined || others().length === 0) return done()
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    const pass = isPreflight ? undefined : (passOf(request) ?? bearerOf(request))
    const isAdmitted = isPreflight || (pass !== undefined && originOfPass(pass) === origin)
    if (!isAdmitted) return done()
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': answerHeaders,
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'Origin',
    })
    if (isPreflight) answerPreflight(reply)
    else done()
  })
}

function answerPreflight(reply: FastifyReply): void {
  void reply
    .headers({
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': requestHeaders,
      'access-control-max-age': String(preflightSeconds),
    })
    .code(204)
    .send()
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer (~[\w.~-]{1,600})$/.exec(headers.authorization ?? '')?.[1]
}

/** The pass in the address, on routes that take one. */
export function passOf(request: FastifyRequest): string | undefined {
  if (request.routeOptions.config.takesPass !== true) return undefined
  const { query } = request
  if (typeof query !== 'object' || query === null || !('pass' in query)) return undefined
  return typeof query.pass === 'string' ? query.pass : undefined
}

/** The player's policy, with the other gateways among what its pages may load from and talk to. */
export function withGateways(policy: string, gateways: readonly GatewayAddress[]): string {
  const origins = gateways.map(({ url }) => new URL(url).origin)
  if (origins.length === 0) return policy
  const sockets = origins.map((origin) => origin.replace(/^http/, 'ws'))
  const more: Readonly<Record<string, readonly string[]>> = {
    'img-src': origins,
    'media-src': origins,
    'connect-src': [...origins, ...sockets],
  }
  return policy
    .split('; ')
    .map((directive) => [directive, ...(more[directive.split(' ', 1)[0] ?? ''] ?? [])].join(' '))
    .join('; ')
}
