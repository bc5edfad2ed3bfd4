import assert from 'node:assert/strict'
import {
  type ProblemSummary,
  page,
  problemSummary,
  type TrackSummary,
  trackSummary,
} from '../../src/protocol/api/catalog.ts'
import type { Client } from './client.ts'

/** Everything on the page of scan problems, of up to 500. */
export async function problemsOf(client: Client): Promise<ProblemSummary[]> {
  const answer = await client.get('/api/problems?limit=500')
  assert.equal(answer.status, 200)
  return page(problemSummary).parse(answer.body).items
}

/** The code at each path. */
export function codesOf(found: readonly ProblemSummary[]): Record<string, string> {
  return Object.fromEntries(found.map(({ path, code }) => [path, code]))
}

/** Every track that the client sees, by title. */
export async function tracksOf(client: Client): Promise<TrackSummary[]> {
  const items: TrackSummary[] = []
  let next: string | undefined
  do {
    const cursor = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`
    const answer = await client.get(`/api/tracks?order=title&limit=500${cursor}`)
    const found = page(trackSummary).parse(answer.body)
    items.push(...found.items)
    next = found.next
  } while (next !== undefined)
  return items
}
