import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { CopiesReport } from '../../blobs/copies/report.ts'
import type { Layout } from '../../blobs/placement/layout.ts'
import { allRoles, type Member } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { isDrained, type Known, standingOf } from './standing.ts'

const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()]

const member = (id: Id, state: Member['state'] = 'active', roles: Member['roles'] = [...allRoles]) => ({
  id,
  state,
  roles,
})

const layoutOf = (version: number, nodes: readonly Id[], previous: Layout['previous'] = null): Layout => ({
  version,
  replicas: 2,
  nodes: nodes.map((id) => ({ id, zone: id, capacityBytes: 1_000 })),
  previous,
  silent: [],
})

const filledAt = (version: number): CopiesReport => ({
  version,
  filled: version,
  comparing: false,
  wanted: 10,
  wantedBytes: 1_000,
  missing: 0,
  missingBytes: 0,
  surplus: 0,
  lost: 0,
  bytesPerSecond: 0,
  problem: null,
  at: 0,
})

/** Three machines with all that they should have. */
const well: Known = {
  members: [member(first), member(second), member(third)],
  live: new Set([first, second, third]),
  reports: new Map([first, second, third].map((id) => [id, filledAt(4)])),
  layout: layoutOf(4, [first, second, third]),
  settings: { replicas: 2 },
}

const isSettled = (changed: Partial<Known>) => standingOf({ ...well, ...changed }).settled

test('copies are settled where every machine has what the layout of now asks of it', () => {
  assert.deepEqual(standingOf(well), {
    wanted: 30,
    held: 30,
    missing: 0,
    missingBytes: 0,
    away: 0,
    unavailable: 0,
    bytesPerSecond: 0,
    settled: true,
  })
})

test('nobody misses anything right after a change, and yet nothing is settled before it is laid out and compared', () => {
  const changes: Readonly<Record<string, Partial<Known>>> = {
    'a machine was drained': { members: [member(first), member(second), member(third, 'draining')] },
    'a machine was removed': { members: [member(first), member(second), member(third, 'removed')] },
    'a machine joined': { layout: layoutOf(4, [first, second]) },
    'a machine is to hold copies no more': {
      members: [member(first), member(second), member(third, 'active', ['gateway'])],
    },
    'more copies are wanted': { settings: { replicas: 3 } },
    'the new layout was not compared yet': { layout: layoutOf(5, [first, second, third]) },
    'no layout is known': { layout: null },
    'one of them has not reported': { reports: new Map([[first, filledAt(4)]]) },
  }
  for (const [what, changed] of Object.entries(changes)) {
    const { missing, settled } = standingOf({ ...well, ...changed })
    assert.deepEqual({ missing, settled }, { missing: 0, settled: false }, what)
  }
})

test('a silent machine, and songs that nobody has, keep nothing from being settled', () => {
  assert.ok(isSettled({ live: new Set([first, second]) }))
  const lacking = { ...filledAt(4), missing: 2, lost: 2 }
  assert.ok(isSettled({ reports: new Map(well.reports).set(second, lacking) }))
})

test('[B4] a machine is drained when the others have all that the layout before asked of it', () => {
  const draining = member(third, 'draining')
  const before = { replicas: 2, nodes: layoutOf(4, [first, second, third]).nodes }
  assert.ok(
    !isDrained(draining, { ...well, layout: layoutOf(4, [first, second, third]) }),
    'not laid out anew yet',
  )
  assert.ok(
    !isDrained(draining, { ...well, layout: layoutOf(5, [first, second], before) }),
    'the others have not all of it',
  )
  assert.ok(isDrained(draining, { ...well, layout: layoutOf(5, [first, second]) }))
  const fewer = new Set([first, third])
  assert.ok(
    !isDrained(draining, { live: fewer, layout: layoutOf(5, [first, second]) }),
    'one of the others has died',
  )
  assert.ok(!isDrained(member(third), { ...well, layout: layoutOf(5, [first, second]) }), 'it is not to go')
  assert.ok(!isDrained(draining, { ...well, layout: null }))
})
