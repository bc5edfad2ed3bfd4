import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chronicle } from '../protocol/facts/cluster.ts'
import { newsOf, nextChronicle, type Observed, type ObservedNode } from './chronicle.ts'

const node = (name: string, change: Partial<ObservedNode> = {}): ObservedNode => ({
  id: `00000000-0000-4000-8000-00000000000${name.length}`,
  name,
  state: 'active',
  alive: true,
  skewMs: null,
  ...change,
})

const calm: Observed = {
  nodes: [node('nas'), node('desk')],
  layout: { version: 1, nodes: 2, filled: true },
  unavailable: 0,
  settings: 'two copies',
}

/** What each state adds to the chronicle, one after another. */
function told(...states: readonly Observed[]): string[][] {
  let chronicle: Chronicle | null = null
  return states.map((state, at) => {
    const before: Chronicle | null = chronicle
    chronicle = nextChronicle(before, state, at)
    return newsOf(before, chronicle).map(({ kind, name, amount }) =>
      [kind, name, amount].filter((part) => part !== undefined).join(' '),
    )
  })
}

test('events are what differs between two states, each told once', () => {
  const silent = { ...calm, nodes: [node('nas'), node('desk', { alive: false })] }
  const laidOut = { ...silent, layout: { version: 2, nodes: 1, filled: false }, unavailable: 3 }
  const repaired = { ...laidOut, layout: { version: 2, nodes: 1, filled: true }, unavailable: 0 }
  const removed = { ...repaired, nodes: [node('nas'), node('desk', { alive: false, state: 'removed' })] }
  assert.deepEqual(told(calm, calm, silent, silent, laidOut, repaired, removed), [
    ['joined nas', 'joined desk', 'layout 2', 'repaired'],
    [],
    ['silent desk'],
    [],
    ['layout 1', 'unavailable 3'],
    ['repaired'],
    ['removed desk'],
  ])
})

test('a wrong clock, a node that is emptied and changed settings are told, and what is as before is not', () => {
  const wrong = { ...calm, nodes: [node('nas'), node('desk', { skewMs: -61_000.4 })] }
  const worse = { ...calm, nodes: [node('nas'), node('desk', { skewMs: -62_000 })] }
  const draining = { ...calm, nodes: [node('nas'), node('desk', { state: 'draining' })], settings: 'three' }
  assert.deepEqual(told(calm, wrong, worse, draining, calm).slice(1), [
    ['clock desk -61000'],
    [],
    ['draining desk', 'settings'],
    ['active desk', 'settings'],
  ])
  const first = nextChronicle(null, calm, 1)
  assert.equal(nextChronicle(first, calm, 2), first)
})

test('the last hundred events are kept, the newest last', () => {
  let chronicle = nextChronicle(null, calm, 0)
  for (let at = 1; at <= 150; at++)
    chronicle = nextChronicle(chronicle, { ...calm, settings: String(at) }, at)
  assert.equal(chronicle.events.length, 100)
  assert.equal(chronicle.events.at(-1)?.at, 150)
})
