import type { OutwardAnswer, OutwardRequest } from '../../outward/outward.ts'
import { CodedError, type ErrorCode } from '../../protocol/errors.ts'
import type { EventTrack, OutboxEvent } from '../../protocol/facts/outbox.ts'
import type { Id } from '../../protocol/ids.ts'

/** What became of events that were sent. */
export type Outcome =
  /** They are there. `refused` of them the service did not want, for good; those in `left` it wants later. */
  | { readonly kind: 'delivered'; readonly refused: number; readonly left: ReadonlySet<Id> }
  /** None is: again after a while; where the service has named one, after that. */
  | { readonly kind: 'later'; readonly code: ErrorCode; readonly detail: string; readonly afterMs?: number }
  /** One of them will never be taken as it is. It is given up after so many attempts. */
  | { readonly kind: 'refused'; readonly detail: string; readonly attempts: number }
  /** Nothing will be taken until the user has put something right. */
  | { readonly kind: 'attention'; readonly code: ErrorCode; readonly detail: string }

/** A request outside, as its connection may make it. */
export type Ask = (request: Omit<OutwardRequest, 'mayInside'>) => Promise<OutwardAnswer>

export interface Target {
  readonly url: string
  /** In the clear, in memory only. */
  readonly secret: string
}

/** How one kind of service is spoken to. Whatever cannot be reached rejects, as `sendOutward` says. */
export interface Service {
  /** Events in one request. */
  readonly most: number
  deliver(target: Target, events: readonly OutboxEvent[], ask: Ask): Promise<Outcome>
  /** Whether it takes us: what the account is called there. SERVICE_REFUSED, SERVICE_UNAVAILABLE. */
  check(target: Target, ask: Ask): Promise<string | undefined>
  /** Says what is being played now; what comes of it matters to nobody. */
  playing?(target: Target, track: EventTrack, ask: Ask): Promise<void>
}

export const delivered: Outcome = { kind: 'delivered', refused: 0, left: new Set() }

/** The plays among events: nothing else is meant for services that keep what someone heard. */
export function playsOf(events: readonly OutboxEvent[]) {
  return events.filter((event) => event.type === 'play.finished')
}

/** These services count no track of half a minute or less. */
export const shortestMs = 30_000

/** What an answer other than a good one means everywhere. */
export function failureOf(answer: OutwardAnswer, words = ''): Outcome {
  const { status } = answer
  const detail = words === '' ? `it answered ${status}` : `it answered ${status}: ${words}`
  const afterMs = retryAfterMs(answer)
  const later = { kind: 'later', code: 'SERVICE_UNAVAILABLE', detail } as const
  return afterMs === undefined ? later : { ...later, afterMs }
}

/** A service may ask for a day at most: one that asks for more is asked again all the same. */
const longestWaitMs = 24 * 3_600_000

/** Seconds or a date, in the header of RFC 9110 or in ListenBrainz's own. */
export function retryAfterMs(answer: OutwardAnswer): number | undefined {
  const limited = answer.status === 429 ? answer.header('x-ratelimit-reset-in') : undefined
  const text = answer.header('retry-after') ?? limited
  if (text === undefined) return undefined
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestWaitMs) : undefined
}

/** As an error, for who waits for it. */
export function refusalOf(outcome: Outcome): CodedError | null {
  if (outcome.kind === 'delivered') return null
  return new CodedError(outcome.kind === 'refused' ? 'SERVICE_REFUSED' : outcome.code, outcome.detail)
}

/** What a service says of itself may be long, and hold anything. */
export function brief(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 200)
}

/** JSON, or null where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
