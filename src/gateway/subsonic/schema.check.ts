import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { endpoints, openAnswers } from './routes.ts'
import { requestsOf } from './testing/requests.ts'
import { openSchemaChecker, type SchemaChecker } from './testing/schema.ts'
import { openSubsonicWorld, type SubsonicWorld } from './testing/world.ts'

let checker: SchemaChecker
let world: SubsonicWorld
const answered = new Set<string>()
const problems: string[] = []
before(async () => {
  checker = await openSchemaChecker()
  world = await openSubsonicWorld((endpoint, body) => {
    answered.add(endpoint)
    if (!checker.described.has(endpoint)) return
    try {
      checker.check(endpoint, body)
    } catch (error) {
      problems.push(String(error))
    }
  })
})
after(() => world[Symbol.asyncDispose]())

test('the description refuses what it does not foresee', () => {
  const common = { status: 'ok', version: '1.16.1', type: 'hocket', serverVersion: '1', openSubsonic: true }
  checker.check('ping', { 'subsonic-response': common })
  assert.throws(() => checker.check('ping', { 'subsonic-response': { ...common, status: 'nonsense' } }))
  assert.throws(() => checker.check('getAlbum', { 'subsonic-response': { ...common, album: { id: 1 } } }))
})

test('every endpoint answers as the public description says', async () => {
  for (const { endpoint, query, fails, as = world.guest } of await requestsOf(world)) {
    if (fails === undefined) await as.ask(endpoint, query)
    else assert.equal(await as.refused(endpoint, query), fails, endpoint)
  }
  assert.deepEqual(problems, [])
  for (const name of [...endpoints.keys(), ...openAnswers.keys()]) assert.ok(answered.has(name), name)
})
