import assert from 'node:assert/strict'
import { z } from 'zod'
import { deviceMade } from '../../../protocol/api/accounts.ts'
import type { Visitor } from '../../testing/visitor.ts'
import { assertSame, parseXml } from './xml.ts'

/** Parameters of a request; a list is a parameter that is repeated. */
export type Query = Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>

export const envelope = z.object({
  'subsonic-response': z.looseObject({
    status: z.enum(['ok', 'failed']),
    version: z.literal('1.16.1'),
    type: z.literal('hocket'),
    serverVersion: z.string(),
    openSubsonic: z.literal(true),
    error: z.object({ code: z.int(), message: z.string(), helpUrl: z.url() }).optional(),
  }),
})
export type Envelope = z.infer<typeof envelope>['subsonic-response']

/** A Subsonic client with the secret of a device. */
export interface Client {
  readonly name: string
  readonly secret: string
  /** Asks in JSON. Throws where the answer is a failure. */
  ask(endpoint: string, query?: Query): Promise<Envelope>
  /** Asks in XML and then in JSON, and holds both to be the same; for what does not change by asking. */
  both(endpoint: string, query?: Query): Promise<Envelope>
  /** The code of the failure that the answer is. */
  refused(endpoint: string, query?: Query): Promise<number>
  fetch(endpoint: string, query?: Query, init?: RequestInit): Promise<Response>
}

/** What each endpoint has answered in JSON, for those who hold it to a schema. */
export type Listener = (endpoint: string, body: unknown) => void

export function searchOf(query: Query): URLSearchParams {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  return search
}

/** Makes a device's secret for the visitor, and a client that uses it. */
export async function openClient(
  url: string,
  visitor: Visitor,
  name: string,
  heard: Listener = () => {},
): Promise<Client> {
  const made = await visitor.post('/api/devices', { label: 'A client' })
  const { secret } = deviceMade.parse(made.body)

  function get(endpoint: string, query: Query = {}, init: RequestInit = {}): Promise<Response> {
    const search = searchOf({ u: name, p: secret, v: '1.16.1', c: 'test', ...query })
    const signal = AbortSignal.timeout(30_000)
    return fetch(`${url}/rest/${endpoint}?${search}`, { signal, ...init })
  }

  async function json(endpoint: string, query: Query = {}): Promise<Envelope> {
    const response = await get(endpoint, { ...query, f: 'json' })
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
    const body: unknown = await response.json()
    heard(endpoint, body)
    return envelope.parse(body)['subsonic-response']
  }

  async function ask(endpoint: string, query?: Query): Promise<Envelope> {
    const answer = await json(endpoint, query)
    assert.equal(answer.status, 'ok', JSON.stringify(answer))
    return answer
  }

  return {
    name,
    secret,
    ask,
    fetch: get,
    async both(endpoint, query) {
      const response = await get(`${endpoint}.view`, query)
      assert.match(response.headers.get('content-type') ?? '', /^application\/xml/)
      const xml = parseXml(await response.text())
      assert.equal(xml.attributes['xmlns'], 'http://subsonic.org/restapi')
      const answer = await ask(endpoint, query)
      assertSame(xml, answer)
      return answer
    },
    async refused(endpoint, query) {
      const answer = await json(endpoint, query)
      assert.equal(answer.status, 'failed', JSON.stringify(answer).slice(0, 500))
      return answer.error?.code ?? -1
    },
  }
}
