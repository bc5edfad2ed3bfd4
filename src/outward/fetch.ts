import type { IncomingMessage } from 'node:http'
import { CodedError } from '../protocol/errors.ts'
import { connect, type Reach, type Resolve, unavailable } from './connect.ts'

/** Bytes that are wanted from a server outside. */
export interface FetchRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** What may be reached at an address: asked for each one on the way. */
  readonly reach: (target: URL) => Reach
  /** TOO_LARGE beyond. */
  readonly mostBytes: number
  /** From the first packet to the last byte, in milliseconds. */
  readonly deadlineMs: number
}

/** What was found. Dispose of it: that ends the connection. */
export interface Fetched extends Disposable {
  readonly status: number
  readonly header: (name: string) => string | undefined
  /** Where it was found, after redirects. */
  readonly url: string
  /** How many bytes there will be, where that was said. */
  readonly size: number | undefined
  /** To be read once. SERVICE_UNAVAILABLE where it breaks off or stands still, TOO_LARGE. */
  readonly bytes: AsyncIterable<Uint8Array>
}

export type Fetch = (request: FetchRequest, signal: AbortSignal) => Promise<Fetched>

/** As many as browsers follow. */
const mostRedirects = 20
/** What sends nothing for so long is given up, in milliseconds. */
const silenceMs = 30_000

/**
 * Fetches what lies at an address, from wherever that leads: each address on the way is checked as the first one is.
 * Errors: ADDRESS_FORBIDDEN, SERVICE_UNAVAILABLE, TOO_LARGE, the signal's reason.
 */
export const fetchOutward: Fetch = createFetch()

/** The same, with another way to find the addresses of a name. */
export function createFetch(resolve?: Resolve): Fetch {
  return (request, signal) => follow(request, resolve, signal)
}

async function follow(
  request: FetchRequest,
  resolve: Resolve | undefined,
  signal: AbortSignal,
): Promise<Fetched> {
  const ending = new AbortController()
  const deadline = setTimeout(() => ending.abort(late), request.deadlineMs).unref()
  const watch = createWatch(ending)
  const stop = () => {
    clearTimeout(deadline)
    watch.end()
    ending.abort(new DOMException('nobody wants the rest', 'AbortError'))
  }
  const either = AbortSignal.any([signal, ending.signal])
  const fail = (error: unknown): never => {
    const wasLate = ending.signal.aborted && ending.signal.reason === late
    stop()
    signal.throwIfAborted()
    throw unavailable(error, wasLate)
  }
  try {
    let target = new URL(request.url)
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      watch.touch()
      const { headers = {}, reach } = request
      const response = await connect(
        { target, reach: reach(target), method: 'GET', headers },
        either,
        resolve,
      )
      // Whatever ends it later is met where it is read; until then it must not count as unhandled.
      response.on('error', () => undefined)
      const next = redirectOf(response, target)
      if (next === null) return fetched(response, target, request, { touch: watch.touch, stop, fail })
      response.destroy()
      target = next
    }
    throw new CodedError('SERVICE_UNAVAILABLE', 'it leads from one address to another without end')
  } catch (error) {
    return fail(error)
  }
}

const late = new DOMException('it did not answer in time', 'TimeoutError')

/** Ends what is silent for too long. */
function createWatch(ending: AbortController) {
  let timer: NodeJS.Timeout | undefined
  return {
    touch() {
      clearTimeout(timer)
      timer = setTimeout(() => ending.abort(late), silenceMs).unref()
    },
    end: () => clearTimeout(timer),
  }
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return null
  const next = URL.parse(headers.location, from.href)
  if (next === null) throw new CodedError('SERVICE_UNAVAILABLE', 'it leads to an address that is none')
  return next
}

interface Ends {
  touch(): void
  stop(): void
  fail(error: unknown): never
}

function fetched(
  response: IncomingMessage,
  target: URL,
  { mostBytes }: FetchRequest,
  { touch, stop, fail }: Ends,
): Fetched {
  const header = (name: string) => {
    const value = response.headers[name]
    return Array.isArray(value) ? value[0] : value
  }
  const length = header('content-length')
  const size = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
  const tooLarge = () => new CodedError('TOO_LARGE', `more than ${mostBytes} bytes`)

  async function* bytes(): AsyncGenerator<Uint8Array> {
    let read = 0
    try {
      if (size !== undefined && size > mostBytes) throw tooLarge()
      for await (const piece of response) {
        touch()
        const buffer = Buffer.from(piece)
        read += buffer.length
        if (read > mostBytes) throw tooLarge()
        yield buffer
      }
    } catch (error) {
      fail(error)
    }
  }

  return {
    status: response.statusCode ?? 0,
    header,
    url: target.href,
    size,
    bytes: bytes(),
    [Symbol.dispose]() {
      stop()
      response.destroy()
    },
  }
}

/** All of it, at once. */
export async function readWhole({ bytes }: Pick<Fetched, 'bytes'>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes))
}
