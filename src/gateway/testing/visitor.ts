import assert from 'node:assert/strict'
import { signedIn } from '../../protocol/api/accounts.ts'
import type { Checker } from './checked.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown
  readonly bytes: Buffer
}

/**
 * Someone who talks to the interface, signed in or not. Every answer is held to the OpenAPI document, and each request
 * asks to see what the ones before it wrote (law F4).
 */
export interface Visitor {
  readonly token: string | undefined
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  put(path: string, body: unknown): Promise<Answer>
  patch(path: string, body: unknown): Promise<Answer>
  delete(path: string): Promise<Answer>
  /** As `fetch`, with the session's token, and held to the document. */
  fetch(path: string, init?: RequestInit): Promise<Answer>
  /** Signs in by a route that answers `SignedIn`. */
  enter(path: string, body: unknown): Promise<Visitor>
}

export function createVisitor(baseUrl: string, checker: Checker, token?: string): Visitor {
  let revision: string | null = null

  async function visit(path: string, init: RequestInit = {}): Promise<Answer> {
    const url = new URL(path, baseUrl).href
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    if (revision !== null) headers.set('hocket-after', revision)
    const response = await fetch(url, {
      signal: AbortSignal.timeout(60_000),
      redirect: 'manual',
      ...init,
      headers,
    })
    revision = response.headers.get('hocket-revision') ?? revision
    const bytes = Buffer.from(await response.arrayBuffer())
    checker.check({ method: init.method ?? 'GET', url }, response, bytes)
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && bytes.length > 0
    const text = bytes.toString('utf8')
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
      bytes,
    }
  }

  function send(method: string, path: string, body?: unknown): Promise<Answer> {
    if (body === undefined) return visit(path, { method })
    return visit(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  return {
    token,
    get: (path) => visit(path),
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
    patch: (path, body) => send('PATCH', path, body),
    delete: (path) => send('DELETE', path),
    fetch: visit,
    async enter(path, body) {
      const answer = await send('POST', path, body)
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return createVisitor(baseUrl, checker, signedIn.parse(answer.body).token)
    },
  }
}
