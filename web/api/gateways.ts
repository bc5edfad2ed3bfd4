import type { Roaming } from '../../src/protocol/api/accounts.ts'
import { createStore, type Store } from '../player/store.ts'

/** The gateways of the cluster as this page uses them: its own one, and where to go on when that dies. */
export interface Gateways {
  /** The origin that is used now; '' is the one that served the page. Changes when the page has gone over. */
  readonly base: Store<{ readonly origin: string }>
  /** The address of what the browser loads by itself (audio, pictures, the WebSocket), at the present gateway. */
  address(path: string): string
  /** As `fetch`, to the present gateway. What may be repeated goes over to another one where that does not answer. */
  fetch(request: Request, signal: AbortSignal): Promise<Response>
  /** Goes over to another gateway if the present one is silent. */
  check(): Promise<void>
  /** Asks for the other gateways and a fresh pass; true where there are others. */
  refresh(): Promise<boolean>
}

export interface GatewaysParts {
  readonly fetch: typeof fetch
  /** The origin that served the page. */
  readonly home: string
}

/** How long a gateway may take to say that it is ready. */
const probeMs = 2_000
/** What may reach the server twice without doing more than once. */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])

export function createGateways(parts: GatewaysParts): Gateways {
  const base = createStore<{ readonly origin: string }>({ origin: '' })
  let known: Roaming = { gateways: [] }
  let leaving: Promise<boolean> | undefined

  /** The request as the present gateway must get it: another one knows nothing of our cookie. */
  function at(origin: string, request: Request, body: ArrayBuffer | undefined, signal: AbortSignal): Request {
    if (origin === '') return new Request(request, { signal })
    const { pathname, search } = new URL(request.url)
    const headers = new Headers(request.headers)
    if (known.pass !== undefined) headers.set('authorization', `Bearer ${known.pass}`)
    const { method } = request
    const content = body === undefined || body.byteLength === 0 ? {} : { body }
    return new Request(origin + pathname + search, {
      method,
      headers,
      credentials: 'omit',
      signal,
      ...content,
    })
  }

  async function send(request: Request, signal: AbortSignal): Promise<Response> {
    const body = request.body === null ? undefined : await request.clone().arrayBuffer()
    const origin = base.get().origin
    try {
      return await parts.fetch(at(origin, request.clone(), body, signal))
    } catch (error) {
      if (request.signal.aborted) throw error
      const moved = base.get().origin !== origin || (await leave())
      if (!moved || !repeatable.has(request.method)) throw error
      return await parts.fetch(at(base.get().origin, request, body, signal))
    }
  }

  /** Goes over to one that answers; false where none does. However many ask, it is looked for once. */
  async function leave(): Promise<boolean> {
    leaving ??= goOver().finally(() => {
      leaving = undefined
    })
    return await leaving
  }

  async function goOver(): Promise<boolean> {
    if (known.pass === undefined) return false
    const here = base.get().origin
    const others = ['', ...known.gateways.map(({ url }) => url)].filter((origin) => origin !== here)
    try {
      base.set({ origin: await Promise.any(others.map(probe)) })
      return true
    } catch {
      return false
    }
  }

  async function probe(origin: string): Promise<string> {
    const response = await parts.fetch(`${origin || parts.home}/readyz`, {
      credentials: 'omit',
      cache: 'no-store',
      // The pass also tells whence this page may be: without it, another gateway does not let the answer be read.
      ...(known.pass !== undefined && { headers: { authorization: `Bearer ${known.pass}` } }),
      signal: AbortSignal.timeout(probeMs),
    })
    if (!response.ok) throw new Error(`${origin} answers ${response.status}`)
    return origin
  }

  return {
    base,
    address(path) {
      const origin = base.get().origin
      if (origin === '' || known.pass === undefined) return path
      return `${origin}${path}${path.includes('?') ? '&' : '?'}pass=${encodeURIComponent(known.pass)}`
    },
    fetch: send,
    async check() {
      await probe(base.get().origin).catch(leave)
    },
    async refresh() {
      const request = new Request(new URL('/api/session/pass', parts.home), { method: 'POST' })
      const response = await send(request, AbortSignal.timeout(10_000))
      if (!response.ok) return false
      const answer: Roaming = await response.json()
      known = answer
      return known.gateways.length > 0
    },
  }
}
