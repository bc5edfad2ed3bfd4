import { hash, X509Certificate } from 'node:crypto'
import { CodedError } from '../../protocol/errors.ts'
import { peerAddress } from '../../protocol/facts/cluster.ts'

/**
 * What a person copies to the machine that is to join: `hocket://<host:port>[,<host:port>…]/<authority>/<secret>`. The
 * authority's fingerprint pins whom the new node may trust; the secret lets it in. There is nothing in it that a shell
 * would take for its own, unless an address is IPv6.
 */
export interface JoinLine {
  /** At least one; tried in turn. */
  readonly addresses: readonly string[]
  /** The SHA-256 of the authority's certificate, in base64url. */
  readonly authority: string
  /** 256 random bits in base64url. */
  readonly secret: string
}

const form = /^hocket:\/\/([^/\s]+)\/([\w-]{43})\/([\w-]{43})$/

export function formatJoinLine({ addresses, authority, secret }: JoinLine): string {
  return `hocket://${addresses.join(',')}/${authority}/${secret}`
}

/** Throws JOIN_LINE_INVALID. */
export function parseJoinLine(text: string): JoinLine {
  const [, hosts = '', authority, secret] = form.exec(text.trim()) ?? []
  if (authority === undefined || secret === undefined) throw new CodedError('JOIN_LINE_INVALID')
  const addresses = hosts.split(',')
  for (const address of addresses) {
    if (!peerAddress.safeParse(address).success) {
      throw new CodedError('JOIN_LINE_INVALID', `${address} is no address of a node`)
    }
  }
  return { addresses, authority, secret }
}

/**
 * The line with addresses that were found on the network before its own, if it has any: `text` is a whole join line, or
 * the two parts after its addresses. JOIN_LINE_INVALID.
 */
export function joinLineAt(found: readonly string[], text: string): string {
  const trimmed = text.trim()
  const isWhole = trimmed.startsWith('hocket://')
  const [first = ''] = found
  const line = parseJoinLine(isWhole ? trimmed : `hocket://${first}/${trimmed.replace(/^\//, '')}`)
  return formatJoinLine({ ...line, addresses: [...new Set([...found, ...line.addresses])] })
}

/** The fingerprint of an authority as a join line carries it. */
export function pinOf(certificate: string | X509Certificate): string {
  const parsed = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate
  return hash('sha256', parsed.raw, 'base64url')
}
