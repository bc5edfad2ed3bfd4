import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { waitFor } from '../../test/harness/wait.ts'
import { isCoded } from '../protocol/errors.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { holdOffice, type Term } from './leadership.ts'

let folder: string
let store: Store
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hocket-office-'))
  store = await openSqliteStore(join(folder, 'store.db'))
})
after(async () => {
  await store[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

interface Candidate {
  readonly terms: readonly Term[]
  readonly errors: readonly unknown[]
  readonly serving: boolean
  leave(): Promise<void>
}

/** Stands for the office and notes its terms; `at` is the store as it reaches it. */
function stand(office: string, node: string, at: Store, held: Set<string>, ttlSeconds = 30): Candidate {
  const leaving = new AbortController()
  const terms: Term[] = []
  const errors: unknown[] = []
  let serving = false
  const done = holdOffice(
    { store: at, office, node, ttlSeconds, onError: (error) => void errors.push(error) },
    async (term) => {
      terms.push(term)
      serving = true
      held.add(node)
      assert.equal(held.size, 1, `${[...held].join(' and ')} hold one office`)
      if (!term.signal.aborted) await once(term.signal, 'abort')
      held.delete(node)
      serving = false
    },
    leaving.signal,
  )
  return {
    terms,
    errors,
    get serving() {
      return serving
    },
    async leave() {
      leaving.abort()
      await done
    },
  }
}

const write = (key: string) => ({ conditions: [], writes: [{ key, value: Buffer.from('x') }] })

test('[N2] one of many holds the office; when it leaves, another takes over at once', async () => {
  const held = new Set<string>()
  const candidates = ['a', 'b', 'c'].map((node) => stand('first', node, store, held))
  const first = await waitFor(() => candidates.find(({ serving }) => serving), { what: 'a holder' })
  assert.equal(await first.terms[0]?.commit(write('t/one')), true)
  await first.leave()
  const others = candidates.filter((one) => one !== first)
  const second = await waitFor(() => others.find(({ serving }) => serving), { what: 'a successor' })
  assert.equal(await second.terms[0]?.commit(write('t/two')), true)
  await Promise.all(candidates.map((one) => one.leave()))
  assert.equal(await store.get('cluster/offices/first'), null, 'who leaves frees the office')
})

test('[N1] [N2] a holder that can no longer renew stops before another begins', async () => {
  const held = new Set<string>()
  let isCut = false
  const cut: Store = {
    ...store,
    renew: (lease, signal) => (isCut ? hanging(signal) : store.renew(lease, signal)),
    revoke: (lease, signal) => (isCut ? hanging(signal) : store.revoke(lease, signal)),
  }
  const first = stand('second', 'a', cut, held, 2)
  await waitFor(() => first.serving, { what: 'the first' })
  const second = stand('second', 'b', store, held, 2)
  isCut = true
  await waitFor(() => second.serving, { what: 'the second' })
  // `stand` has asserted that they did not serve at the same time.
  assert.equal(first.serving, false)
  await Promise.all([first.leave(), second.leave()])
})

test('[N2] who waits for an office goes on, though the history since it was taken has been dropped', async () => {
  const held = new Set<string>()
  const first = stand('old', 'a', store, held)
  await waitFor(() => first.serving, { what: 'the first' })
  await store.commit(write('t/later'))
  await store.compact((await store.status()).revision)
  let isWaiting = false
  const noticed: Store = {
    ...store,
    watch: (...asked) => {
      isWaiting = true
      return store.watch(...asked)
    },
  }
  const second = stand('old', 'b', noticed, held)
  await waitFor(() => isWaiting, { what: 'the second to wait' })
  await first.leave()
  await waitFor(() => second.serving, { what: 'the second' })
  await second.leave()
  assert.deepEqual(second.errors, [])
})

test('[F2] what a holder sends after its term is refused, however late it arrives', async () => {
  const held = new Set<string>()
  const first = stand('third', 'a', store, held)
  const [term] = await waitFor(() => first.serving && first.terms, { what: 'the first' })
  assert.ok(term)
  const office = await store.get('cluster/offices/third')
  assert.ok(office)
  // Another has taken over while this process did not run.
  await store.commit({ conditions: [], writes: [{ key: office.key, value: Buffer.from('b') }] })
  await assert.rejects(term.commit(write('t/late')), (error) => isCoded(error, 'OFFICE_LOST'))
  assert.equal(await store.get('t/late'), null)
  assert.equal(term.signal.aborted, true)
  await first.leave()
})

test('a condition of its own that does not hold is no loss of the office', async () => {
  const held = new Set<string>()
  const holder = stand('fourth', 'a', store, held)
  const [term] = await waitFor(() => holder.serving && holder.terms, { what: 'the holder' })
  assert.ok(term)
  const conditions = [{ key: 't/none', revision: 7 }]
  assert.equal(await term.commit({ ...write('t/x'), conditions }), false)
  assert.equal(term.signal.aborted, false)
  await holder.leave()
})

/** A call whose answer never comes. */
function hanging(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
