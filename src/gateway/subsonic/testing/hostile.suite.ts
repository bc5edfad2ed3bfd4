import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoints } from '../routes.ts'
import { envelope } from './client.ts'
import { everything } from './requests.ts'
import { world } from './shared.ts'

/** What clients send by mistake, and others on purpose. */
const oddities = ['', '-1', '99999999999999999999', '../../etc/passwd\0', "' OR 1=1 --", '%ff\u{1f3b5}']
const names = [
  'id',
  'albumId',
  'artistId',
  'query',
  'size',
  'count',
  'offset',
  'songCount',
  'songOffset',
  'artistOffset',
]
const others = [
  'type',
  'genre',
  'fromYear',
  'toYear',
  'musicFolderId',
  'ifModifiedSince',
  'maxBitRate',
  'timeOffset',
]
const rest = [
  'rating',
  'time',
  'position',
  'current',
  'currentIndex',
  'playlistId',
  'songIndexToRemove',
  'username',
  'name',
]
const last = [
  'format',
  'bitRate',
  'since',
  'message',
  'title',
  'artist',
  'any',
  'mediaId',
  'transcodeParams',
  'submission',
]

test('whatever the parameters are, the answer is one of the API, and nothing breaks inside', async () => {
  const song = (await everything(world.guest)).song[0]?.id ?? ''
  async function ask(endpoint: string, query: Record<string, string>): Promise<void> {
    const response = await world.guest.fetch(endpoint, { ...query, f: 'json' })
    const what = `${endpoint} ${JSON.stringify(query['size'])}`
    assert.equal(response.status, 200, what)
    const text = await response.text()
    if (!response.headers.get('content-type')?.startsWith('application/json')) return
    const { error } = envelope.parse(JSON.parse(text))['subsonic-response']
    assert.notEqual(error?.code, 0, `${what}: ${error?.message}`)
  }

  const all = [...names, ...others, ...rest, ...last]
  for (const endpoint of endpoints.keys()) {
    await Promise.all(
      oddities.flatMap((oddity) => {
        const odd = Object.fromEntries(all.map((name) => [name, oddity]))
        return [odd, { ...odd, id: song, type: 'newest', genre: 'Rock', mediaId: song }].map((query) =>
          ask(endpoint, query),
        )
      }),
    )
  }
  assert.doesNotMatch(world.edge.log(), /failed inside the server/)
})
