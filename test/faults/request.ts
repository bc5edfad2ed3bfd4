import { z } from 'zod'

/** What came of one request at a gateway. */
export type Reply =
  | { readonly kind: 'done'; readonly body: unknown; readonly revision: string | undefined }
  /** The gateway says no; `isFinal`: nothing has happened, and nothing will. */
  | { readonly kind: 'refused'; readonly code: string; readonly isFinal: boolean }
  /** No answer came. */
  | { readonly kind: 'silent'; readonly code: string }

export interface Ask {
  readonly gateway: string
  readonly token: string
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH'
  readonly path: string
  readonly json?: unknown
  readonly body?: Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
  /** The revision that the answer is to know of (law F4). */
  readonly after?: string | undefined
  readonly signal?: AbortSignal
}

/** A person does not wait longer, in milliseconds. */
const patienceMs = 5_000
const problem = z.object({ code: z.string() })

export async function ask(request: Ask): Promise<Reply> {
  const { gateway, token, method, path, json, after, headers, signal } = request
  const body = json === undefined ? request.body : JSON.stringify(json)
  try {
    const limit = AbortSignal.timeout(patienceMs)
    const response = await fetch(gateway + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(after !== undefined && { 'hocket-after': after }),
        ...headers,
      },
      ...(body !== undefined && { body }),
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    })
    const text = await response.text()
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
    const parsed: unknown = isJson ? JSON.parse(text) : text
    const location = response.headers.get('location')
    if (response.ok) {
      const revision = response.headers.get('hocket-revision') ?? undefined
      return { kind: 'done', body: location ?? parsed, revision }
    }
    const code = problem.safeParse(parsed).data?.code ?? String(response.status)
    // A gateway that says 4xx has looked at the request and done nothing; any 5xx may come after something was done.
    return { kind: 'refused', code, isFinal: response.status < 500 }
  } catch (error) {
    signal?.throwIfAborted()
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
    return { kind: 'silent', code: timedOut ? 'no answer in time' : 'no connection' }
  }
}
