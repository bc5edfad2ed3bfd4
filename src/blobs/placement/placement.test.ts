import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPlacement, type Place } from './placement.ts'
import { ratesOf, sharesOf } from './shares.ts'

const seed = Number(process.env.HOCKET_TEST_SEED ?? 20261121)

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
const hashOf = (number: number) => digestOf(`blob ${number}`)
const hashes = Array.from({ length: 20_000 }, (_, number) => hashOf(number))

/** Node `number` with an id that does not depend on the others. */
function node(number: number, zone: string, capacityBytes: number): Place {
  const text = createHash('sha256').update(`node ${number}`).digest('hex')
  const id = [8, 4, 4, 4, 12].map((length, at) => text.slice(at * 12, at * 12 + length)).join('-')
  return { id, zone, capacityBytes }
}

const places = fc
  .array(fc.record({ zone: fc.integer({ min: 0, max: 5 }), capacity: fc.integer({ min: 1, max: 1_000 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((list) => list.map(({ zone, capacity }, at) => node(at, `zone ${zone}`, capacity * 1e9)))
const replicas = fc.integer({ min: 1, max: 4 })
const blobs = fc.integer({ min: 0, max: hashes.length - 1 }).map((at) => hashes[at] ?? '')
const check = (property: fc.IRawProperty<unknown>) => fc.assert(property, { seed, numRuns: 300 })

/** How many copies each node gets of all blobs, as a share of the blobs. */
function heldShares(nodes: readonly Place[], copies: number): Map<string, number> {
  const placement = createPlacement({ replicas: copies, nodes })
  const held = new Map(nodes.map(({ id }) => [id, 0]))
  for (const hash of hashes)
    for (const id of placement.holders(hash)) held.set(id, (held.get(id) ?? 0) + 1 / hashes.length)
  return held
}

test('copies lie on as many nodes as wanted, and no two in one zone while zones suffice', () => {
  check(
    fc.property(places, replicas, blobs, (nodes, copies, hash) => {
      const holders = createPlacement({ replicas: copies, nodes }).holders(hash)
      assert.equal(holders.length, Math.min(copies, nodes.length))
      assert.equal(new Set(holders).size, holders.length)
      const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone]))
      const zones = new Set(holders.map((id) => zoneOf.get(id)))
      assert.equal(zones.size, Math.min(copies, new Set(zoneOf.values()).size))
    }),
  )
})

test('every node computes the same, in whatever order it knows the others', () => {
  check(
    fc.property(places, replicas, blobs, fc.integer({ min: 0, max: 11 }), (nodes, copies, hash, by) => {
      const turned = [...nodes.slice(by), ...nodes.slice(0, by)]
      const one = createPlacement({ replicas: copies, nodes })
      const other = createPlacement({ replicas: copies, nodes: turned })
      assert.deepEqual(one.holders(hash), other.holders(hash))
      assert.deepEqual(one.order(hash), other.order(hash))
      assert.deepEqual(one.order(hash).toSorted(), nodes.map(({ id }) => id).toSorted())
    }),
  )
})

test('a known blob lies where it always did: a change of the arithmetic would move every blob of every cluster', () => {
  const nodes = [1, 2, 3, 4].map((capacity) => node(capacity, `zone ${capacity}`, capacity * 1e12))
  const { holders } = createPlacement({ replicas: 2, nodes })
  const names = new Map(nodes.map(({ id, zone }) => [id, zone.slice(-1)]))
  const found = hashes.map((hash) =>
    holders(hash)
      .map((id) => names.get(id))
      .join(''),
  )
  assert.equal(found.slice(0, 12).join(' '), '42 41 24 31 43 34 34 43 42 42 43 31')
  assert.equal(digestOf(found.join(' ')), 'fd335d52c2e0eef28014e6c5b624de54d31289d1cbf737365cbe716f39703315')
})

test('files in music folders count as copies, and only what is missing besides is placed', () => {
  check(
    fc.property(places, replicas, blobs, fc.integer({ min: 0, max: 11 }), (nodes, copies, hash, at) => {
      const placement = createPlacement({ replicas: copies, nodes })
      const owner = nodes[at % nodes.length]?.id ?? ''
      const stranger = node(99, 'elsewhere', 1).id
      const holders = placement.holders(hash, [owner, stranger])
      assert.equal(holders[0], owner)
      assert.ok(!holders.includes(stranger))
      assert.equal(holders.length, Math.min(copies, nodes.length))
      assert.equal(new Set(holders).size, holders.length)
    }),
  )
})

test('unequal nodes hold in proportion to their capacity', () => {
  for (const copies of [1, 2, 3]) {
    const nodes = [1, 2, 3, 4, 5, 3].map((capacity, at) => node(at, `zone ${at}`, capacity))
    const held = heldShares(nodes, copies)
    for (const { id, capacityBytes } of nodes) {
      const deviation = (held.get(id) ?? 0) / ((capacityBytes / 18) * copies) - 1
      assert.ok(
        // The slack is 3.5 %, and the chance of 20,000 blobs alone is worth 3 % for the smallest.
        Math.abs(deviation) < 0.09,
        `${copies} copies, capacity ${capacityBytes}: off by ${deviation}`,
      )
    }
  }
})

test('a zone too large to be matched holds a copy of everything, and the others share the rest', () => {
  const nodes = [node(0, 'a', 60), node(1, 'a', 30), node(2, 'b', 10), node(3, 'c', 5)]
  const held = heldShares(nodes, 2)
  const shares = nodes.map(({ id }) => held.get(id) ?? 0)
  for (const [at, share] of [2 / 3, 1 / 3, 2 / 3, 1 / 3].entries())
    assert.ok(Math.abs((shares[at] ?? 0) / share - 1) < 0.05, `node ${at} holds ${shares[at]} of the blobs`)
})

test('a node that joins takes its share and little else moves; when it leaves, everything is as it was', () => {
  const nodes = [4, 2, 3, 1, 5].map((capacity, at) => node(at, `zone ${at}`, capacity))
  const before = createPlacement({ replicas: 2, nodes })
  const after = createPlacement({ replicas: 2, nodes: [...nodes, node(7, 'zone 7', 3)] })
  let moved = 0
  for (const hash of hashes) {
    const held = before.holders(hash)
    for (const id of after.holders(hash)) if (!held.includes(id)) moved += 1
  }
  const least = (3 / 18) * 2 * hashes.length
  assert.ok(moved / least < 1.1, `moved ${moved}, and ${least} had to`)
})

test('a node that joins the smallest of a few zones moves little more than must be', () => {
  const nodes = Array.from({ length: 9 }, (_, at) => node(at, `zone ${at % 3}`, 2 + (at % 4)))
  const before = createPlacement({ replicas: 2, nodes })
  const after = createPlacement({ replicas: 2, nodes: [...nodes, node(9, 'zone 2', 3)] })
  let moved = 0
  for (const hash of hashes) {
    const held = before.holders(hash)
    for (const id of after.holders(hash)) if (!held.includes(id)) moved += 1
  }
  const capacity = nodes.reduce((sum, { capacityBytes }) => sum + capacityBytes, 0)
  const least = (3 / (capacity + 3)) * 2 * hashes.length
  assert.ok(moved / least < 1.1, `moved ${moved}, and ${least} had to`)
})

test('shares add up to the copies, and the rates of any capacities are usable', () => {
  const capacities = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 30 })
  check(
    fc.property(capacities, replicas, (list, copies) => {
      const shares = sharesOf(list, copies)
      const sum = shares.reduce((total, share) => total + share, 0)
      assert.ok(Math.abs(sum - Math.min(copies, list.length)) < 1e-6)
      for (const rate of ratesOf(shares)) assert.ok(rate > 0 && Number.isFinite(rate))
    }),
  )
})
