import type { IncomingHttpHeaders } from 'node:http'

export interface Validators {
  readonly etag: string
  readonly lastModified?: number
}

export type Verdict = 'go on' | 'not modified' | 'failed'

/** Evaluates a request's preconditions in the order of RFC 9110, 13.2.2. */
export function evaluateConditions(headers: IncomingHttpHeaders, current: Validators): Verdict {
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, (tag) => tag === current.etag)) return 'failed'
  } else if (changedSince(headers['if-unmodified-since'], current)) return 'failed'

  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined) {
    return matches(ifNoneMatch, (tag) => opaque(tag) === opaque(current.etag)) ? 'not modified' : 'go on'
  }
  return changedSince(headers['if-modified-since'], current) === false ? 'not modified' : 'go on'
}

/**
 * Whether a Range may be honoured (RFC 9110, 13.1.5): the client's part is of these very bytes. Tags are compared
 * strongly; a date must be the same to the second, and older than a second at `now`, for within a second a file may
 * change twice.
 */
export function isSameForRange(headers: IncomingHttpHeaders, current: Validators, now: number): boolean {
  const ifRange = headers['if-range']
  if (ifRange === undefined) return true
  if (typeof ifRange !== 'string') return false
  if (/^(W\/)?"/.test(ifRange)) return ifRange === current.etag
  const { lastModified } = current
  if (lastModified === undefined) return false
  return wholeSeconds(Date.parse(ifRange)) === wholeSeconds(lastModified) && now - lastModified > 1_000
}

/** undefined: nothing to compare, or no date (then the header is to be ignored). */
function changedSince(date: string | undefined, { lastModified }: Validators): boolean | undefined {
  if (date === undefined || lastModified === undefined) return undefined
  const since = Date.parse(date)
  return Number.isNaN(since) ? undefined : wholeSeconds(lastModified) > wholeSeconds(since)
}

/** Whether a list of entity tags, or `*`, has one that `isCurrent` accepts. */
function matches(list: string, isCurrent: (tag: string) => boolean): boolean {
  if (list.trim() === '*') return true
  return (list.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? []).some(isCurrent)
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '')
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000)
}
