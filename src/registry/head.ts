import type { IncomingHttpHeaders } from 'node:http'

/** The head of an HTTP answer whose body has a length that it tells. */
export interface Head {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Bytes of the head itself, with the empty line that ends it. */
  readonly length: number
  readonly bodyBytes: number
}

const most = 16 * 1_024
const blank = Buffer.from('\r\n\r\n')
const firstLine = /^HTTP\/1\.1 (\d{3})(?: .*)?$/
const field = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/
const bodiless: readonly number[] = [204, 304]

/**
 * Reads the head at the start of what a node has sent so far; null while it has not come whole. Throws where it is none,
 * is too long, or does not tell how long its body is: what other nodes send always does.
 */
export function parseHead(bytes: Buffer): Head | null {
  const end = bytes.subarray(0, most).indexOf(blank)
  if (end < 0 && bytes.length >= most) throw new Error('the head of its answer is too long')
  if (end < 0) return null
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const status = Number(firstLine.exec(first)?.[1])
  if (!(status >= 200)) throw new Error('it does not answer as a node does')
  const headers: IncomingHttpHeaders = {}
  for (const line of lines) {
    const [, name, value] = field.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error('it does not answer as a node does')
    headers[name.toLowerCase()] = value
  }
  return { status, headers, length: end + blank.length, bodyBytes: bodyBytes(status, headers) }
}

function bodyBytes(status: number, headers: IncomingHttpHeaders): number {
  if (bodiless.includes(status)) return 0
  const told = headers['content-length'] ?? ''
  if (headers['transfer-encoding'] === undefined && /^\d{1,15}$/.test(told)) return Number(told)
  throw new Error('it does not tell how long its answer is')
}
