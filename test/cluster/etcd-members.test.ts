import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pino from 'pino'
import { forsaken, joinCluster, membersFor, removeMember, startFirst } from '../../src/node/etcd/growth.ts'
import { type EtcdMember, readTls, type StartOptions } from '../../src/node/etcd/member.ts'
import { isWasteful, tidyEtcd } from '../../src/node/etcd/tidy.ts'
import { isCoded } from '../../src/protocol/errors.ts'
import { createConnection } from '../../src/store/etcd/connection.ts'
import { type EtcdStore, openEtcdStore } from '../../src/store/etcd/etcd.ts'
import { type Membership, openMembership } from '../../src/store/etcd/members.ts'
import { methods } from '../../src/store/etcd/methods.ts'
import { message } from '../../src/store/etcd/wire.ts'
import { type Certificates, makeCertificates } from '../harness/certificates.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { freePorts } from '../harness/ports.ts'
import { waitFor } from '../harness/wait.ts'

test('a database is defragmented where that gives back half of it, and much', () => {
  assert.ok(isWasteful({ size: 2e9, sizeInUse: 0.5e9 }))
  assert.ok(!isWasteful({ size: 2e9, sizeInUse: 1.5e9 }))
  assert.ok(!isWasteful({ size: 2e8, sizeInUse: 1e6 }))
})

test('two nodes hold one member: with two, the loss of either would stop both', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 9].map(membersFor), [1, 1, 3, 3, 5, 5])
})

test('[N2] a member whose node died before it started is given up after three minutes, so that others can join', () => {
  const member = (id: string, name: string) => ({
    id,
    name,
    peerUrls: [],
    clientUrls: [],
    learner: name === '',
  })
  const seen = new Map<string, number>()
  const minute = 60_000
  assert.equal(forsaken([member('a', 'node-1'), member('b', '')], seen, 0).size, 0)
  assert.equal(forsaken([member('a', 'node-1'), member('b', '')], seen, 3 * minute).size, 0)
  assert.deepEqual([...forsaken([member('a', 'node-1'), member('b', '')], seen, 4 * minute)], ['b'])
  // One that has started is as good as the others, and is counted anew where it loses its name again.
  assert.equal(forsaken([member('a', 'node-1'), member('b', 'node-2')], seen, 5 * minute).size, 0)
  assert.equal(forsaken([member('a', 'node-1'), member('b', '')], seen, 6 * minute).size, 0)
})

describe('etcd as our own child, with certificates', () => {
  const running = new Map<number, EtcdMember>()
  let folder: TemporaryFolder
  let certificates: Certificates
  let sites: StartOptions[]
  let store: EtcdStore
  let membership: Membership

  before(async () => {
    folder = await temporaryFolder('members')
    const tls = await makeCertificates(folder.path)
    certificates = tls
    const ports = await freePorts(10)
    sites = Array.from({ length: 5 }, (_, each) => {
      const urls = {
        peer: `https://127.0.0.1:${ports[each * 2]}`,
        client: `https://127.0.0.1:${ports[each * 2 + 1]}`,
      }
      const own = join(folder.path, `node-${each}`, 'etcd')
      return {
        name: `node-${each}`,
        folder: own,
        listen: urls,
        advertise: urls,
        token: folder.path,
        tls,
        log: pino({ level: 'silent' }),
      }
    })
    running.set(0, await startFirst(site(0)))
    const members = { endpoints: sites.map((each) => each.advertise.client), tls: await readTls(tls) }
    store = await openEtcdStore(members)
    membership = openMembership(members)
  })
  after(async () => {
    await store?.[Symbol.asyncDispose]()
    membership?.[Symbol.dispose]()
    await Promise.all([...running.values()].map((member) => member[Symbol.asyncDispose]()))
    await folder[Symbol.asyncDispose]()
  })

  function site(number: number): StartOptions {
    const found = sites[number]
    assert.ok(found)
    return found
  }
  /** Field by field: activate, the member, no space. */
  async function raiseNoSpace(id: string) {
    using connection = createConnection({
      endpoints: [site(4).advertise.client],
      tls: await readTls(certificates),
    })
    const alarm = message([1, 1], [2, BigInt(`0x${id}`)], [3, 1])
    await connection.call(methods.alarm, alarm, { repeatable: true })
  }
  const others = (number: number) =>
    [...running.keys()].filter((each) => each !== number).map((each) => site(each).advertise.client)
  const enter = async (number: number) => running.set(number, await joinCluster(site(number), others(number)))
  const voters = async () =>
    (await membership.list()).filter((each) => !each.learner).map((each) => each.name)

  test('[F1] grows from one member to five and shrinks to one while facts are written, and loses none', async () => {
    const writing = new AbortController()
    const written: string[] = []
    /** A member that stops takes answers with it: then nobody knows. */
    const unknown = new Set<string>()
    const writer = (async () => {
      for (let number = 0; !writing.signal.aborted; number += 1) {
        const key = `w/${String(number).padStart(6, '0')}`
        const create = { conditions: [{ key, revision: 0 }], writes: [{ key, value: Buffer.from(key) }] }
        const outcome = await store.commit(create).catch((error) => {
          if (!isCoded(error, 'TIMED_OUT')) throw error
          unknown.add(key)
        })
        assert.notEqual(outcome?.ok, false)
        if (outcome !== undefined) written.push(key)
      }
    })()
    for (const number of [1, 2, 3, 4]) await enter(number)
    assert.equal((await voters()).length, 5)
    for (const number of [0, 1, 2, 3]) {
      await removeMember(membership, site(number).advertise.peer)
      await running.get(number)?.[Symbol.asyncDispose]()
      running.delete(number)
    }
    assert.deepEqual(await voters(), ['node-4'])
    writing.abort()
    await writer
    const held: string[] = []
    let after: string | undefined
    for (let more = true; more; ) {
      const page = await store.list('w/', after === undefined ? {} : { after })
      held.push(...page.entries.map((entry) => entry.key))
      after = held.at(-1)
      more = page.more
    }
    assert.ok(written.length > 0)
    assert.deepEqual(
      held.filter((key) => !unknown.has(key)),
      written,
    )
  })

  test('a node that comes back after its member was removed sets the old data aside and joins anew', async () => {
    await enter(0)
    const names = await readdir(join(folder.path, 'node-0'))
    assert.ok(names.some((name) => name.startsWith('etcd.removed-')))
    await enter(1)
    assert.deepEqual((await voters()).toSorted(), ['node-0', 'node-1', 'node-4'])
  })

  test('an alarm about the quota is ended once there is room', async () => {
    // As a member raises it; nothing else makes a database of 8 GiB quickly.
    const { id } = (await membership.list()).find((each) => each.name === 'node-4') ?? { id: '' }
    await raiseNoSpace(id)
    const change = { conditions: [], writes: [{ key: 'full', value: Buffer.from('1') }] }
    await assert.rejects(store.commit(change), (error) => isCoded(error, 'STORE_FULL'))
    await tidyEtcd(membership, pino({ level: 'silent' }), AbortSignal.timeout(30_000))
    assert.ok((await store.commit(change)).ok)
  })

  test('[N2] a member that is killed is started again by its node', async () => {
    const member = running.get(4)
    const first = member?.pid
    assert.ok(first)
    process.kill(first, 'SIGKILL')
    await waitFor(
      async () => {
        if (member.pid === undefined || member.pid === first) return false
        return (await membership.status(site(4).advertise.client)).leader !== undefined
      },
      { what: 'the member to be back' },
    )
  })

  test('a member whose disk was lost is replaced, and has no vote before it has caught up', async () => {
    await running.get(0)?.[Symbol.asyncDispose]()
    running.delete(0)
    const before = (await membership.list()).find((each) => each.name === 'node-0')
    await rm(site(0).folder, { recursive: true })
    await enter(0)
    const now = (await membership.list()).find((each) => each.name === 'node-0')
    assert.ok(now !== undefined && now.id !== before?.id && !now.learner)
  })

  test('[F1] a member whose machine has another address keeps its data and its vote, and the others find it there', async () => {
    const before = await membership.list()
    await running.get(0)?.[Symbol.asyncDispose]()
    running.delete(0)
    const [peer, client] = await freePorts(2)
    const urls = { peer: `https://127.0.0.1:${peer}`, client: `https://127.0.0.1:${client}` }
    sites[0] = { ...site(0), listen: urls, advertise: urls }
    await enter(0)
    assert.deepEqual((await voters()).toSorted(), ['node-0', 'node-1', 'node-4'])
    const now = (await membership.list()).find((each) => each.name === 'node-0')
    assert.equal(now?.id, before.find((each) => each.name === 'node-0')?.id)
    assert.deepEqual(now?.peerUrls, [urls.peer])
    // With one of the other two away, nothing can be written without it.
    await running.get(1)?.[Symbol.asyncDispose]()
    running.delete(1)
    const change = { conditions: [], writes: [{ key: 'moved', value: Buffer.from('1') }] }
    await waitFor(
      () =>
        store.commit(change).then(
          ({ ok }) => ok,
          () => false,
        ),
      { what: 'a majority with it' },
    )
    await enter(1)
  })

  test('after a loss of power all members start at once, though none answers yet', async () => {
    await Promise.all([...running.values()].map((member) => member[Symbol.asyncDispose]()))
    const numbers = [...running.keys()]
    await Promise.all(
      numbers.map(async (number) =>
        running.set(
          number,
          await joinCluster(
            site(number),
            numbers.filter((each) => each !== number).map((each) => site(each).advertise.client),
          ),
        ),
      ),
    )
    // That a member answers does not say that they have found a leader among them.
    const { revision } = await waitFor(() => store.status(), { what: 'a majority' })
    assert.ok(revision > 0)
  })
})
