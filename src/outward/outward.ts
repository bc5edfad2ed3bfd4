import type { IncomingMessage } from 'node:http'
import { connect, type Resolve, unavailable } from './connect.ts'

/** One request to a server outside. */
export interface OutwardRequest {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Whether it may go to networks inside, and without TLS: for administrators only. */
  readonly mayInside: boolean
}

export interface OutwardAnswer {
  readonly status: number
  readonly header: (name: string) => string | undefined
  /** The first 256 KiB at most. */
  readonly text: string
}

/** How a request goes outside. */
export type Send = (request: OutwardRequest, signal: AbortSignal) => Promise<OutwardAnswer>

/** From the first packet to the last byte of the answer, in milliseconds. */
const deadlineMs = 15_000
const mostBytes = 256 * 1_024

/**
 * Sends a request to an address that a user has named, checked as `connect` says. Redirects are not followed: they are an
 * answer like any other.
 *
 * Errors: ADDRESS_FORBIDDEN, SERVICE_UNAVAILABLE (with why, in words), the signal's reason.
 */
export const sendOutward: Send = createSend()

/** The same, with another way to find the addresses of a name. */
export function createSend(resolve?: Resolve): Send {
  return (request, signal) => send(request, resolve, signal)
}

async function send(
  { url, method, headers, body, mayInside }: OutwardRequest,
  resolve: Resolve | undefined,
  signal: AbortSignal,
): Promise<OutwardAnswer> {
  const deadline = AbortSignal.timeout(deadlineMs)
  const request = {
    target: new URL(url),
    reach: { mayInside, mayPlain: mayInside },
    method,
    headers: { accept: 'application/json', ...headers },
    body,
  }
  try {
    const response = await connect(request, AbortSignal.any([signal, deadline]), resolve)
    return {
      status: response.statusCode ?? 0,
      header(name) {
        const value = response.headers[name]
        return Array.isArray(value) ? value[0] : value
      },
      text: await read(response),
    }
  } catch (error) {
    signal.throwIfAborted()
    throw unavailable(error, deadline.aborted)
  }
}

async function read(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response) {
    const buffer = Buffer.from(piece)
    pieces.push(buffer)
    bytes += buffer.length
    // Leaving the loop closes the connection.
    if (bytes >= mostBytes) break
  }
  return Buffer.concat(pieces).toString('utf8', 0, mostBytes)
}
