import { signedIn } from '../../src/protocol/api/accounts.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown
}

/** Someone who is signed in and talks to `/api`. Each call reads what the calls before it wrote (law F4). */
export interface Client {
  readonly token: string
  get(path: string): Promise<Answer>
  call(method: string, path: string, body?: unknown): Promise<Answer>
  /** As `fetch`, with the session's token: for bytes, ranges and other headers. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** Signs in; fails unless the server accepts. */
export async function signIn(
  baseUrl: string,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<Client> {
  const response = await fetch(new URL('/api/session', baseUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password, client: 'test' }),
    signal: AbortSignal.timeout(60_000),
  })
  if (response.status !== 201)
    throw new Error(`Signing in answered ${response.status}: ${await response.text()}`)
  return client(baseUrl, signedIn.parse(await response.json()).token)
}

/** A client with a token that is known already. */
export function client(baseUrl: string, token: string): Client {
  let revision: string | null = null
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${token}`)
    if (revision !== null) headers.set('hocket-after', revision)
    const signal = init.signal ?? AbortSignal.timeout(60_000)
    const response = await fetch(new URL(path, baseUrl), { ...init, headers, signal })
    revision = response.headers.get('hocket-revision') ?? revision
    return response
  }
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await send(path, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
    const text = await response.text()
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  return { token, get: (path) => call('GET', path), call, fetch: send }
}
