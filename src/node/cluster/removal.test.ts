import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../test/harness/wait.ts'
import { membershipRoute } from '../../gateway/peers/membership.ts'
import { startCluster, type TestNode } from '../../gateway/peers/testing/cluster.ts'
import { createCalls } from '../../registry/calls.ts'
import { setMemberState } from '../../registry/trust/membership.ts'
import { hearOfRemoval } from './removal.ts'

test('a node whose store is silent hears that it was removed, and is told apart from one whom nobody knows any more', async () => {
  await using cluster = await startCluster([membershipRoute])
  await using elsewhere = await startCluster()
  const other = await cluster.add('other', [membershipRoute])
  await waitFor(() => other.registry.node(cluster.founder.id) !== null, { what: 'the founder to be known' })
  const { self } = other.registry
  const registry = { self, nodes: () => other.registry.nodes(), following: false }
  let strangers = 0
  const ask = async ({ calls }: Pick<TestNode, 'calls'>, until: AbortSignal) =>
    await hearOfRemoval({ registry, calls, onStrangers: () => (strangers += 1) }, until)

  // As the others show themselves to one that was away while their authority was replaced.
  await using calls = createCalls({ registry: other.registry, trust: elsewhere.founder.trust })
  const ending = new AbortController()
  const asking = ask({ calls }, ending.signal)
  await waitFor(() => strangers > 0, { what: 'it to be said' })
  ending.abort()
  assert.equal(await asking, null, 'nobody whom it believes has told it')
  assert.equal(strangers, 1)

  await setMemberState(cluster.store, other.id, 'removed')
  const isKnown = () =>
    cluster.founder.registry.members().some(({ id, state }) => id === other.id && state === 'removed')
  await waitFor(isKnown, { what: 'the founder to hear of it' })
  const removed = await ask(other, AbortSignal.timeout(60_000))
  assert.equal(removed?.code, 'NODE_REMOVED')
  assert.equal(strangers, 1)
})
