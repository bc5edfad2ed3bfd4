import type { Roaming } from '../../src/protocol/api/accounts.ts'
import { createStore, type Store } from '../player/store.ts'

/** The gateways of the cluster as this page uses them: its own one, and where to go on when that dies. */
export interface Gateways {
  /** The origin that is used now; '' is the one that served the page. Changes when the page has gone over. */
  readonly base: Store<{ readonly origin: string }>
  /** The address of what the browser loads by itself (audio, pictures, the WebSocket), at the present gateway. */
  address(path: string): string
  /** The same for what sends its own requests: the address, and the headers that prove the page there. */
  reach(path: string): { readonly url: string; readonly headers: Readonly<Record<string, string>> }
  /** As `fetch`, to the present gateway. What may be repeated goes over to another one where that does not answer. */
  fetch(request: Request, signal: AbortSignal): Promise<Response>
  /** Goes over to another gateway if the present one is silent. */
  check(): Promise<void>
  /** Asks for the other gateways and a fresh pass. */
  refresh(): Promise<void>
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

  /** The request as another gateway must get it, which knows nothing of our cookie. */
  async function elsewhere(origin: string, request: Request, signal: AbortSignal): Promise<Request> {
    const { pathname, search } = new URL(request.url)
    const headers = new Headers(request.headers)
    if (known.pass !== undefined) headers.set('authorization', `Bearer ${known.pass}`)
    const { method, keepalive } = request
    const body = request.body === null ? undefined : await request.arrayBuffer()
    const content = body === undefined || body.byteLength === 0 ? {} : { body }
    return new Request(origin + pathname + search, {
      method,
      headers,
      keepalive,
      credentials: 'omit',
      signal,
      ...content,
    })
  }

  async function send(request: Request, signal: AbortSignal): Promise<Response> {
    const origin = base.get().origin
    const spare = repeatable.has(request.method) ? request.clone() : undefined
    try {
      // Nothing is waited for before this: a page that is closing gets no further.
      if (origin === '') return await parts.fetch(new Request(request, { signal }))
      return await parts.fetch(await elsewhere(origin, request, signal))
    } catch (error) {
      if (request.signal.aborted) throw error
      const moved = base.get().origin !== origin || (await leave())
      if (!moved || spare === undefined) throw error
      const now = base.get().origin
      return await parts.fetch(
        now === '' ? new Request(spare, { signal }) : await elsewhere(now, spare, signal),
      )
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
    reach(path) {
      const { origin } = base.get()
      const proof = origin === '' || known.pass === undefined ? {} : { authorization: `Bearer ${known.pass}` }
      return { url: origin + path, headers: proof }
    },
    fetch: send,
    async check() {
      await probe(base.get().origin).catch(leave)
    },
    async refresh() {
      const request = new Request(new URL('/api/session/pass', parts.home), { method: 'POST' })
      const response = await send(request, AbortSignal.timeout(10_000))
      if (!response.ok) return
      const answer: Roaming = await response.json()
      known = answer
    },
  }
}
