import type { ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { ServeOptions } from '../../media/serve/answer.ts'
import type { Production, Representation } from '../../media/serve/representation.ts'
import { send } from '../../media/serve/send.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { Metrics } from '../metrics.ts'

/**
 * Answers with bytes, past Fastify's own sending: nothing stands between the file and the socket. What goes wrong after
 * the first byte cuts the connection and is only logged, for the answer has begun.
 */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  bytes: Representation | Production,
  options: ServeOptions,
  streams?: Metrics['streams'],
): Promise<void> {
  reply.hijack()
  using stream = streams?.begin(request.raw.socket)
  try {
    await send({ method: request.method, headers: request.headers }, reply.raw, bytes, {
      ...options,
      carried: reply.getHeaders(),
      ...(stream && { onShortcut: stream.count }),
    })
  } catch (error) {
    logCut(request.log, error)
  }
}

/** An answer that had begun could not be finished. */
export function logCut(log: FastifyBaseLogger, error: unknown): void {
  if (isCoded(error)) log.warn({ code: error.code, detail: error.detail }, 'a stream was cut')
  else log.error({ err: error }, 'a stream was cut')
}

/** The bare response, with the headers that every answer carries; Fastify sends nothing from now on. */
export function takeOver(reply: FastifyReply): ServerResponse {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  return reply.raw
}
