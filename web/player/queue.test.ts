import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeTracks } from './fixtures.ts'
import * as queues from './queue.ts'

function chance(seed = 7): queues.Chance {
  let state = seed
  let keys = 0
  return {
    random() {
      state = (state * 16_807) % 2_147_483_647
      return state / 2_147_483_647
    },
    newKey: () => `k${++keys}`,
  }
}
const names = (queue: queues.Queue) => queue.entries.map((entry) => entry.track.title).join('')
const playing = (queue: queues.Queue) => queues.currentEntry(queue)?.track.title
const start = (text: string, at = 0) => queues.replaceWith(queues.emptyQueue, makeTracks(text), at, chance())

test('what is queued next stands right behind the current track, what is queued last at the end', () => {
  const queue = queues.addLast(
    queues.addNext(start('abc', 1), makeTracks('xy'), chance(2)),
    makeTracks('z'),
    chance(3),
  )
  assert.equal(names(queue), 'abxycz')
  assert.equal(playing(queue), 'b')
})

test('adding to an empty queue makes its first track the current one', () => {
  const queue = queues.addLast(queues.emptyQueue, makeTracks('ab'), chance())
  assert.equal(playing(queue), 'a')
})

test('removing before, at and behind the current track keeps something current', () => {
  const queue = start('abcd', 2)
  assert.equal(playing(queues.removeAt(queue, 0)), 'c')
  assert.equal(playing(queues.removeAt(queue, 2)), 'd')
  assert.equal(playing(queues.removeAt(queue, 3)), 'c')
  assert.equal(playing(queues.removeAt(start('ab', 1), 1)), 'a')
  assert.equal(queues.removeAt(start('a'), 0).current, -1)
})

test('moving tracks never changes what is current', () => {
  const queue = start('abcd', 1)
  assert.equal(names(queues.move(queue, 0, 3)), 'bcda')
  for (const [from, to] of [
    [0, 3],
    [1, 3],
    [3, 0],
    [1, 0],
  ] as const) {
    assert.equal(playing(queues.move(queue, from, to)), 'b')
  }
  assert.equal(queues.move(queue, 0, 9), queue)
})

test('shuffling keeps what was heard, and ending it brings back the order', () => {
  const queue = start('abcdefgh', 2)
  const shuffled = queues.setShuffled(queue, true, chance())
  assert.equal(names(shuffled).slice(0, 3), 'abc')
  assert.notEqual(names(shuffled), 'abcdefgh')
  const back = queues.setShuffled({ ...shuffled, current: 5 }, false, chance())
  assert.equal(names(back), 'abcdefgh')
  assert.equal(playing(back), shuffled.entries[5]?.track.title)
})

test('playing with shuffle on begins with the chosen track', () => {
  const queue = queues.replaceWith(
    { ...queues.emptyQueue, shuffled: true },
    makeTracks('abcdef'),
    3,
    chance(),
  )
  assert.equal(playing(queue), 'd')
  assert.equal(queue.current, 0)
  assert.equal([...names(queue)].sort().join(''), 'abcdef')
})

test('repeating: off ends, all goes round, one stays until a person skips', () => {
  const last = start('abc', 2)
  assert.equal(queues.indexAfter(last), undefined)
  assert.equal(queues.indexAfter({ ...last, repeat: 'all' }), 0)
  assert.equal(queues.indexAfter({ ...last, repeat: 'one' }), 2)
  assert.equal(queues.indexAfter({ ...last, repeat: 'one' }, true), 0)
  assert.equal(queues.indexBefore(start('abc')), undefined)
  assert.equal(queues.indexBefore({ ...start('abc'), repeat: 'all' }), 2)
})

test('clearing leaves only what plays', () => {
  assert.equal(names(queues.clearOthers(start('abc', 1))), 'b')
})

test('whatever is done, current points at a track and the original order holds the same entries', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('next' as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant('last' as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant('remove' as const), at: fc.nat(9) }),
    fc.record({ do: fc.constant('move' as const), at: fc.nat(9), to: fc.nat(9) }),
    fc.record({ do: fc.constant('shuffle' as const), on: fc.boolean() }),
    fc.record({ do: fc.constant('jump' as const), at: fc.nat(9) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const luck = chance()
      let queue = queues.emptyQueue
      for (const one of steps) {
        if (one.do === 'next') queue = queues.addNext(queue, makeTracks('abc'.slice(0, one.count)), luck)
        if (one.do === 'last') queue = queues.addLast(queue, makeTracks('xyz'.slice(0, one.count)), luck)
        if (one.do === 'remove') queue = queues.removeAt(queue, one.at)
        if (one.do === 'move') queue = queues.move(queue, one.at, one.to)
        if (one.do === 'shuffle') queue = queues.setShuffled(queue, one.on, luck)
        if (one.do === 'jump' && one.at < queue.entries.length) queue = { ...queue, current: one.at }
        const keys = queue.entries.map((entry) => entry.key)
        assert.equal(new Set(keys).size, keys.length)
        assert.deepEqual(keys.toSorted(), queue.original.toSorted())
        assert.equal(queue.current >= 0, keys.length > 0)
        assert.ok(queue.current < keys.length)
      }
    }),
  )
})
