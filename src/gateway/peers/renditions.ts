import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Production, Representation } from '../../media/serve/representation.ts'
import { send } from '../../media/serve/send.ts'
import { lyrics } from '../../protocol/api/catalog.ts'
import { lyricsQuestion, pictureQuestion, renditionQuestion } from '../../protocol/api/peers.ts'
import { isCoded } from '../../protocol/errors.ts'
import { takeOver } from '../media/answer.ts'
import type { ReadLyrics } from '../media/lyrics.ts'
import type { Made, Renditions } from '../media/renditions.ts'
import { goneSignalOf, signalOf } from '../signal.ts'
import type { PeerRoutes } from './server.ts'

/** Says of an answer with bytes that they are of the version that was asked for, and may be kept for ever. */
export const immutableHeader = 'hocket-immutable'
/** How long what is being made will last, in milliseconds. */
export const durationHeader = 'hocket-duration'

/** What nodes without the role `media` ask of one that has it. A question too long for an address comes as a body. */
export function peerRenditionRoutes(renditions: Renditions): PeerRoutes {
  return (app) => {
    app.post('/renditions', { schema: { body: renditionQuestion } }, async (request, reply) => {
      const { source, wanted } = request.body
      await sendMade(request, reply, await renditions.transcode(source, wanted, goneSignalOf(reply)))
    })
    app.post('/pictures', { schema: { body: pictureQuestion } }, async (request, reply) => {
      await sendMade(request, reply, await renditions.cover(request.body, signalOf(reply)))
    })
  }
}

/** Lyrics are read where the music's folder is, or where its bytes are. */
export function peerLyricsRoute(readLyrics: ReadLyrics): PeerRoutes {
  return (app) => {
    app.post('/lyrics', { schema: { body: lyricsQuestion, response: { 200: lyrics } } }, (request, reply) =>
      readLyrics(request.body.source, signalOf(reply)),
    )
  }
}

/** As if it had been asked for with GET: what is complete may be asked for in ranges. */
async function sendMade(
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, immutable }: Made,
): Promise<void> {
  const response = takeOver(reply)
  if (immutable) response.setHeader(immutableHeader, '1')
  const durationMs = durationOf(bytes)
  if (durationMs !== undefined) response.setHeader(durationHeader, String(durationMs))
  try {
    await send({ method: 'GET', headers: request.headers }, response, bytes)
  } catch (error) {
    if (isCoded(error)) request.log.warn({ code: error.code, detail: error.detail }, 'a stream was cut')
    else request.log.error({ err: error }, 'a stream was cut')
  }
}

function durationOf(bytes: Production | Representation): number | undefined {
  return 'durationMs' in bytes ? bytes.durationMs : undefined
}
