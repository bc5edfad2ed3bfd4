import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { endpoints, openAnswers } from '../routes.ts'
import { requestsOf } from './requests.ts'
import { world } from './shared.ts'

/** `node --test --test-update-snapshots` on the file that imports this writes it anew. */
const kept = join(import.meta.dirname, 'answers.snapshot')

/** An id, with the version of a picture where it is one's. */
const guid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-[0-9a-f]{8}\b)?/g
const date = /\d{4}-\d{2}-\d{2}T[\d:.]+Z/g
/** The address of a share, whose port is another in each run, and its id. */
const link = /^(?:http:\/\/localhost:\d+\/share\/)?[0-9a-f]{32}$/
/** The address of a picture, up to what it is asked for. */
const picture = /^http:\/\/localhost:\d+\/rest\/getCoverArt\?u=guest&t=[0-9a-f]{32}&s=[^&]+(?=&)/
/** The server of feeds, whose port is another in each run. */
const outside = /http:\/\/127\.0\.0\.1:\d+/g
/** Numbers that are others in each run. */
const passing: ReadonlySet<string> = new Set(['lastModified', 'time', 'playerId', 'positionMs', 'folder'])

/** What stays the same from run to run: no ids, no times, and lists in the order of what they hold. */
function lasting(value: unknown, name = ''): unknown {
  if (typeof value === 'string')
    return value
      .replace(picture, '<picture>')
      .replace(guid, '<id>')
      .replace(date, '<date>')
      .replace(link, '<link>')
      .replace(outside, '<outside>')
  if (passing.has(name) || (name === 'id' && typeof value === 'number')) return '<number>'
  if (Array.isArray(value)) {
    const items = value.map((item) => lasting(item))
    return items.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, lasting(part, key)]))
}

test('every endpoint answers in XML as in JSON, and as it always has', async (context) => {
  const met = new Set<string>()
  const answers: Record<string, unknown> = {}
  for (const { endpoint, query, fails, once, varies, as = world.guest } of await requestsOf(world)) {
    met.add(endpoint)
    if (fails !== undefined) {
      assert.equal(await as.refused(endpoint, query), fails, endpoint)
      continue
    }
    const answer = await (once ? as.ask(endpoint, query) : as.both(endpoint, query))
    if (!varies) answers[`${Object.keys(answers).length + 1} ${endpoint}`] = lasting(answer)
  }
  context.assert.fileSnapshot(answers, kept, { serializers: [(value) => JSON.stringify(value, null, 1)] })
  for (const name of [...endpoints.keys(), ...openAnswers.keys()]) assert.ok(met.has(name), name)
})
