import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { CodedError } from '../../protocol/errors.ts'
import { createEndpoint, type Endpoint, type Tls } from './endpoint.ts'
import { failureOf } from './failures.ts'
import { methods } from './methods.ts'

export interface Members {
  /** Addresses for clients, `https://host:2379`; the first one is preferred. */
  readonly endpoints: readonly string[]
  /** Needed where the addresses are https. */
  readonly tls?: Tls | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Whether a request of which nobody knows whether it was carried out may be made again. Where it may not, such a
   * request rejects with TIMED_OUT.
   */
  readonly repeatable: boolean
  /** The method streams, and its first answer is wanted. */
  readonly streams?: boolean
  /** A member that knows of no leader is to answer as well. */
  readonly leaderless?: boolean
  /** Milliseconds; 15 seconds unless given. */
  readonly deadline?: number
}

export interface Answer {
  readonly bytes: Uint8Array
  /** An earlier attempt may have been carried out as well, or may yet be. */
  readonly repeated: boolean
}

/** Calls to whichever member answers. */
export interface Connection extends Disposable {
  /**
   * Rejects with the signal's reason; with what etcd says of the request (`failureOf`); with UNREACHABLE when no member
   * has taken the request in time; with TIMED_OUT when one may have, without an answer.
   */
  call(method: string, request: Uint8Array, options: CallOptions): Promise<Answer>
  /** Answers from one member, for as long as it lives and has a leader; throws a Failure's error when it no longer does. */
  stream(method: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array>
  /** Goes on with other members, or with other certificates. */
  use(members: Members): void
  readonly closed: boolean
}

/** Milliseconds. */
const callDeadline = 15_000
/** When nobody has answered for that long, waiting so long for each call helps no one. */
const givenUpAfter = 10_000
const givenUpDeadline = 3_000
/** What the first attempt at a member gets; each further round of all members gets twice as much. */
const firstAttempt = 2_500
const shortestPause = 50
const longestPause = 500
/** How often a member that streams is asked whether it lives. */
const pulseEvery = 3_000

const noFields = new Uint8Array(0)
const closedError = () => new CodedError('UNREACHABLE', 'the store has been closed')

export function createConnection(members: Members): Connection {
  const closing = new AbortController()
  // Every call listens to it, and there is no harm in many.
  setMaxListeners(0, closing.signal)
  let endpoints = members.endpoints.map((url) => createEndpoint(url, members.tls))
  let present = 0
  let answeredAt = performance.now()
  const pulses = new WeakMap<Endpoint, { readonly at: number; readonly beats: Promise<void> }>()

  function endpoint(): Endpoint {
    const chosen = endpoints[present % endpoints.length]
    if (chosen === undefined) throw new CodedError('SETTING_INVALID', 'the store has no address')
    return chosen
  }

  /** Another call may have turned away from it already. */
  function turnFrom(failed: Endpoint) {
    if (endpoint() === failed) present = (present + 1) % endpoints.length
  }

  async function call(
    method: string,
    request: Uint8Array,
    {
      signal,
      repeatable,
      streams = false,
      leaderless = false,
      deadline: longest = callDeadline,
    }: CallOptions,
  ): Promise<Answer> {
    const either = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
    const startedAt = performance.now()
    const deadline = startedAt - answeredAt > givenUpAfter ? givenUpDeadline : longest
    let repeated = false
    for (let attempt = 0; ; attempt += 1) {
      either.throwIfAborted()
      const left = startedAt + deadline - performance.now()
      const rounds = 2 ** Math.floor(attempt / endpoints.length)
      const patience = repeatable ? Math.min(left, firstAttempt * rounds) : left
      const at = endpoint()
      try {
        const limits = { deadline: Math.max(1, patience), signal: either, leaderless }
        const bytes = await at[streams ? 'first' : 'unary'](method, request, limits)
        answeredAt = performance.now()
        return { bytes, repeated }
      } catch (error) {
        either.throwIfAborted()
        const failure = failureOf(error, at.url)
        if (failure.kind === 'final' || failure.kind === 'large') {
          answeredAt = performance.now()
          throw failure.error
        }
        turnFrom(at)
        repeated ||= failure.kind === 'unknown'
        const wait = Math.min(shortestPause * rounds, longestPause) * (0.5 + Math.random())
        if ((repeated && !repeatable) || performance.now() + wait >= startedAt + deadline) {
          throw new CodedError(repeated ? 'TIMED_OUT' : 'UNREACHABLE', failure.error.detail, { cause: error })
        }
        await pause(wait, undefined, { signal: either })
      }
    }
  }

  /** Streams go over many minutes, so a member that has stopped without a word must be found out while they wait. */
  async function* stream(
    method: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const at = endpoint()
    const stopped = new AbortController()
    const any = AbortSignal.any([signal, closing.signal, stopped.signal])
    const pulse = setInterval(() => {
      beat(at).catch((error) => stopped.abort(error))
    }, pulseEvery)
    // Whoever aborts need not read on, and the generator then stands at its last answer for ever.
    any.addEventListener('abort', () => clearInterval(pulse))
    try {
      yield* at.stream(method, request, any)
    } catch (error) {
      any.throwIfAborted()
      const failure = failureOf(error, at.url)
      if (failure.kind !== 'final') turnFrom(at)
      throw failure.error
    } finally {
      clearInterval(pulse)
    }
  }

  /** One question serves all streams of a member. */
  function beat(at: Endpoint): Promise<void> {
    const known = pulses.get(at)
    if (known !== undefined && performance.now() - known.at < pulseEvery / 2) return known.beats
    const beats = at.unary(methods.status, noFields, { deadline: firstAttempt, signal: closing.signal }).then(
      () => undefined,
      (error) => {
        turnFrom(at)
        throw failureOf(error, at.url).error
      },
    )
    pulses.set(at, { at: performance.now(), beats })
    return beats
  }

  return {
    call,
    stream,
    use(others) {
      const former = endpoints
      endpoints = others.endpoints.map((url) => createEndpoint(url, others.tls))
      present = 0
      for (const each of former) each.close()
    },
    get closed() {
      return closing.signal.aborted
    },
    [Symbol.dispose]() {
      closing.abort(closedError())
      for (const each of endpoints) each.close()
    },
  }
}
