import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Layout, layouts, type MediaMember, nextLayout } from './layout.ts'

const settings = { replicas: 2, graceSeconds: 900 }
const start = 1_700_000_000_000

function member(number: number, changes: Partial<MediaMember> = {}): MediaMember {
  return {
    id: `00000000-0000-4000-8000-00000000000${number}`,
    zone: `room ${number}`,
    capacityBytes: null,
    state: 'active',
    alive: { totalBytes: 1e12 },
    filled: 0,
    ...changes,
  }
}

const three = [member(1), member(2), member(3)]
const silent = { ...member(3), alive: null }

function layoutOf(current: Layout | null, members: readonly MediaMember[], now = start): Layout {
  const layout = nextLayout(current, members, settings, now)
  assert.ok(layout)
  return layouts.decode(layouts.encode(layout))
}

const filledBy = (members: readonly MediaMember[], version: number) =>
  members.map((one) => ({ ...one, filled: version }))

test('a layout is made of the active media nodes, and stays as it is while nothing changes', () => {
  const first = layoutOf(null, [...three, member(4, { state: 'draining' }), member(5, { state: 'removed' })])
  assert.deepEqual(
    first.nodes.map(({ zone }) => zone),
    ['room 1', 'room 2', 'room 3'],
  )
  assert.equal(first.previous, null)
  assert.equal(nextLayout(first, three, settings, start + 1e9), first)
  assert.equal(nextLayout(null, [], settings, start), null)
})

test('[N1] a silent node keeps its copies for the grace period, is left out after it, and comes back', () => {
  const first = layoutOf(null, three)
  const members = [member(1), member(2), silent]
  const noticed = layoutOf(first, members)
  assert.deepEqual([noticed.version, noticed.silent], [1, [{ id: silent.id, since: start }]])
  assert.equal(nextLayout(noticed, members, settings, start + 899_999), noticed)

  const without = layoutOf(noticed, members, start + 900_000)
  assert.deepEqual([without.version, without.nodes.length, without.previous?.nodes.length], [2, 2, 3])
  assert.deepEqual(without.silent, [{ id: silent.id, since: start }])

  const back = layoutOf(without, three, start + 1_000_000)
  assert.deepEqual([back.version, back.nodes.length, back.silent.length], [3, 3, 0])
  assert.equal(back.previous?.nodes.length, 3)
})

test('[N1] a node that is back within the grace period starts a new one when it falls silent again', () => {
  const noticed = layoutOf(layoutOf(null, three), [member(1), member(2), silent])
  const back = layoutOf(noticed, three, start + 800_000)
  assert.deepEqual([back.version, back.silent], [1, []])
  const again = layoutOf(back, [member(1), member(2), silent], start + 850_000)
  assert.deepEqual([again.version, again.silent[0]?.since], [1, start + 850_000])
})

test('both layouts count until every node has made all copies of the new one', () => {
  const grown = [...three, member(4)]
  const second = layoutOf(layoutOf(null, three), grown)
  assert.deepEqual([second.version, second.nodes.length, second.previous?.nodes.length], [2, 4, 3])
  const partly = [...filledBy(three, 2), member(4, { filled: 1 })]
  assert.equal(nextLayout(second, partly, settings, start), second)
  // Another change before that: what must stay is still the first.
  const third = layoutOf(second, [...partly, member(5)])
  assert.deepEqual([third.version, third.nodes.length, third.previous?.nodes.length], [3, 5, 3])
  assert.equal(layoutOf(third, filledBy([...grown, member(5)], 3)).previous, null)
})

test('a draining node leaves at once, its copies count until they are made elsewhere', () => {
  const first = layoutOf(null, three)
  const draining = layoutOf(first, [member(1), member(2), member(3, { state: 'draining' })])
  assert.deepEqual([draining.nodes.length, draining.previous?.nodes.length], [2, 3])
})

test('disks that differ a little move nothing, and the last nodes are never left out', () => {
  const first = layoutOf(null, three)
  const nearly = three.map((one) => ({ ...one, alive: { totalBytes: 1.05e12 } }))
  assert.equal(nextLayout(first, nearly, settings, start), first)
  const larger = three.map((one) => ({ ...one, alive: { totalBytes: 2e12 } }))
  assert.equal(layoutOf(first, larger).version, 2)
  const gone = three.map((one) => ({ ...one, alive: null }))
  const noticed = layoutOf(first, gone)
  assert.deepEqual(layoutOf(noticed, gone, start + 1e9), noticed)
})
