import { setTimeout as pause } from 'node:timers/promises'
import Fastify, { type FastifyInstance, LogController, type RouteOptions } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { CodedError } from '../protocol/errors.ts'
import { type Api, zodOnly } from './api.ts'
import { requireAuthentication } from './authentication.ts'
import { refuseForeignPages } from './csrf.ts'
import { honourFreshness } from './freshness.ts'
import type { Gateway, GatewayConfig, GatewayOptions } from './gateway.ts'
import { healthRoutes } from './health.ts'
import { limitBodies, limitHeads } from './limits.ts'
import { createHub } from './live/hub.ts'
import { acceptWebSockets, liveRoutes } from './live/routes.ts'
import { maySeeThrough } from './live/visibility.ts'
import { createAgain } from './media/again.ts'
import { createArchives } from './media/archives.ts'
import { createMetrics, type Metrics, measureRequests, metricsRoute } from './metrics.ts'
import { docsRoutes } from './openapi/docs.ts'
import { describeRoutes, type OpenApiDocument } from './openapi/document.ts'
import { refusePeople } from './people.ts'
import { answerProblems, refuseConnection, sendProblem } from './problems.ts'
import { createRequestIds, logRequests, type RequestNames } from './requests.ts'
import { restRoutes } from './rest/routes.ts'
import { admitOtherGateways } from './roaming.ts'
import { everywhere, secureHeaders } from './security.ts'
import { createSetupCode } from './setup-code.ts'
import { subsonicRoutes } from './subsonic/mount.ts'
import { refuseUnanswered } from './unanswered.ts'
import { webRoutes } from './web.ts'

/** Most bytes of a JSON body: a playlist of 20,000 tracks has 800,000. */
const bodyLimit = 2 * 1024 * 1024
/**
 * Most bytes of an address and its headers. Apps that speak Subsonic send a queue or a playlist as one address, with 40
 * bytes for each song: these are some 6,000, where Node's own 16 KiB are 400.
 */
const headLimit = 256 * 1024
/** How long answers that have begun may go on once the gateway is told to end, in milliseconds. */
const drainMs = 5_000

/** Puts the edge together; it answers nobody until `listen`. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, accounts } = options
  const nameRequest = createRequestIds()
  const app = createServer(options, nameRequest)
  const setupCode = createSetupCode()
  const hub = createHub({
    ...options,
    scan: options.scanner,
    maySee: maySeeThrough(options.catalog),
    version: config.version,
  })
  const metrics = createMetrics({
    storeTimes: options.storeTimes,
    figures: options.figures,
    index: options.index,
    scan: options.scanHere,
    pages: () => hub.size,
    transcodes: () => options.media.status().transcodes,
  })
  options.scanner.giveWayTo(metrics.streams.areHeard)
  const routes = collectRoutes(app)
  refuseUnanswered(app, routes)
  await acceptWebSockets(app, hub)
  addHooks(app, options, metrics)

  let document: OpenApiDocument | undefined
  const describe = () => (document ??= describeRoutes(routes, config.version))
  const again = createAgain({ ...options, metrics, nameRequest })
  const archives = createArchives({ ...options, streams: metrics.streams })
  restRoutes(app, { ...options, setupCode, metrics, again, archives, startedAt: Date.now() })
  subsonicRoutes(app, { ...options, metrics, archives })
  liveRoutes(app, hub)
  healthRoutes(app, options)
  metricsRoute(app, metrics)
  docsRoutes(app, describe)
  webRoutes(app, config.webFolder, options.gateways)
  await app.ready()
  again.goBefore(app.server)

  return {
    get setupCode() {
      const asks = config.roles.includes('gateway') && options.index.progress.state === 'following'
      return asks && accounts.needsSetup() ? setupCode : null
    },
    get document() {
      return describe()
    },
    routes: routes.flatMap(({ method, url, config }) =>
      [method].flat().map((each) => ({ method: each, url, administrator: config?.administrator === true })),
    ),
    async listen() {
      await app
        .listen({ host: config.host, port: config.port })
        .catch((error) => refuseAddress(error, config))
      return addressOf(app, config)
    },
    async [Symbol.asyncDispose]() {
      const end = performance.now() + drainMs
      await Promise.race([again.stop(), pause(drainMs, undefined, { ref: false })])
      await closeWithin(app, Math.max(0, end - performance.now()))
      metrics[Symbol.dispose]()
    },
  }
}

function createServer({ config, log }: GatewayOptions, nameRequest: RequestNames): Api {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: nameRequest,
    trustProxy: config.trustedProxies.length > 0 && [...config.trustedProxies],
    bodyLimit,
    http: { maxHeaderSize: headLimit },
    // Idle connections are closed at once when the gateway ends; busy ones may finish.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 500 },
    schemaController: zodOnly,
    clientErrorHandler: refuseConnection,
    frameworkErrors(error, request, reply) {
      sendProblem(error, request, reply.headers({ ...everywhere, 'x-request-id': request.id }))
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  return app
}

/** Hooks run in this order: what an answer always carries first, then who may ask at all. */
function addHooks(app: Api, options: GatewayOptions, metrics: Metrics): void {
  answerProblems(app)
  limitHeads(app)
  logRequests(app)
  measureRequests(app, metrics)
  secureHeaders(app)
  admitOtherGateways(app, options.gateways, options.accounts.originOf)
  limitBodies(app)
  refuseForeignPages(app)
  if (!options.config.roles.includes('gateway')) refusePeople(app, options.isOperator)
  honourFreshness(app, options.index)
  requireAuthentication(app, options)
}

function collectRoutes(app: FastifyInstance): readonly RouteOptions[] {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    routes.push(route)
  })
  return routes
}

function refuseAddress(error: unknown, { host, port }: GatewayConfig): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') throw new CodedError('PORT_IN_USE', `${host}:${port}`, { cause: error })
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    throw new CodedError('ADDRESS_UNUSABLE', `${host}:${port} (${code})`, { cause: error })
  }
  throw error
}

function addressOf(app: FastifyInstance, config: GatewayConfig): { port: number; url: string } {
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.port
  const named = ['127.0.0.1', '::1', '0.0.0.0', '::', 'localhost'].includes(config.host)
  const host = named ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host
  return { port, url: `http://${host}:${port}` }
}

/** Lets answers that have begun end by themselves, then cuts what is left. */
async function closeWithin(app: FastifyInstance, ms: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), ms)
  await app.close().finally(() => clearTimeout(cut))
}
