import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join as path } from 'node:path'
import { after, before, test } from 'node:test'
import { waitFor } from '../../../test/harness/wait.ts'
import { isCoded } from '../../protocol/errors.ts'
import { createCalls } from '../../registry/calls.ts'
import { signFor } from '../../registry/trust/admission.ts'
import { readAuthority } from '../../registry/trust/authority.ts'
import { readIdentity } from '../../registry/trust/identity.ts'
import { join } from '../../registry/trust/join.ts'
import { withMaker } from '../../registry/trust/maker.ts'
import { setMemberState } from '../../registry/trust/membership.ts'
import { beginRenewal, isIssuedBy, nextStep, readRenewal, reportTrust } from '../../registry/trust/renewal.ts'
import { membershipPath, membershipRoute } from './membership.ts'
import { describeNode, startCluster, startNode, type TestCluster, type TestNode } from './testing/cluster.ts'

let cluster: TestCluster
let other: TestNode
before(async () => {
  cluster = await startCluster([membershipRoute])
  other = await cluster.add('other', [membershipRoute])
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const secret = () => cluster.founder.trust.identity.secret
const signal = AbortSignal.timeout(600_000)

async function asks(from: TestNode, to: TestNode): Promise<void> {
  const limits = { deadlineMs: 5_000, stallMs: 5_000, insist: true }
  using answer = await from.calls.open(to.id, { method: 'GET', path: membershipPath }, limits)
  assert.equal(answer.status, 204)
}

async function bothAsk(): Promise<void> {
  await waitFor(() => cluster.founder.registry.node(other.id) !== null, { what: 'the nodes to be known' })
  await Promise.all([asks(cluster.founder, other), asks(other, cluster.founder)])
}

async function reports(node: TestNode): Promise<void> {
  await reportTrust(cluster.store, node.trust.identity)
}

async function goOn() {
  const next = await nextStep(cluster.store)
  if (next === null) return null
  assert.ok((await cluster.store.commit(next.operation)).ok)
  return next.step
}

/** Who trusts so many authorities, and is known by the one that signs. */
async function arrived(node: TestNode, trusted: number, isReissued: boolean): Promise<void> {
  await waitFor(
    () => {
      const { authorities, certificate } = node.trust.identity
      const [first = '', second = first] = authorities
      return (
        authorities.length === trusted &&
        isIssuedBy(certificate, isReissued ? first : second) &&
        isReissued === isIssuedBy(certificate, first)
      )
    },
    { what: `a node to trust ${trusted}` },
  )
}

async function joins(name: string, line: string) {
  const data = path(cluster.folder, name)
  await mkdir(data)
  return await join({ line, data, node: describeNode(name) }, signal)
}

test('[N2] the authority is replaced step by step, each when all are done with the last one, and all talk at each moment', async () => {
  const before = await readAuthority(cluster.store, secret())
  const lineBefore = await cluster.invite()
  for (const node of [cluster.founder, other]) await reports(node)
  assert.equal(await readRenewal(cluster.store), null)

  await Promise.all([beginRenewal(cluster.store, secret()), beginRenewal(cluster.store, secret())])
  await beginRenewal(cluster.store, secret())
  const begun = await readAuthority(cluster.store, secret())
  assert.equal(begun.trusted.length, 2, 'however often it is begun')
  assert.equal(begun.certificate, before.certificate, 'the old one signs')
  for (const node of [cluster.founder, other])
    await waitFor(() => node.trust.identity.authorities.length === 2, { what: 'it to be trusted' })
  await bothAsk()
  await reports(other)
  assert.deepEqual(await readRenewal(cluster.store), { step: 'trusting', waitingFor: [cluster.founder.id] })
  assert.equal(await goOn(), null, 'one node has not reported')
  const early = await joins('early', await cluster.invite())
  assert.equal(early.authorities.length, 2)
  await reports(cluster.founder)
  assert.deepEqual((await readRenewal(cluster.store))?.waitingFor, [early.id], 'who came meanwhile counts')
  await using newcomer = await startNode(cluster.store, path(cluster.folder, 'early'), early, [
    membershipRoute,
  ])
  await reports(newcomer)

  assert.equal(await goOn(), 'reissuing')
  const now = await readAuthority(cluster.store, secret())
  assert.notEqual(now.certificate, before.certificate)
  assert.deepEqual(new Set(now.trusted), new Set(begun.trusted))
  for (const node of [cluster.founder, other, newcomer]) await arrived(node, 2, true)
  await bothAsk()
  await assert.rejects(joins('late', lineBefore), (error) => isCoded(error, 'AUTHORITY_UNKNOWN'))
  await reports(cluster.founder)
  await reports(other)
  assert.deepEqual(await readRenewal(cluster.store), { step: 'reissuing', waitingFor: [newcomer.id] })
  assert.equal(await goOn(), null)
  await setMemberState(cluster.store, newcomer.id, 'removed')

  assert.equal(await goOn(), 'forgetting', 'who is removed is not waited for')
  for (const node of [cluster.founder, other]) await arrived(node, 1, true)
  assert.deepEqual((await readAuthority(cluster.store, secret())).trusted, [now.certificate])
  await bothAsk()
  await reports(other)
  assert.deepEqual(await readRenewal(cluster.store), { step: 'forgetting', waitingFor: [cluster.founder.id] })
  await reports(cluster.founder)
  assert.equal(await readRenewal(cluster.store), null)
  assert.equal(await goOn(), null)
  assert.deepEqual((await readIdentity(other.data))?.authorities, [now.certificate])
  assert.equal((await joins('after', await cluster.invite())).authorities.length, 1)

  // Whoever has the old key makes certificates that name a true node, and nobody believes them.
  const forged = await withMaker(async (maker) => {
    const { key, request } = await maker.call('request', { node: other.id })
    const asked = { id: other.id, hosts: [], request }
    return { key, certificate: (await signFor(maker, before, asked)).certificate }
  })
  const trust = { identity: { ...other.trust.identity, ...forged }, subscribe: () => () => undefined }
  await using calls = createCalls({ registry: other.registry, trust })
  await assert.rejects(asks({ ...other, calls }, cluster.founder), (error) => isCoded(error, 'NODE_REFUSED'))
})
