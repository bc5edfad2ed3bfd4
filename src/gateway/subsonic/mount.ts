import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createDetails } from '../../catalog/details.ts'
import type { Api } from '../api.ts'
import type { GatewayOptions } from '../gateway.ts'
import type { Archives } from '../media/archives.ts'
import type { Metrics } from '../metrics.ts'
import { signalOf } from '../signal.ts'
import type { Content } from './content.ts'
import { answerPreflight, openToOtherSites } from './cors.ts'
import type { Answer, Parts } from './endpoint.ts'
import { type Format, formatOf, nearestFormat, write, writePieces } from './envelope.ts'
import { Failure, failureOf } from './failure.ts'
import { flows, isInPieces, type Piece } from './flow.ts'
import { clientOf, identify } from './identify.ts'
import { watchLastModified } from './last-modified.ts'
import { createNowPlaying } from './now-playing.ts'
import { createPages } from './pages.ts'
import { type RawParameters, readParameters } from './parameters.ts'
import { endpoints, openAnswers } from './routes.ts'
import { createSeeds } from './seeds.ts'

/** Most bytes of a form: some thousands of ids. */
const formLimit = 2 * 1_024 * 1_024

/** The whole OpenSubsonic API, under `/rest/<name>` and `/rest/<name>.view`. */
export function subsonicRoutes(
  app: Api,
  options: GatewayOptions & { readonly metrics: Metrics; readonly archives: Archives },
): void {
  const lastModified = watchLastModified(options.index)
  app.addHook('onClose', async () => lastModified[Symbol.dispose]())
  const listing = new URL('./listing.ts', import.meta.url)
  const parts: Parts = {
    ...options,
    details: createDetails(options),
    streams: options.metrics.streams,
    nowPlaying: createNowPlaying(),
    lastModified,
    seeds: createSeeds(),
    pages: createPages(),
    listing: options.index.reader<typeof import('./listing.ts')>(listing),
    halves: options.index.reader<typeof import('./listing.ts')>(listing, { halves: true }),
  }
  const { version } = options.config

  app.register(async (rest) => {
    rest.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: formLimit },
      (_request, body, done) => done(null, body),
    )
    rest.setErrorHandler((error, request, reply) => fail(error, request, openToOtherSites(reply), version))
    rest.options('/rest/:name', { config: { provesItself: true } }, answerPreflight)
    rest.route<{ Params: { name: string } }>({
      method: ['GET', 'HEAD', 'POST'],
      url: '/rest/:name',
      config: { provesItself: true },
      async handler(request, reply) {
        openToOtherSites(reply)
        const raw = parametersOf(request)
        const format = formatOf(raw)
        const answer = await answerTo(parts, request.params.name, raw, format, request, reply)
        if (answer === 'answered') return reply
        if (flows(answer)) return sendPieces(reply, format, version, answer)
        if (isInPieces(answer)) return sendWritten(reply, format, version, answer)
        return send(reply, format, version, 'ok', answer)
      },
    })
  })
}

async function answerTo(
  parts: Parts,
  path: string,
  raw: RawParameters,
  format: Format,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Answer> {
  const name = path.replace(/\.view$/, '')
  const open = openAnswers.get(name)
  if (open !== undefined) return open
  const endpoint = endpoints.get(name)
  if (endpoint === undefined) {
    reply.code(404)
    throw new Failure(0, `There is no endpoint ${name.slice(0, 100)}`, 'NOT_FOUND')
  }
  const identified = identify(parts.accounts, raw, request.ip)
  const { user } = identified
  const viewer = { user: user.id, administrator: user.role === 'administrator' }
  return endpoint.answer(parts, {
    ...identified,
    viewer,
    client: clientOf(raw),
    form: format.name,
    raw,
    request,
    reply,
    signal: signalOf(reply),
  })
}

/** Text of the query, and of the form where there is one. */
function parametersOf(request: FastifyRequest): RawParameters {
  const at = request.url.indexOf('?')
  const query = at === -1 ? '' : request.url.slice(at + 1)
  return readParameters(query, typeof request.body === 'string' ? request.body : '')
}

function fail(error: unknown, request: FastifyRequest, reply: FastifyReply, version: string): FastifyReply {
  const failure = failureOf(error)
  if (failure.explained === 'INTERNAL')
    request.log.error({ err: error }, 'a request failed inside the server')
  const { code, message, explained } = failure
  const helpUrl = `${request.protocol}://${request.host}/docs/errors#${explained}`
  const status = reply.statusCode === 404 ? 404 : 200
  return send(reply.code(status), formatFor(parametersOf(request)), version, 'failed', {
    error: { code, message, helpUrl },
  })
}

function formatFor(raw: RawParameters): Format {
  try {
    return formatOf(raw)
  } catch {
    return nearestFormat(raw)
  }
}

function send(
  reply: FastifyReply,
  format: Format,
  version: string,
  ...[status, content]: [status: 'ok' | 'failed', content: Parameters<typeof write>[3]]
): FastifyReply {
  const { mediaType, body } = write(format, version, status, content)
  return reply.type(mediaType).send(body)
}

/** What has been written already, with what stands around it. */
async function sendWritten(
  reply: FastifyReply,
  format: Format,
  version: string,
  content: Content,
): Promise<FastifyReply> {
  const { mediaType, body } = writePieces(format, version, content)
  const pieces = await Array.fromAsync(body, (piece) =>
    typeof piece === 'string' ? Buffer.from(piece) : piece,
  )
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  reply.raw.once('close', () => pieces.forEach(release))
  // They are many and stand in their own memory: to put them together would be to copy half a megabyte.
  return reply
    .type(mediaType)
    .header('content-length', length)
    .send(Readable.from(pieces, { objectMode: false }))
}

/**
 * Gives back the memory of what was sent, or is wanted by nobody any more. Left to the collector, half a megabyte for
 * each page makes it go through this thread's whole heap every few pages, and one answer in twenty waits for that.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  // A part of a larger buffer is one of Node's own, which others use as well.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** What fails before the first piece is answered as any other failure; later on the connection is cut. */
async function sendPieces(
  reply: FastifyReply,
  format: Format,
  version: string,
  content: Content,
): Promise<FastifyReply> {
  const { mediaType, body } = writePieces(format, version, content)
  const first = await body.next()
  async function* whole(): AsyncGenerator<Piece> {
    if (first.done) return
    yield first.value
    yield* body
  }
  return reply.type(mediaType).send(Readable.from(whole(), { objectMode: false, highWaterMark: 65_536 }))
}
