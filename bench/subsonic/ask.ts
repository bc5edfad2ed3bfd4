import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { z } from 'zod'
import type { TestNode } from '../../test/harness/node.ts'
import { cpuSeconds } from '../streaming/machine.ts'

/** A client of the API of one node, which measures what it asks. */
export interface Asker {
  /** Asks the first of the queries to warm the node up, and then each of them once, one after another. */
  time(endpoint: string, queries: readonly Query[]): Promise<Times>
  /** One answer in JSON, as far as it is of interest. */
  read<Schema extends z.ZodType>(endpoint: string, query: Query, schema: Schema): Promise<z.output<Schema>>
}

export type Query = Readonly<Record<string, string | number | readonly string[]>>

/** Milliseconds from asking to the last byte, as a client sees them, and what came. */
export interface Times {
  readonly questions: number
  /** The longest of those that warmed the node up, which has yet to compile much for them. */
  readonly cold: number
  readonly p50: number
  readonly p99: number
  readonly most: number
  /** Milliseconds until the first byte, at the median. */
  readonly firstByte: number
  /** Milliseconds of processor time of the whole node for each question, which other work on the machine changes less. */
  readonly cpu: number
  /** Of the largest answer. */
  readonly kilobytes: number
}

/** How many questions warm the node up: a long page is written by two threads, each of which compiles for itself. */
const warming = 200

const envelope = z.object({ 'subsonic-response': z.looseObject({ status: z.literal('ok') }) })

export function createAsker(node: Pick<TestNode, 'baseUrl' | 'pid'>, name: string, secret: string): Asker {
  const get = async (endpoint: string, query: Query) => {
    const search = new URLSearchParams({ u: name, p: secret, v: '1.16.1', c: 'bench', f: 'json' })
    for (const [key, value] of Object.entries(query)) {
      if (typeof value === 'object') for (const each of value) search.append(key, each)
      else search.set(key, String(value))
    }
    // A list of ids is longer than an address may be.
    const address = `${node.baseUrl}/rest/${endpoint}`
    return search.size > 50 ? ask('POST', address, String(search)) : ask('GET', `${address}?${search}`, '')
  }
  // Not `fetch`: its streams take a millisecond and more for each half megabyte, of the same two cores.
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  const ask = (method: string, address: string, body: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      request(address, { agent, method, headers }, resolve).once('error', reject).end(body)
    })

  async function time(endpoint: string, query: Query) {
    // What the client leaves behind would be collected in the midst of a later question, with both cores.
    globalThis.gc?.({ type: 'minor' })
    const begin = performance.now()
    const response = await get(endpoint, query)
    let bytes = 0
    let first: number | undefined
    const start: Uint8Array[] = []
    response.on('data', (chunk: Buffer) => {
      first ??= performance.now() - begin
      if (bytes < 200) start.push(chunk)
      bytes += chunk.length
    })
    await once(response, 'end')
    const took = performance.now() - begin
    if (!/status"?[:=]"ok"/.test(Buffer.concat(start).toString())) {
      throw new Error(`${endpoint}: ${Buffer.concat(start).toString().slice(0, 500)}`)
    }
    return { took, first: first ?? took, bytes }
  }

  return {
    async time(endpoint, queries) {
      const cold: number[] = []
      for (const query of queries.slice(0, queries.length < warming ? 1 : warming)) {
        cold.push((await time(endpoint, query)).took)
      }
      const answers = []
      const cpuBefore = cpuSeconds(node.pid)
      for (const query of queries) answers.push(await time(endpoint, query))
      const cpu = ((cpuSeconds(node.pid) - cpuBefore) * 1_000) / queries.length
      const at = (values: readonly number[], share: number) => {
        const sorted = values.toSorted((a, b) => a - b)
        const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
        return Math.round(value * 10) / 10
      }
      const times = answers.map(({ took }) => took)
      return {
        questions: answers.length,
        cold: at(cold, 1),
        p50: at(times, 0.5),
        p99: at(times, 0.99),
        most: at(times, 1),
        firstByte: at(
          answers.map(({ first }) => first),
          0.5,
        ),
        cpu: Math.round(cpu * 10) / 10,
        kilobytes: Math.round(Math.max(...answers.map(({ bytes }) => bytes)) / 1_000),
      }
    },
    async read(endpoint, query, schema) {
      const response = await get(endpoint, query)
      const answer: unknown = JSON.parse((await buffer(response)).toString())
      return schema.parse(envelope.parse(answer)['subsonic-response'])
    },
  }
}
