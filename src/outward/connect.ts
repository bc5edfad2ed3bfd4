import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { CodedError } from '../protocol/errors.ts'
import { mayCall } from './addresses.ts'

// Not imported: that would load what nobody here uses (ADR 0252).
const { request: requestHttp } = process.getBuiltinModule('node:http')

/** What whoever named an address may name. */
export interface Reach {
  /** Networks inside. */
  readonly mayInside: boolean
  /** Addresses without TLS. */
  readonly mayPlain: boolean
}

/** As `dns.lookup` answers all addresses of a name. */
export type Resolve = (
  name: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface Connecting {
  readonly target: URL
  readonly reach: Reach
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/**
 * Asks a server outside, over a connection of its own: what was checked for one user serves no other. The addresses of
 * its host are checked as the connection is made, so that a name that means one thing when it is looked at and another
 * when it is called gains nothing. Answers when the head of the answer is there. Errors: ADDRESS_FORBIDDEN, Node's own.
 */
export async function connect(
  { target, reach, method, headers, body }: Connecting,
  signal: AbortSignal,
  resolve: Resolve = lookup,
): Promise<IncomingMessage> {
  refuseTarget(target, reach)
  const options: RequestOptions = {
    method,
    headers: {
      'user-agent': 'Hocket',
      ...headers,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    agent: false,
    lookup: checkedLookup(resolve, reach),
    signal,
  }
  return await new Promise((answer, reject) => {
    const open = target.protocol === 'https:' ? requestHttps : requestHttp
    const request = open(target, options, answer)
    request.on('error', reject)
    request.end(body)
  })
}

/** What can be told without asking anyone for the host's addresses. */
function refuseTarget({ protocol, hostname, username }: URL, { mayInside, mayPlain }: Reach): void {
  if (protocol !== 'https:' && !(protocol === 'http:' && mayPlain)) {
    throw new CodedError('ADDRESS_FORBIDDEN', 'it must begin with https://')
  }
  if (username !== '') throw new CodedError('ADDRESS_FORBIDDEN', 'it must not hold a name and password')
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !mayCall(host, mayInside)) throw new CodedError('ADDRESS_FORBIDDEN')
}

/** Node connects to exactly those addresses that this answers. */
function checkedLookup(resolve: Resolve, { mayInside }: Reach): LookupFunction {
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

/** What went wrong with a connection, as SERVICE_UNAVAILABLE in words; what is coded already stays as it is. */
export function unavailable(error: unknown, wasLate: boolean): CodedError {
  if (error instanceof CodedError) return error
  const detail = wasLate ? 'it did not answer in time' : reasonOf(error)
  return new CodedError('SERVICE_UNAVAILABLE', detail, { cause: error })
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known'
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'it hung up'
  if (code.includes('CERT') || code.startsWith('ERR_TLS')) return 'its certificate is not valid'
  return code === '' ? 'the connection failed' : `the connection failed (${code})`
}
