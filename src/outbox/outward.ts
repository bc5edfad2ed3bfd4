import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { CodedError } from '../protocol/errors.ts'
import { mayCall } from './addresses.ts'

// Not imported: that would load what nobody here uses (ADR 0252).
const { request: requestHttp } = process.getBuiltinModule('node:http')

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
 * Sends a request to an address that a user has named. The addresses of its host are checked as the connection is made,
 * so that a name that means one thing when it is looked at and another when it is called gains nothing. Redirects are
 * not followed: they are an answer like any other.
 *
 * Errors: ADDRESS_FORBIDDEN, SERVICE_UNAVAILABLE (with why, in words), the signal's reason.
 */
export const sendOutward: Send = createSend(lookup)

/** The same, with another way to find the addresses of a name. */
export function createSend(resolve: Resolve): Send {
  return (request, signal) => send(request, resolve, signal)
}

/** As `dns.lookup` answers all addresses of a name. */
export type Resolve = (
  name: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

async function send(
  { url, method, headers, body, mayInside }: OutwardRequest,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<OutwardAnswer> {
  const target = new URL(url)
  refuseTarget(target, mayInside)
  const deadline = AbortSignal.timeout(deadlineMs)
  const options: RequestOptions = {
    method,
    headers: {
      'user-agent': 'Hocket',
      accept: 'application/json',
      ...headers,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    // A connection of its own: what was checked for one user serves no other.
    agent: false,
    lookup: checkedLookup(resolve, mayInside),
    signal: AbortSignal.any([signal, deadline]),
  }
  try {
    const response = await begin(target, options, body)
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
    if (error instanceof CodedError) throw error
    const detail = deadline.aborted ? 'it did not answer in time' : reasonOf(error)
    throw new CodedError('SERVICE_UNAVAILABLE', detail, { cause: error })
  }
}

/** What can be told without asking anyone for the host's addresses. */
function refuseTarget({ protocol, hostname, username }: URL, mayInside: boolean): void {
  if (protocol !== 'https:' && !(protocol === 'http:' && mayInside)) {
    throw new CodedError('ADDRESS_FORBIDDEN', 'it must begin with https://')
  }
  if (username !== '') throw new CodedError('ADDRESS_FORBIDDEN', 'it must not hold a name and password')
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !mayCall(host, mayInside)) throw new CodedError('ADDRESS_FORBIDDEN')
}

/** Node connects to exactly those addresses that this answers. */
function checkedLookup(resolve: Resolve, mayInside: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const allowed = addresses.filter(({ address }) => mayCall(address, mayInside))
      const [first] = allowed
      if (first === undefined) return callback(new CodedError('ADDRESS_FORBIDDEN'), [])
      if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function begin(target: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const open = target.protocol === 'https:' ? requestHttps : requestHttp
    const request = open(target, options, resolve)
    request.on('error', reject)
    request.end(body)
  })
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

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known'
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'it hung up'
  if (code.includes('CERT') || code.startsWith('ERR_TLS')) return 'its certificate is not valid'
  return code === '' ? 'the connection failed' : `the connection failed (${code})`
}
