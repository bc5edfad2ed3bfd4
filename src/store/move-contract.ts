import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isCoded } from '../protocol/errors.ts'
import { moveFacts, requireFacts } from './move.ts'
import type { Entry, Store, Write } from './store.ts'

/** A store that can be opened by several, and from another process by its place. */
export interface Place {
  readonly place: string
  open(): Promise<Store>
}

/** What moving facts must do between any two drivers. Each call of `source` and `target` makes an empty store. */
export function moveContract(name: string, source: () => Promise<Place>, target: () => Promise<Place>): void {
  test(`${name}: whenever it is killed, at most one store counts, and it can be finished`, async () => {
    const from = await source()
    const to = await target()
    await fill(from, 2_300)
    let last = 0
    for (let step = 1; ; step += 1) {
      const finished = await moveInProcess(from, to, step)
      last = step
      const counts = [await doesCount(from), await doesCount(to)]
      assert.ok(counts.filter((each) => each).length <= 1, `killed at step ${step}: ${counts}`)
      if (finished) break
    }
    assert.ok(last > 6, `${last} steps`)
    assert.deepEqual([await doesCount(from), await doesCount(to)], [false, true])
    await using before = await from.open()
    await using after = await to.open()
    const held = await contents(after)
    assert.equal(held.length, 2_300)
    assert.deepEqual(held, await contents(before))
    // Once more is none the worse, and what the target has become since then stays.
    await after.commit({ conditions: [], writes: [put('later', '1')] })
    const again = await moveFacts({ from: before, to: after, source: 'retired' })
    assert.equal(again.facts, 2_300)
    assert.match(again.digest, /^[0-9a-f]{64}$/)
    assert.notEqual(await after.get('later'), null)
  })

  test(`${name}: a store that holds other facts is refused`, async () => {
    const from = await source()
    const to = await target()
    await fill(from, 3)
    await fill(to, 1)
    await using origin = await from.open()
    await using destination = await to.open()
    await assert.rejects(moveFacts({ from: origin, to: destination, source: 'retired' }), (error) =>
      isCoded(error, 'STORE_NOT_EMPTY'),
    )
    await requireFacts(origin)
    assert.equal((await contents(destination)).length, 1)
  })

  test(`${name}: what is written meanwhile is moved too, and what stands under a lease is not`, async () => {
    const from = await source()
    const to = await target()
    await fill(from, 1_200)
    await using origin = await from.open()
    await using destination = await to.open()
    const lease = await origin.grant(60)
    await origin.commit({ conditions: [], writes: [put('leased', '1', lease)] })
    let writes = 0
    const moved = await moveFacts({
      from: origin,
      to: destination,
      source: 'retired',
      async progress(step) {
        if (step === 'complete') return
        writes += 1
        // One that is new, one that changes, one that goes: at every step.
        const changes = [
          put(`new/${writes}`, '1'),
          put('many/000001', String(writes)),
          gone(`many/00010${writes}`),
        ]
        await origin.commit({ conditions: [], writes: changes })
      },
    })
    const held = await contents(destination)
    assert.deepEqual(
      held,
      (await contents(origin)).filter(([key]) => key !== 'leased'),
    )
    assert.deepEqual([held.length, moved.facts], [1_200, 1_200])
  })

  test(`${name}: a source that is kept goes on, and the target counts`, async () => {
    const from = await source()
    const to = await target()
    await fill(from, 20)
    await using origin = await from.open()
    await using destination = await to.open()
    await moveFacts({ from: origin, to: destination, source: 'kept' })
    await requireFacts(origin)
    await requireFacts(destination)
    assert.deepEqual(await contents(destination), await contents(origin))
  })
}

const put = (key: string, value: string, lease?: string): Write =>
  lease === undefined ? { key, value: Buffer.from(value) } : { key, value: Buffer.from(value), lease }
const gone = (key: string): Write => ({ key, value: null })

async function fill(place: Place, count: number): Promise<void> {
  await using store = await place.open()
  for (let first = 0; first < count; first += 100) {
    const writes = Array.from({ length: Math.min(100, count - first) }, (_, each) => {
      const number = String(first + each).padStart(6, '0')
      return put(`many/${number}`, `value ${number}`)
    })
    await store.commit({ conditions: [], writes })
  }
}

/** Whether it came to its end before it reached the step at which it kills itself. */
async function moveInProcess(from: Place, to: Place, killAt: number): Promise<boolean> {
  const child = fork(new URL('./move.fixture.ts', import.meta.url))
  child.send({ from: from.place, to: to.place, killAt })
  const [code, signal] = await once(child, 'exit')
  assert.ok(code === 0 || signal === 'SIGKILL', `exit code ${code}, signal ${signal}`)
  return code === 0
}

async function doesCount(place: Place): Promise<boolean> {
  await using store = await place.open()
  try {
    await requireFacts(store)
    // An empty store counts as well, but there is nothing in it.
    return (await contents(store)).length > 0
  } catch (error) {
    if (isCoded(error, 'STORE_RETIRED') || isCoded(error, 'STORE_INCOMPLETE')) return false
    throw error
  }
}

async function contents(store: Store): Promise<[string, string][]> {
  const entries: Entry[] = []
  for (let more = true; more; ) {
    const after = entries.at(-1)?.key
    const page = await store.list('', after === undefined ? {} : { after })
    entries.push(...page.entries)
    more = page.more
  }
  return entries
    .filter(({ key }) => !key.startsWith('store/'))
    .map(({ key, value }) => [key, Buffer.from(value).toString('utf8')])
}
