import type { FastifyReply } from 'fastify'

/** How long an answer may take to begin, in milliseconds (law N3). */
const defaultDeadline = 30_000

/**
 * Ends the work for a request once its client has gone or the deadline has passed. (Fastify's own `request.signal`
 * aborts as soon as a body has been read, so it cannot be used for writes.)
 */
export function signalOf(reply: Pick<FastifyReply, 'raw'>, deadlineMs = defaultDeadline): AbortSignal {
  const ended = new AbortController()
  // Joining two signals would cost more than this, and `AbortSignal.timeout` stays after the answer.
  const late = () => ended.abort(new DOMException('the answer took too long to begin', 'TimeoutError'))
  const deadline = setTimeout(late, deadlineMs).unref()
  reply.raw.once('close', () => {
    clearTimeout(deadline)
    if (!reply.raw.writableFinished) ended.abort()
  })
  return ended.signal
}

/** The same without a deadline, for streams that last as long as someone listens. */
export function goneSignalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return gone.signal
}
