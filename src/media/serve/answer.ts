import type { IncomingHttpHeaders } from 'node:http'
import { evaluateConditions, isSameForRange } from './conditions.ts'
import { attachment } from './disposition.ts'
import { parseRange } from './range.ts'
import type { ByteRange, Production, Representation } from './representation.ts'

export interface ServeRequest {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
}

export interface ServeOptions {
  /** The URL names this version of the bytes: whoever has them need never ask again. Otherwise they ask each time. */
  readonly immutable?: boolean
  /** Save under this name instead of playing or showing. */
  readonly downloadAs?: string
  /** The request headers that chose this representation, for `Vary`. */
  readonly vary?: string
  /** Headers that the answer has besides; those that describe the bytes win. */
  readonly carried?: Readonly<Record<string, string | number | string[] | undefined>>
  /** Told of bytes that go past Node, which does not count them among those that the socket has written. */
  readonly onShortcut?: (sent: number) => void
}

export interface Answer {
  readonly status: 200 | 206 | 304 | 412 | 416
  readonly headers: Readonly<Record<string, string>>
  /** Which bytes the body has; null: there is no body. */
  readonly body: ByteRange | null
}

/** The answer of RFC 9110 to a GET or HEAD for these bytes, at the time `now`. A function of its arguments only. */
export function answer(
  request: ServeRequest,
  bytes: Omit<Representation, 'open' | typeof Symbol.dispose> | Production,
  options: ServeOptions = {},
  now: number = Date.now(),
): Answer {
  const common = {
    'x-content-type-options': 'nosniff',
    'cache-control': options.immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache',
    ...(options.vary === undefined ? {} : { vary: options.vary }),
  }
  const described = {
    ...common,
    'content-type': bytes.mediaType,
    ...(options.downloadAs === undefined ? {} : { 'content-disposition': attachment(options.downloadAs) }),
  }
  const wanted = request.method !== 'HEAD'
  if (!('size' in bytes)) {
    const headers = { ...described, 'accept-ranges': 'none', 'cache-control': 'private, no-store' }
    return { status: 200, headers, body: wanted ? { start: 0, end: Number.POSITIVE_INFINITY } : null }
  }

  const validators = {
    etag: bytes.etag,
    'accept-ranges': 'bytes',
    ...(bytes.lastModified === undefined
      ? {}
      : { 'last-modified': new Date(bytes.lastModified).toUTCString() }),
  }
  const verdict = evaluateConditions(request.headers, bytes)
  if (verdict === 'not modified') return { status: 304, headers: { ...common, ...validators }, body: null }
  if (verdict === 'failed') return { status: 412, headers: { ...common, 'content-length': '0' }, body: null }

  const ranged = request.method === 'GET' && isSameForRange(request.headers, bytes, now)
  const range = parseRange(ranged ? request.headers.range : undefined, bytes.size)
  if (range === 'unsatisfiable') {
    const headers = {
      ...common,
      ...validators,
      'content-range': `bytes */${bytes.size}`,
      'content-length': '0',
    }
    return { status: 416, headers, body: null }
  }
  const whole = range === 'whole'
  const body = whole ? { start: 0, end: bytes.size } : range
  const headers = { ...described, ...validators, 'content-length': String(body.end - body.start) }
  if (whole) return { status: 200, headers, body: wanted ? body : null }
  const contentRange = `bytes ${body.start}-${body.end - 1}/${bytes.size}`
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, body }
}
