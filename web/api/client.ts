import createClient, { type Client } from 'openapi-fetch'
import type { Gateways } from './gateways.ts'
import { RequestFailed, readProblem, unreachable } from './problem.ts'
import type { paths } from './schema.d.ts'

const timeoutMs = 30_000

/**
 * The client of the own server, typed by its OpenAPI document. An answer that is no success throws `RequestFailed`.
 * What this page wrote, it reads (law F4): the revision of the last write goes along with every request.
 * `onSignedOut` is called when the server says that nobody is signed in.
 */
export function createApiClient(parts: {
  gateways: Pick<Gateways, 'fetch'>
  onSignedOut(): void
}): Client<paths> {
  let lastRevision: string | undefined
  const client = createClient<paths>({
    async fetch(request) {
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)])
      return await parts.gateways.fetch(request, signal).catch((error: unknown) => {
        if (request.signal.aborted) throw error
        throw new RequestFailed(unreachable)
      })
    },
  })
  client.use({
    onRequest({ request }) {
      if (lastRevision !== undefined) request.headers.set('hocket-after', lastRevision)
      return request
    },
    async onResponse({ response }) {
      lastRevision = response.headers.get('hocket-revision') ?? lastRevision
      if (response.ok) return
      const problem = await readProblem(response)
      if (problem.code === 'NOT_SIGNED_IN') parts.onSignedOut()
      throw new RequestFailed(problem)
    },
  })
  return client
}

/** What a call answers, where it answers something. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call
  if (data === undefined) throw new RequestFailed({ ...unreachable, title: 'The server answered nothing' })
  return data
}
