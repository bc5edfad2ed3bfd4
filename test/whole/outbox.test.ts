import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connectionList, connectionMade } from '../../src/protocol/api/outbox.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { tracksOf } from '../harness/catalog.ts'
import type { Client } from '../harness/client.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startNode } from '../harness/node.ts'
import { createRandom } from '../harness/random.ts'
import { scanned } from '../harness/scan.ts'
import { startListenBrainz } from '../harness/services.ts'
import { waitFor } from '../harness/wait.ts'

const kills = 4
const playsEach = 12

async function waiting(client: Client): Promise<number | undefined> {
  return connectionList.parse((await client.get('/api/connections')).body).items[0]?.waiting
}

test('[N2] killed between sending and marking, again and again, every play is delivered and none is lost', async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 100_000)
  t.diagnostic(`seed ${seed}`)
  const random = createRandom(seed)
  await using service = await startListenBrainz()
  await using music = await temporaryFolder('music')
  await using data = await temporaryFolder('data')
  await writeMusic(music.path, 40)
  const reported: number[] = []
  let at = Date.now() - 3_600_000
  let died = 0

  for (let round = 0; round <= kills; round++) {
    await using node = await startNode({ data: data.path, music: [music.path] })
    const ada = await node.administrator()
    await scanned(ada)
    const tracks = await tracksOf(ada)
    if (round === 0) {
      const input = { kind: 'listenbrainz', url: service.url, token: 'good token' }
      const answer = await ada.call('POST', '/api/connections', input)
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      connectionMade.parse(answer.body)
    }
    const mortal = round < kills
    let left = Math.floor(random() * 3)
    const dead = Promise.withResolvers<void>()
    service.disturb((path) => {
      if (!mortal || path !== '/1/submit-listens') return undefined
      left -= 1
      if (left >= 0) return undefined
      // What it sends before it is gone goes the same way.
      if (left < -1) return { status: 500 }
      died += 1
      // It has been sent, and whether it was taken the sender will never know.
      node.kill9().then(dead.resolve, dead.reject)
      return { status: 200, taken: random() < 0.5 }
    })
    // Someone goes on listening until the node dies.
    for (let each = 0; each < playsEach || (mortal && died === round); each++) {
      if (each >= playsEach) await pause(100)
      const track = tracks[Math.floor(random() * tracks.length)]
      assert.ok(track)
      at += 1_000
      const play = { play: randomUUID(), track: track.id, at }
      const answer = await ada.call('POST', '/api/plays', play).catch(() => undefined)
      // What was not acknowledged counts or not; what was is never lost.
      if (answer?.status === 200) reported.push(Math.floor(at / 1_000))
    }
    if (mortal) await dead.promise
    else await waitFor(async () => (await waiting(ada)) === 0, { what: 'everything to be delivered' })
  }

  const delivered = service.listens.map(({ listenedAt }) => listenedAt)
  const lost = reported.filter((each) => !delivered.includes(each))
  t.diagnostic(
    `${died} kills, ${reported.length} plays acknowledged, ${delivered.length} deliveries, ${lost.length} lost`,
  )
  assert.deepEqual(lost, [])
  assert.equal(died, kills)
})
