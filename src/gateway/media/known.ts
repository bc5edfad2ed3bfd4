import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Authenticated } from '../../accounts/accounts.ts'
import type { TrackSource } from '../../catalog/catalog.ts'

/** A request for a range of a track, and what the hooks and the route made of it. */
export interface Known {
  /** Who asked, and how. */
  readonly remote: string | undefined
  readonly rawHeaders: readonly string[]
  /** Where among them the range stands. */
  readonly rangeAt: number
  readonly source: TrackSource
  readonly v: string | undefined
  readonly token: string
  readonly signedIn: Authenticated
  readonly address: string
  /** What every answer carries. */
  readonly carried: ReturnType<FastifyReply['getHeaders']>
  readonly route: string
}

/** So many characters the address and the headers of one may have. */
const longest = 4_000

/** Whether a request is for a range, and says nothing that has to be looked at each time. */
export function isPlain({ method, url = '', headers, rawHeaders }: IncomingMessage): boolean {
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  // Whom other sites' pages are to be told of does not stand in the index.
  const isForeign = headers.origin !== undefined
  const length = rawHeaders.reduce((sum, text) => sum + text.length, url.length)
  return method === 'GET' && headers.range !== undefined && !hasBody && !isForeign && length <= longest
}

/** Whether a request for the same address differs from the known one at most by its range. */
export function isLike(known: Known, { method, rawHeaders, socket }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    rawHeaders.length === known.rawHeaders.length &&
    known.rawHeaders.every((text, at) => text === rawHeaders[at] || at === known.rangeAt) &&
    socket.remoteAddress === known.remote
  )
}
