import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/folder.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { Member } from '../protocol/facts/cluster.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { refuseSecond } from './announce.ts'
import { members, presences } from './facts.ts'
import { openRegistry, type Registry, type RegistryEvent, type RegistryOptions } from './registry.ts'
import { setMemberState } from './trust/membership.ts'

const ttlSeconds = 2
let folder: TemporaryFolder
let store: Store

before(async () => {
  folder = await temporaryFolder('registry')
  store = await openSqliteStore(join(folder.path, 'store.db'))
})
after(async () => {
  await store[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function addMember(name: string): Promise<Member> {
  const member: Member = {
    id: crypto.randomUUID(),
    name,
    zone: name,
    roles: ['gateway', 'media'],
    capacityBytes: null,
    state: 'active',
    joinedAt: Date.now(),
    certificates: [],
  }
  await store.commit(members.create(member.id, member))
  return member
}

const place = (text: string) => Buffer.from(text.padEnd(32)).toString('hex')

function optionsOf(member: Member, options: Partial<RegistryOptions> = {}): RegistryOptions {
  return {
    store,
    self: {
      id: member.id,
      place: place(member.name),
      zone: member.zone,
      roles: member.roles,
      version: '0.1.0',
    },
    ttlSeconds,
    vitals: () => ({ freeBytes: 10, totalBytes: 100, load: 0.5 }),
    onEvent: () => undefined,
    onLost: () => undefined,
    ...options,
  }
}

async function openPresent(options: RegistryOptions): Promise<Registry> {
  const registry = await openRegistry(options)
  await registry.announce({ addresses: ['127.0.0.1:4651'], publicUrl: null })
  return registry
}

const sees = (registry: Registry, member: Member) => registry.node(member.id) !== null

test('[N1] nodes see one another, with what their member facts say, and see who leaves', async () => {
  const [one, two] = [await addMember('one'), await addMember('two')]
  const events: RegistryEvent[] = []
  await using first = await openPresent(optionsOf(one, { onEvent: (event) => events.push(event) }))
  assert.equal(first.node(one.id)?.name, 'one')
  {
    await using second = await openPresent(optionsOf(two))
    assert.ok(sees(second, one) && sees(second, two))
    await waitFor(() => sees(first, two), { what: 'the first to see the second' })
    assert.equal(first.node(two.id)?.zone, 'two')
    await setMemberState(store, two.id, 'draining')
    await waitFor(() => first.node(two.id)?.state === 'draining', { what: 'the news that it is drained' })
  }
  await waitFor(() => !sees(first, two), { what: 'the first to see the second leave' })
  const heard = events.flatMap((event) => ('node' in event && event.node === two.id ? [event.kind] : []))
  assert.deepEqual(heard, ['joined', 'left'])
  assert.equal(first.member(two.id)?.name, 'two', 'it is still known')
})

test('[N1] a node that dies is out when its lease ends, and one that lives stays', async () => {
  const [one, two] = [await addMember('one'), await addMember('two')]
  await using first = await openPresent(optionsOf(one))
  // A process that dies renews nothing and says no farewell.
  const silence = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  const mortal: Store = { ...store, renew: (_, signal) => silence(signal), revoke: async () => undefined }
  const startedAt = performance.now()
  const second = await openPresent(optionsOf(two, { store: mortal, ttlSeconds: 1 }))
  await waitFor(() => sees(first, two), { what: 'the second node' })
  await waitFor(() => !sees(first, two), { what: 'the second to be seen dead' })
  assert.ok(performance.now() - startedAt >= 1_000, 'not before its lease ended')
  await waitFor(() => sees(first, one), { what: 'the one that renews to be there still' })
  await second[Symbol.asyncDispose]()
})

test('[N1] a node whose lease has ended comes back with a new one', async () => {
  const [one, two] = [await addMember('one'), await addMember('two')]
  const leases: string[] = []
  const noting: Store = {
    ...store,
    async grant(ttl, signal) {
      leases.push(await store.grant(ttl, signal))
      return leases.at(-1) ?? ''
    },
  }
  await using first = await openPresent(optionsOf(one))
  await using _second = await openPresent(optionsOf(two, { store: noting }))
  await waitFor(() => sees(first, two), { what: 'the second node' })
  let left = false
  first.subscribe(() => {
    left ||= !sees(first, two)
  })
  await store.revoke(leases[0] ?? '')
  await waitFor(() => left && sees(first, two), { what: 'it to leave and come back' })
  assert.ok(leases.length >= 2)
})

test('with the store away, the last known nodes stay, and are followed again when it is back', async () => {
  const [one, two, three] = [await addMember('one'), await addMember('two'), await addMember('three')]
  const away = gate()
  await using first = await openPresent(optionsOf(one, { store: away.store(store) }))
  const second = await openPresent(optionsOf(two))
  await waitFor(() => sees(first, two), { what: 'the second node' })
  away.close()
  await waitFor(() => !first.following, { what: 'the store to be missed' })
  await second[Symbol.asyncDispose]()
  await using _third = await openPresent(optionsOf(three))
  assert.ok(sees(first, two) && sees(first, one), 'the view is as it was')
  away.open()
  await waitFor(() => first.following && !sees(first, two) && sees(first, three) && sees(first, one), {
    what: 'the view to be true again',
  })
})

test('of two that nothing tells apart, the one that started later is stopped', async () => {
  const one = await addMember('one')
  const lost: string[] = []
  await using first = await openPresent(
    optionsOf(one, { onLost: (error) => lost.push(`first ${error.code}`) }),
  )
  const incarnation = first.node(one.id)?.incarnation
  const later = optionsOf(one, { onLost: (error) => lost.push(`second ${error.code}`) })
  await waitFor(() => Date.now() > (first.node(one.id)?.startedAt ?? 0), { what: 'a later moment' })
  const second = await openPresent(later).catch((error: unknown) => {
    if (isCoded(error)) lost.push(`second ${error.code}`)
  })
  await waitFor(() => lost.length > 0, { what: 'one of them to be stopped' })
  assert.deepEqual(lost, ['second NODE_DUPLICATE'])
  await waitFor(() => first.node(one.id)?.incarnation === incarnation, { what: 'the first to be seen' })
  await second?.[Symbol.asyncDispose]()
})

test('a node that starts again after a crash is there at once', async () => {
  const one = await addMember('one')
  const mortal: Store = { ...store, revoke: async () => undefined }
  const long = { ttlSeconds: 60 }
  const crashed = await openPresent(optionsOf(one, { ...long, store: mortal }))
  const before = crashed.node(one.id)?.incarnation
  await crashed[Symbol.asyncDispose]()
  await using again = await openPresent(optionsOf(one, long))
  assert.ok(sees(again, one))
  assert.notEqual(again.node(one.id)?.incarnation, before)
})

test('[N1] a copy of a node learns that the node lives elsewhere before it begins anything, though the store falls silent', async () => {
  const one = await addMember('one')
  const signal = AbortSignal.timeout(60_000)
  const copy = { id: one.id, place: place('elsewhere'), ttlSeconds: 1 }
  await refuseSecond(store, copy, signal)
  {
    await using _registry = await openPresent(optionsOf(one, { ttlSeconds: 1 }))
    await refuseSecond(store, { ...copy, place: place('one') }, signal)
    let looks = 0
    const moody: Store = {
      ...store,
      async get(key, limit) {
        looks += 1
        if (looks === 3) throw new CodedError('UNREACHABLE')
        return await store.get(key, limit)
      },
    }
    await assert.rejects(refuseSecond(moody, copy, signal), (error) => isCoded(error, 'NODE_DUPLICATE'))
  }
  await refuseSecond(store, copy, signal)
})

test('a node that is removed is told, is not seen any more, and does not come in again', async () => {
  const [one, two] = [await addMember('one'), await addMember('two')]
  const lost: string[] = []
  await using first = await openPresent(optionsOf(one))
  await using _second = await openPresent(optionsOf(two, { onLost: (error) => lost.push(error.code) }))
  await waitFor(() => sees(first, two), { what: 'the second node' })
  await setMemberState(store, two.id, 'removed')
  await waitFor(() => lost.length > 0 && !sees(first, two), { what: 'the removal to be noticed' })
  assert.deepEqual(lost, ['NODE_REMOVED'])
  await assert.rejects(openRegistry(optionsOf(two)), (error) => isCoded(error, 'NODE_REMOVED'))
  await assert.rejects(setMemberState(store, two.id, 'active'), (error) => isCoded(error, 'NODE_REMOVED'))
})

test('clocks that are wrong are told, once, and so is that they agree again', async () => {
  const [one, two] = [await addMember('one'), await addMember('two')]
  const told: (number | null)[] = []
  await using first = await openPresent(
    optionsOf(one, { onEvent: (event) => event.kind === 'clock' && told.push(event.skewMs) }),
  )
  const self = first.node(one.id)
  assert.ok(self !== null)
  const tell = async (skewMs: number) => {
    const { name: _, state: __, capacityBytes: ___, skewMs: ____, ...rest } = self
    const known = await presences.get(store, two.id)
    const clock = Date.now() + skewMs
    const presence = { ...rest, id: two.id, place: place('two'), clock }
    await store.commit(presences.replace(two.id, known?.revision ?? 0, presence))
    return clock
  }
  await tell(60_000)
  await waitFor(() => told.length === 1, { what: 'a clock that is ahead to be told' })
  assert.ok(Math.abs((first.node(two.id)?.skewMs ?? 0) - 60_000) < 5_000)
  await tell(0)
  await waitFor(() => told.length === 2, { what: 'the clock to be right again' })
  assert.equal(first.node(two.id)?.skewMs, null)
  await tell(-60_000)
  await tell(-61_000)
  await waitFor(() => told.length === 3, { what: 'a clock that is behind to be told' })
  assert.ok((first.node(two.id)?.skewMs ?? 0) < -50_000)
})

/** Stands between a registry and its store, and can cut the way: what is under way then fails, and what comes later. */
function gate() {
  let cut = new AbortController()
  const failed = () => new Error('the store is away')
  const pass = async <Value>(call: () => Promise<Value>): Promise<Value> => {
    if (cut.signal.aborted) throw failed()
    return await call()
  }
  return {
    close: () => cut.abort(failed()),
    open: () => {
      cut = new AbortController()
    },
    store: (real: Store): Store => ({
      ...real,
      get: (...args) => pass(() => real.get(...args)),
      list: (...args) => pass(() => real.list(...args)),
      commit: (...args) => pass(() => real.commit(...args)),
      grant: (...args) => pass(() => real.grant(...args)),
      renew: (...args) => pass(() => real.renew(...args)),
      revoke: (...args) => pass(() => real.revoke(...args)),
      watch: (prefix, revision, signal) =>
        real.watch(prefix, revision, AbortSignal.any([signal, cut.signal])),
    }),
  }
}
