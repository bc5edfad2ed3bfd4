import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Accounts } from '../../accounts/accounts.ts'
import type { TrackSource } from '../../catalog/catalog.ts'
import type { Index } from '../../index/index.ts'
import type { OpenOriginal } from '../../media/originals.ts'
import { send } from '../../media/serve/send.ts'
import { presentedToken } from '../authentication.ts'
import type { Metrics } from '../metrics.ts'
import { isLogged, logAnswer, type RequestNames } from '../requests.ts'
import { signalOf } from '../signal.ts'
import { createAhead } from './ahead.ts'
import { logCut } from './answer.ts'
import { createHeld } from './held.ts'
import { isLike, isPlain, type Known } from './known.ts'
import { isCurrent, type Tracks } from './tracks.ts'
import { createUnparsed } from './unparsed.ts'

/**
 * A listener takes a track in many ranges, and each is asked for as the one before but for its `Range`. What the hooks
 * and the route made of such a request holds until the index changes, since they look at nothing else: the next one
 * goes past them. It is authenticated, opened, verified and counted as any other; what is not as before goes the long
 * way. ADR 0315.
 */
export interface Again {
  /** The audio of `source` may be answered to requests like this one, while the index is what it is. */
  remember(request: FastifyRequest, reply: FastifyReply, source: TrackSource, v: string | undefined): void
  /** Answers what is remembered before the server's listeners hear of it. */
  goBefore(server: Server): void
  /** From now on all requests go the long way: the server ends. Resolves when those past Node's parser are answered. */
  stop(): Promise<void>
}

export interface AgainParts {
  readonly accounts: Pick<Accounts, 'authenticate'>
  readonly index: Pick<Index, 'revision'>
  readonly tracks: Pick<Tracks, 'open'>
  readonly metrics: Pick<Metrics, 'streams' | 'answers'>
  readonly nameRequest: RequestNames
  readonly log: FastifyBaseLogger
}

/** How many requests are remembered: a listener has one or two. */
const most = 1_000

export function createAgain({ accounts, index, tracks, metrics, nameRequest, log }: AgainParts): Again {
  const { streams, answers } = metrics
  /** By the address that is asked for. */
  const known = new Map<string, readonly Known[]>()
  let count = 0
  let revision = 0
  let stopped = false
  let keepAliveSeconds = 0
  const held = createHeld()
  const unparsed = createUnparsed({
    holds,
    held,
    metrics,
    nameRequest,
    log,
    keepAliveSeconds: () => keepAliveSeconds,
  })
  const ahead = createAhead(unparsed.answer)

  function holds({ token, signedIn }: Known): boolean {
    return !stopped && index.revision === revision && accounts.authenticate(token) === signedIn
  }

  function find(request: IncomingMessage): Known | undefined {
    const found = known.get(request.url ?? '')?.find((each) => isLike(each, request))
    return found !== undefined && holds(found) ? found : undefined
  }

  function forget(): void {
    known.clear()
    unparsed.forget()
    count = 0
  }

  async function open(source: TrackSource, response: ServerResponse): Promise<OpenOriginal> {
    const found = held.find(source)
    if (found !== null) return found.share()
    const original = await tracks.open(source, signalOf({ raw: response }))
    // Only what may go past Node is worth it; the copies of other nodes are theirs.
    return original.shortcut === undefined || stopped ? original : held.hold(source, original)
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { source, v, carried, route, address, signedIn }: Known,
    goTheLongWay: () => void,
  ): Promise<void> {
    const begin = performance.now()
    const { socket } = request
    const before = streams.sentTo(socket)
    const original = await open(source, response).catch(() => null)
    if (original === null) return goTheLongWay()
    using stream = streams.begin(socket)
    const id = nameRequest(request)
    try {
      await send({ method: 'GET', headers: request.headers }, response, original, {
        immutable: isCurrent(source, original, v),
        carried: { ...carried, 'x-request-id': id },
        onShortcut: stream.count,
      })
    } catch (error) {
      logCut(log.child({ reqId: id }), error)
    }
    const milliseconds = performance.now() - begin
    const answered = { method: 'GET', url: request.url ?? '', status: response.statusCode, milliseconds }
    answers.record({ ...answered, route, bytes: streams.sentTo(socket) - before })
    if (isLogged(log, answered))
      logAnswer(log.child({ reqId: id }), { ...answered, address, user: signedIn.user.id })
  }

  return {
    remember(request, reply, source, v) {
      const { signedIn, raw, ip: address } = request
      const token = presentedToken(request)
      if (index.revision === 0 || signedIn === null || token === undefined || !isPlain(raw)) return
      if (index.revision !== revision || count >= most) forget()
      revision = index.revision
      const { url = '', rawHeaders } = raw
      const before = known.get(url) ?? []
      const others = before.filter((each) => !isLike(each, raw))
      const rangeAt = rawHeaders.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'range') + 1
      const asked = { remote: raw.socket.remoteAddress, rawHeaders, rangeAt }
      const route = request.routeOptions.url ?? ''
      const answer = { source, v, token, signedIn, address, carried: reply.getHeaders(), route }
      known.set(url, [...others, { ...asked, ...answer }])
      count += 1 + others.length - before.length
    },

    goBefore(server) {
      const listeners = server.listeners('request')
      server.removeAllListeners('request')
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        const goTheLongWay = () => {
          for (const listener of listeners) listener.call(server, request, response)
        }
        const found = find(request)
        if (found === undefined) return goTheLongWay()
        const text = ahead.follow(response)
        if (text !== null) unparsed.remember(text, request, found)
        void answer(request, response, found, goTheLongWay)
      })
      keepAliveSeconds = Math.floor(server.keepAliveTimeout / 1_000)
    },

    async stop() {
      stopped = true
      await unparsed.ended()
      held[Symbol.dispose]()
    },
  }
}
