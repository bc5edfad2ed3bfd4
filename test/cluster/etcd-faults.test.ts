import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { isCoded } from '../../src/protocol/errors.ts'
import { openEtcdStore } from '../../src/store/etcd/etcd.ts'
import { openMembership } from '../../src/store/etcd/members.ts'
import type { Batch, Store } from '../../src/store/store.ts'
import { type EtcdCluster, type EtcdMember, startEtcdCluster } from '../harness/etcd.ts'
import { createRandom } from '../harness/random.ts'
import { waitFor } from '../harness/wait.ts'

/** One attempt to replace a register that was read at `base`. */
interface Attempt {
  readonly key: string
  readonly base: number
  readonly value: string
  readonly startedAt: number
  readonly endedAt: number
  /** Undefined: the answer was lost, and the change may have been made or not. */
  readonly outcome: { readonly ok: boolean; readonly revision: number } | undefined
}

const registers = ['r/1', 'r/2', 'r/3']

/** Clients that compare and set the same registers, each over a connection of its own, until the signal is aborted. */
async function load(endpoints: readonly string[], client: number, random: () => number, signal: AbortSignal) {
  const attempts: Attempt[] = []
  await using store = await openEtcdStore({ endpoints: rotated(endpoints, client) })
  for (let number = 0; !signal.aborted; number += 1) {
    const key = registers[Math.floor(random() * registers.length)] ?? 'r/1'
    const startedAt = performance.now()
    try {
      const entry = await store.get(key)
      const written = attempts.findLast((each) => each.key === key && each.outcome?.ok === true)
      assert.ok(
        (entry?.revision ?? 0) >= (written?.outcome?.revision ?? 0),
        'a read shows what was acknowledged',
      )
      const base = entry?.revision ?? 0
      const value = `${client}.${number}`
      const transaction = {
        conditions: [{ key, revision: base }],
        writes: [{ key, value: Buffer.from(value) }],
      }
      const outcome = await store.commit(transaction).catch((error) => {
        if (isCoded(error, 'TIMED_OUT')) return undefined
        // Of what no member has taken, nothing may ever be seen.
        if (isCoded(error, 'UNREACHABLE')) return { ok: false, revision: 0 }
        throw error
      })
      attempts.push({ key, base, value, startedAt, endedAt: performance.now(), outcome })
    } catch (error) {
      // A read that nobody answered.
      if (!isCoded(error, 'UNREACHABLE') && !isCoded(error, 'TIMED_OUT')) throw error
    }
  }
  return attempts
}

const rotated = (list: readonly string[], by: number) => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
]

/** Everything that happens to the registers after `revision`, as a follower hears of it across all faults. */
async function follow(store: Store, revision: number, heard: Batch[], signal: AbortSignal): Promise<void> {
  try {
    for await (const batch of store.watch('r/', revision, signal)) {
      if (batch.changes.length > 0) heard.push(batch)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** Holds the attempts against what has happened: each register is one chain of changes, in the order of time. */
function check(attempts: readonly Attempt[], history: readonly Batch[]) {
  const changes = history.flatMap(({ revision, changes: made }) =>
    made.map(({ key, value }) => ({ key, revision, value: Buffer.from(value ?? []).toString('utf8') })),
  )
  const made = new Map(changes.map((change) => [change.value, change]))
  assert.equal(made.size, changes.length, 'no change is made twice')
  for (const { value, outcome, base, key } of attempts) {
    const change = made.get(value)
    if (outcome?.ok === true) assert.equal(change?.revision, outcome.revision, `${value} was acknowledged`)
    if (outcome?.ok === false) assert.equal(change, undefined, `${value} was refused`)
    if (change === undefined) continue
    const former = changes.findLast((each) => each.key === key && each.revision < change.revision)
    assert.equal(former?.revision ?? 0, base, `${value} replaced what its client had read`)
  }
  const acknowledged = attempts.filter((each) => each.outcome?.ok === true)
  for (const key of registers) {
    const own = acknowledged
      .filter((each) => each.key === key)
      .toSorted((one, other) => one.endedAt - other.endedAt)
    for (const later of own) {
      const before = own.findLast((each) => each.endedAt < later.startedAt)
      assert.ok(
        (before?.outcome?.revision ?? 0) < (later.outcome?.revision ?? 0),
        'the order is that of time',
      )
    }
  }
  return acknowledged.length
}

describe('etcd whose members die', () => {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)
  const random = createRandom(seed)
  let etcd: EtcdCluster
  before(async () => {
    etcd = await startEtcdCluster({ members: 3, flags: ['--snapshot-count=500'] })
  })
  after(() => etcd[Symbol.asyncDispose]())

  const others = (one: EtcdMember) => etcd.members.filter((each) => each !== one)
  const heals = async (store: Store) => {
    await waitFor(() => store.status(), { what: 'a majority of etcd', deadline: 60_000 })
  }

  test(`[F1] [F2] no acknowledged write is lost and none overwritten unseen (seed ${seed})`, async () => {
    await using store = await openEtcdStore({ endpoints: etcd.endpoints })
    const ended = new AbortController()
    const following = new AbortController()
    const heard: Batch[] = []
    const follower = follow(store, (await store.status()).revision, heard, following.signal)
    const clients = [0, 1, 2, 3].map((client) => load(etcd.endpoints, client, random, ended.signal))
    const faults: (readonly [name: string, fault: () => Promise<void>])[] = [
      [
        'the leader is killed',
        async () => {
          const leader = await etcd.leader()
          await leader.kill()
          await heals(store)
          await leader.start()
        },
      ],
      [
        'another member is killed',
        async () => {
          const [member] = others(await etcd.leader())
          await member?.kill()
          await heals(store)
          await member?.start()
        },
      ],
      [
        'the leader stands still',
        async () => {
          const leader = await etcd.leader()
          await leader.stop()
          await pause(500)
          await heals(store)
          leader.continue()
        },
      ],
      [
        'two of three are killed',
        async () => {
          const gone = others(await etcd.leader())
          await Promise.all(gone.map((member) => member.kill()))
          await pause(500)
          await Promise.all(gone.map((member) => member.start()))
          await heals(store)
        },
      ],
      [
        'two of three stand still',
        async () => {
          const gone = others(await etcd.leader())
          await Promise.all(gone.map((member) => member.stop()))
          await pause(2_000)
          for (const member of gone) member.continue()
          await heals(store)
        },
      ],
    ]
    for (const [name, fault] of faults.toSorted(() => random() - 0.5)) {
      await fault().catch((error) => Promise.reject(new Error(`while ${name}`, { cause: error })))
      await pause(300)
    }
    ended.abort()
    const attempts = (await Promise.all(clients)).flat()
    // The follower has heard of everything once it has heard of a last change.
    const last = await store.commit({ conditions: [], writes: [{ key: 'r/1', value: Buffer.from('last') }] })
    await waitFor(() => heard.at(-1)?.revision === last.revision, {
      what: 'the follower to hear of the last change',
    })
    following.abort()
    await follower
    const acknowledged = check(attempts, heard.slice(0, -1))
    const unknown = attempts.filter((each) => each.outcome === undefined).length
    console.log(
      `${acknowledged} writes acknowledged, 0 lost, ${attempts.length - acknowledged - unknown} conflicts, ${unknown} unknown, ${faults.length} faults`,
    )
    assert.ok(acknowledged > 50)
  })

  test('[N3] without a majority every call ends in time, and says that the store is away', async () => {
    await using store = await openEtcdStore({ endpoints: etcd.endpoints })
    const { revision } = await store.commit({
      conditions: [],
      writes: [{ key: 'a', value: Buffer.from('1') }],
    })
    const gone = others(await etcd.leader())
    await Promise.all(gone.map((member) => member.stop()))
    try {
      const startedAt = performance.now()
      const away = (error: unknown) => isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')
      const conditional = {
        conditions: [{ key: 'a', revision }],
        writes: [{ key: 'a', value: Buffer.from('2') }],
      }
      await Promise.all([
        assert.rejects(store.get('a'), away),
        assert.rejects(store.list(''), away),
        assert.rejects(store.commit(conditional), away),
        assert.rejects(store.grant(10), away),
        assert.rejects(store.status(), away),
      ])
      assert.ok(performance.now() - startedAt < 25_000)
    } finally {
      for (const member of gone) member.continue()
    }
    await heals(store)
  })

  test('[F2] a new fact of which the answer was lost is known to have been made', async () => {
    const leader = await etcd.leader()
    await using store = await openEtcdStore({ endpoints: [leader.clientUrl] })
    const key = 'drawn-just-now'
    const away = others(leader)
    await Promise.all(away.map((member) => member.stop()))
    const startedAt = performance.now()
    const making = store.commit({
      conditions: [{ key, revision: 0 }],
      writes: [{ key, value: Buffer.from('ours') }],
    })
    // The leader has it in its log, and the store has asked once more: it gives the first time two and a half seconds.
    await waitFor(() => performance.now() - startedAt > 3_500, { what: 'the first attempt to be given up' })
    for (const member of away) member.continue()
    const outcome = await making
    assert.equal(outcome.ok, true)
    assert.equal((await store.get(key))?.revision, outcome.revision)
    await heals(store)
  })

  test('an etcd that takes smaller requests than we make is named with the flag that it needs', async () => {
    await using store = await openEtcdStore({ endpoints: etcd.endpoints })
    const value = new Uint8Array(1_000_000)
    const writes = ['x', 'y', 'z'].map((key) => ({ key, value }))
    await assert.rejects(
      store.commit({ conditions: [], writes }),
      (error) => isCoded(error, 'TOO_LARGE') && /--max-request-bytes/.test(error.message),
    )
  })

  test('a watch goes on through other members when the one that it knew is gone for good', async () => {
    const [first, ...rest] = etcd.members
    assert.ok(first)
    await using store = await openEtcdStore({ endpoints: [first.clientUrl] })
    const heard: Batch[] = []
    const ended = new AbortController()
    const follower = follow(store, (await store.status()).revision, heard, ended.signal)
    store.use({ endpoints: rest.map((member) => member.clientUrl) })
    await first.kill()
    const { revision } = await store.commit({
      conditions: [{ key: 'r/new', revision: 0 }],
      writes: [{ key: 'r/new', value: Buffer.from('through another') }],
    })
    await waitFor(() => heard.at(-1)?.revision === revision, { what: 'the follower to hear of it' })
    ended.abort()
    await follower
    await first.start()
  })

  test('a member that comes back after very many changes, compacted meanwhile, holds what the others hold', async () => {
    await using store = await openEtcdStore({ endpoints: etcd.endpoints })
    const [member] = others(await etcd.leader())
    assert.ok(member)
    await member.kill()
    for (let round = 0; round < 120; round += 1) {
      const write = (each: number) =>
        store.commit({
          conditions: [],
          writes: [{ key: `week/${each}`, value: Buffer.from(String(round)) }],
        })
      // While those that are left agree upon a leader, of such a write nobody knows: it may be made twice.
      await waitFor(() => Promise.all(Array.from({ length: 50 }, (_, each) => write(each))), {
        what: 'a round of changes',
      })
    }
    const { revision } = await store.status()
    await store.compact(revision)
    await member.start()
    using membership = openMembership({ endpoints: etcd.endpoints })
    await waitFor(async () => (await membership.status(member.clientUrl)).header.revision >= revision, {
      what: 'the member to catch up',
    })
    await using through = await openEtcdStore({ endpoints: [member.clientUrl] })
    assert.equal((await through.list('week/')).entries.length, 50)
  })
})

test('a store at its quota says so, reads on, and writes again when there is room', async () => {
  await using etcd = await startEtcdCluster({ members: 1, flags: ['--quota-backend-bytes=4194304'] })
  await using store = await openEtcdStore({ endpoints: etcd.endpoints })
  const value = new Uint8Array(100_000)
  const full = (error: unknown) => isCoded(error, 'STORE_FULL')
  const writing = async () => {
    for (let each = 0; each < 100; each += 1) {
      await store.commit({ conditions: [], writes: [{ key: 'a', value }] })
    }
  }
  await assert.rejects(writing(), full)
  assert.notEqual(await store.get('a'), null)
  await assert.rejects(store.commit({ conditions: [], writes: [{ key: 'c', value }] }), full)

  // What docs/errors.md tells an administrator to do.
  const { revision } = await store.status()
  await store.compact(revision)
  using membership = openMembership({ endpoints: etcd.endpoints })
  const [clientUrl = ''] = etcd.endpoints
  const before = await membership.status(clientUrl)
  // What is compacted goes from the database a moment later.
  await waitFor(
    async () => {
      await membership.defragment(clientUrl)
      return (await membership.status(clientUrl)).size < before.size / 2
    },
    { what: 'the database to shrink' },
  )
  const alarms = await membership.alarms()
  assert.deepEqual(
    alarms.map((alarm) => alarm.kind),
    ['no space'],
  )
  for (const alarm of alarms) await membership.takeBack(alarm)
  assert.ok((await store.commit({ conditions: [], writes: [{ key: 'c', value }] })).ok)
})
