import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { CodedError } from '../../protocol/errors.ts'
import type { Member } from '../../protocol/facts/cluster.ts'
import { type Id, id } from '../../protocol/ids.ts'
import type { Registry } from '../../registry/registry.ts'
import { fingerprintOf, type Identity } from '../../registry/trust/identity.ts'
import { isIssuedBy } from '../../registry/trust/renewal.ts'
import type { Trust } from '../../registry/trust/trust.ts'
import { type Api, zodOnly } from '../api.ts'
import { limitBodies } from '../limits.ts'
import { answerProblems, refuseConnection } from '../problems.ts'
import { createRequestIds } from '../requests.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** On the server for nodes: which node asks. */
    peer: Id
  }
  interface FastifyContextConfig {
    /** Answers also who shows no certificate: to join. */
    anyone?: boolean
  }
}

/** Adds routes that other nodes ask; `request.peer` says who does. */
export type PeerRoutes = (app: Api) => void

export interface PeerServer extends AsyncDisposable {
  readonly port: number
}

export interface PeerServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly trust: Pick<Trust, 'identity' | 'subscribe'>
  readonly registry: Pick<Registry, 'member' | 'readMember' | 'subscribe'>
  readonly routes: readonly PeerRoutes[]
  readonly log: FastifyBaseLogger
}

const bodyLimit = 4 * 1_048_576
/** How long a handshake, and then the headers of a request, may take, in milliseconds. */
const patienceMs = 10_000
/** How long the store may take to say who a caller is that memory does not know, in milliseconds. */
const lookupMs = 2_000

/**
 * The server that other nodes ask, over mutual TLS. A caller is a node if its certificate is of the cluster's authority
 * and among those that its member fact lists, so that a removed node is refused by the fact, at once, and its open
 * connections are cut. PORT_IN_USE, ADDRESS_UNUSABLE.
 */
export async function startPeerServer(options: PeerServerOptions): Promise<PeerServer> {
  const { trust, registry, routes, log, host } = options
  const callers = new Map<Socket, Caller>()
  const server = createTlsServer(trust.identity, log)
  server.on('secureConnection', (socket) => {
    const caller = callerOf(socket)
    if (caller === null) return
    callers.set(socket, caller)
    socket.on('close', () => callers.delete(socket))
  })
  const app = createApp(server, log)
  app.decorateRequest('peer', '')
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.anyone === true) return
    const caller = callers.get(request.raw.socket)
    if (caller === undefined) throw new CodedError('NODE_REFUSED', 'it shows no certificate of this cluster')
    await assertMember(caller, registry)
    request.peer = caller.node
  })
  answerProblems(app)
  app.setNotFoundHandler(() => {
    throw new CodedError('NOT_FOUND', 'nodes are not asked that here')
  })
  limitBodies(app)
  for (const addRoutes of routes) addRoutes(app)
  await app.listen({ host, port: options.port }).catch((error) => refuseAddress(error, host, options.port))

  const unsubscribes = [
    trust.subscribe(() => server.setSecureContext(contextOf(trust.identity))),
    registry.subscribe(() => {
      for (const [socket, { node }] of callers) {
        if (registry.member(node)?.state === 'removed') socket.destroy()
      }
    }),
  ]
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  log.debug({ host, port }, 'listening for other nodes')
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const unsubscribe of unsubscribes) unsubscribe()
      const closed = app.close()
      server.closeAllConnections()
      for (const socket of callers.keys()) socket.destroy()
      await closed
    },
  }
}

function createTlsServer(identity: Identity, log: FastifyBaseLogger): Server {
  const server = createServer({
    ...contextOf(identity),
    minVersion: 'TLSv1.3',
    requestCert: true,
    // A node that joins has no certificate yet: every other route looks whether there is one.
    rejectUnauthorized: false,
    handshakeTimeout: patienceMs,
    headersTimeout: patienceMs,
    // Copies of blobs may take their time; other bodies have the limit of `limitBodies`.
    requestTimeout: 0,
    // Longer than callers keep an idle connection, so that they do not send into one that closes.
    keepAliveTimeout: 65_000,
  })
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'a handshake failed'))
  return server
}

function createApp(server: Server, log: FastifyBaseLogger): Api {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: createRequestIds(),
    bodyLimit,
    schemaController: zodOnly,
    forceCloseConnections: 'idle',
    clientErrorHandler: refuseConnection,
    serverFactory: (handler) => server.on('request', handler),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  return app
}

/**
 * The authority that has signed it goes with the certificate, so that who joins can compare it with the fingerprint that
 * they were given.
 */
function contextOf({ key, certificate, authorities }: Identity) {
  const issuer = authorities.filter((authority) => isIssuedBy(certificate, authority))
  return { key, cert: certificate + issuer.join(''), ca: [...authorities] }
}

interface Caller {
  readonly node: Id
  readonly fingerprint: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Who the certificate of a connection names; null where there is none, or none of this cluster's authority. */
function callerOf(socket: TLSSocket): Caller | null {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined) return null
  const named = id.safeParse(/^CN=(.+)$/m.exec(certificate.subject)?.[1])
  if (!named.success) return null
  return {
    node: named.data,
    fingerprint: fingerprintOf(certificate),
    expiresAt: certificate.validToDate.getTime(),
  }
}

/** NODE_REFUSED, NODE_REMOVED. A node that has joined a moment ago may be in the store before it is in our memory. */
async function assertMember(
  { node, fingerprint, expiresAt }: Caller,
  registry: Pick<Registry, 'member' | 'readMember'>,
): Promise<void> {
  const isListed = (member: Member | null) =>
    member?.certificates.some((certificate) => certificate.fingerprint === fingerprint) === true
  let member = registry.member(node)
  if (member?.state !== 'removed' && !isListed(member)) {
    member = await registry.readMember(node, AbortSignal.timeout(lookupMs))
  }
  if (member?.state === 'removed') throw new CodedError('NODE_REMOVED')
  if (!isListed(member)) throw new CodedError('NODE_REFUSED', 'its certificate is not one that it was given')
  if (Date.now() > expiresAt) throw new CodedError('NODE_REFUSED', 'its certificate has expired')
}

function refuseAddress(error: unknown, host: string, port: number): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') throw new CodedError('PORT_IN_USE', `${host}:${port}`, { cause: error })
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    throw new CodedError('ADDRESS_UNUSABLE', `${host}:${port} (${code})`, { cause: error })
  }
  throw error
}
