import Fastify, { LogController } from 'fastify'
import type { Authenticated } from '../../accounts/accounts.ts'
import type { OpenOriginal } from '../../media/originals.ts'
import { CodedError } from '../../protocol/errors.ts'
import { createMetrics, createStoreTimes, measureRequests } from '../metrics.ts'
import { answerProblems } from '../problems.ts'
import { createRequestIds, logRequests } from '../requests.ts'
import { secureHeaders } from '../security.ts'
import { createAgain } from './again.ts'
import { sendStored } from './audio.ts'
import { trackSource } from './test-source.ts'

export const id = '00000000-0000-4000-8000-000000000001'
const ada: Authenticated = {
  user: { id, name: 'ada', role: 'user', disabled: false, createdAt: 0 },
  session: { id, user: id, client: 'a player', createdAt: 0, lastSeenAt: 0, expiresAt: 1 },
}
const none = { added: 0, changed: 0, moved: 0, removed: 0 }
const scan = { phase: 'idle' as const, seen: 0, toRead: 0, read: 0, ...none, problems: 0, unhashed: 0 }

/**
 * A server of the one track that `open` opens, at `/tracks/<id>/audio`, for whoever has the token `sesame`. What it
 * answers with is what the world is like: change that, and see.
 */
export async function serveAgain(open: () => Promise<OpenOriginal>, level: 'debug' | 'info' = 'debug') {
  const log: string[] = []
  const app = Fastify({
    logger: { level, stream: { write: (line: string) => void log.push(line) } },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
  })
  const metrics = createMetrics({
    index: { progress: { state: 'following', revision: 0, storeRevision: 0, applied: 0, skipped: 0 } },
    scan: () => scan,
    pages: () => 0,
    transcodes: () => ({ running: 0, waiting: 0 }),
    storeTimes: createStoreTimes(),
    figures: [],
  })
  const source = trackSource({ id })
  const authenticate = (token: string) => (world.signedIn && token === 'sesame' ? ada : null)
  const tracks = {
    async open(): Promise<OpenOriginal> {
      if (!world.there) throw new CodedError('FILE_MISSING')
      return await open()
    },
  }
  const again = createAgain({
    accounts: { authenticate },
    index: {
      get revision() {
        return world.revision
      },
    },
    tracks,
    metrics,
    nameRequest: createRequestIds(),
    log: app.log,
  })
  const world = {
    revision: 1,
    signedIn: true,
    there: true,
    /** How many requests have taken the long way, and how many of all has Node parsed. */
    long: 0,
    parsed: 0,
    app,
    again,
    metrics,
    log,
    url: '',
    async [Symbol.asyncDispose]() {
      await again.stop()
      await app.close()
      metrics[Symbol.dispose]()
    },
  }
  answerProblems(app)
  logRequests(app)
  measureRequests(app, metrics)
  secureHeaders(app)
  app.decorateRequest('signedIn', null)
  app.addHook('onRequest', async (request) => {
    request.signedIn = authenticate(request.headers.authorization?.slice(7) ?? '')
    if (request.signedIn === null) throw new CodedError('NOT_SIGNED_IN')
  })
  app.get<{ Params: { id: string } }>('/tracks/:id/audio', async (request, reply) => {
    world.long += 1
    again.remember(request, reply, source, undefined)
    const renditions = {
      transcode: async () => {
        throw new Error('nothing is converted')
      },
    }
    await sendStored({ tracks, renditions, streams: metrics.streams }, request, reply, source, {
      v: undefined,
    })
  })
  app.post('/words', async (request) => ({ words: request.body }))
  await app.ready()
  again.goBefore(app.server)
  app.server.on('request', () => {
    world.parsed += 1
  })
  world.url = await app.listen({ host: '127.0.0.1', port: 0 })
  return world
}
