import { createHash } from 'node:crypto'
import { z } from 'zod'
import { CodedError, isCoded } from '../protocol/errors.ts'
import { defineCollection, update } from './collection.ts'
import { limits } from './limits.ts'
import type { Batch, Change, Entry, Store } from './store.ts'

/**
 * Moves all facts from one store to another: from the file of one machine into etcd when it becomes a cluster, and
 * back. Two facts of the stores themselves say how far that has come, so that it can be killed at any moment and begun
 * again, and so that at no moment two stores hold facts that count: `requireFacts` refuses the other one.
 *
 * What stands under a lease is not moved: it lasts only as long as someone renews it in the store where it is.
 */
export interface MoveOptions {
  readonly from: Store
  readonly to: Store
  /** `retired`: the source counts no more afterwards. `kept`: it goes on, and the target is a copy as of one moment. */
  readonly source: 'retired' | 'kept'
  readonly signal?: AbortSignal
  /** Told of each step that is done, and while copying of each thousand facts; it is waited for. */
  readonly progress?: (step: MoveStep, facts: number) => void | Promise<void>
}

export type MoveStep = 'begun' | 'copying' | 'copied' | 'caught up' | 'verified' | 'retired' | 'complete'

export interface Moved {
  readonly facts: number
  /** SHA-256 over all keys and values in the order of keys. */
  readonly digest: string
}

const prefix = 'store/'
const counted = { facts: z.int().nonnegative(), digest: z.string() }

/** In the target: where its facts come from, and whether they count yet. */
const arrivals = defineCollection({
  prefix: `${prefix}arrivals/`,
  version: 1,
  schema: z.object({ from: z.string(), complete: z.boolean(), ...counted }),
})

/** In the source: where its facts go, and whether they count no more. `fences` is written to find a revision. */
const departures = defineCollection({
  prefix: `${prefix}departures/`,
  version: 1,
  schema: z.object({ to: z.string(), retired: z.boolean(), fences: z.int() }),
})

const only = 'all'

/** Whether a key is of a fact that says where all facts came from or went: of that store alone. */
export const isAboutMoving = (key: string): boolean => key.startsWith(prefix)

/** How far facts have been moved into this store. */
export async function arrivalIn(store: Store, signal?: AbortSignal): Promise<'none' | 'begun' | 'complete'> {
  const arrival = await arrivals.get(store, only, signal)
  if (arrival === null) return 'none'
  return arrival.value.complete ? 'complete' : 'begun'
}

/** Throws STORE_RETIRED or STORE_INCOMPLETE where the facts of this store do not count: another store's do. */
export async function requireFacts(store: Store, signal?: AbortSignal): Promise<void> {
  const departure = await departures.get(store, only, signal)
  if (departure?.value.retired === true)
    throw new CodedError('STORE_RETIRED', `to store ${departure.value.to}`)
  const arrival = await arrivals.get(store, only, signal)
  if (arrival?.value.complete === false) throw new CodedError('STORE_INCOMPLETE')
}

/**
 * Rejects with STORE_NOT_EMPTY where the target holds other facts, STORE_RETIRED where those of the source have gone to
 * a third store, MOVE_DIFFERS where the target does not hold what was copied, or an error of either store. Whatever it
 * rejects with, the source still counts unless it was retired, and calling it again goes on.
 */
export async function moveFacts(options: MoveOptions): Promise<Moved> {
  const { from, to, source, signal, progress = () => undefined } = options
  const ids = { from: (await from.status(signal)).id, to: (await to.status(signal)).id }
  await refuseRetired(from, ids.to, signal)
  const arrival = await begin(to, ids.from, signal)
  // From then on the target may have changed by itself.
  if (arrival.complete) return { facts: arrival.facts, digest: arrival.digest }
  await progress('begun', 0)

  let reached = await copy(from, to, (facts) => progress('copying', facts), signal)
  await progress('copied', 0)
  reached = (await catchUp(ids.to, from, to, reached, signal)).revision
  await progress('caught up', 0)
  let moved = await verify(ids.to, from, to, reached, signal)
  await progress('verified', moved.facts)
  if (source === 'retired') {
    await mark(from, ids.to, { retired: true }, signal)
    await progress('retired', moved.facts)
    // What was written between the verification and the retirement.
    const late = await catchUp(ids.to, from, to, reached, signal)
    if (late.changes > 0) moved = await verify(ids.to, from, to, late.revision, signal)
  }
  await update(to, arrivals, only, () => ({ from: ids.from, complete: true, ...moved }), signal)
  await progress('complete', moved.facts)
  return moved
}

async function refuseRetired(from: Store, to: string, signal: AbortSignal | undefined) {
  const departure = await departures.get(from, only, signal)
  if (departure?.value.retired === true && departure.value.to !== to) throw new CodedError('STORE_RETIRED')
}

async function begin(to: Store, from: string, signal: AbortSignal | undefined) {
  const arrival = await arrivals.get(to, only, signal)
  if (arrival?.value.from === from) return arrival.value
  for await (const entry of facts(to, signal)) {
    throw new CodedError('STORE_NOT_EMPTY', `it holds ${entry.key}`)
  }
  const begun = { from, complete: false, facts: 0, digest: '' }
  await update(to, arrivals, only, () => begun, signal)
  return begun
}

/** Notes in the source how far the move is; resolves with the revision of that note, which is the source's newest. */
async function mark(
  from: Store,
  to: string,
  { retired }: { readonly retired: boolean },
  signal: AbortSignal | undefined,
): Promise<number> {
  const { revision } = await update(
    from,
    departures,
    only,
    (former) => ({
      to,
      retired: retired || (former?.to === to && former.retired),
      fences: (former?.fences ?? 0) + 1,
    }),
    signal,
  )
  return revision
}

/**
 * Makes the target hold what the source holds, by going through both in the order of keys; what is there already, from
 * an attempt before, is not written again. Resolves with the revision from which the source must be watched on.
 */
async function copy(
  from: Store,
  to: Store,
  progress: (facts: number) => void | Promise<void>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { revision } = await from.status(signal)
  const writer = openWriter(to, 4, signal)
  let read = 0
  for await (const [own, other] of pairs(from, to, signal)) {
    if (own !== undefined) read += 1
    if (own === undefined && other !== undefined) await writer.write({ key: other.key, value: null })
    else if (own !== undefined && !isSame(own, other)) await writer.write({ key: own.key, value: own.value })
    if (read % limits.pageEntries === 0 && own !== undefined) await progress(read)
  }
  await writer.end()
  return revision
}

/** Repeats in the target, in their order, all changes of the source after `revision` up to now. */
async function catchUp(
  id: string,
  from: Store,
  to: Store,
  revision: number,
  signal: AbortSignal | undefined,
) {
  const writer = openWriter(to, 1, signal)
  let changes = 0
  const until = await eachChange(id, from, revision, signal, async (change) => {
    changes += 1
    await writer.write(change)
  })
  await writer.end()
  return { revision: until, changes }
}

/** Every change of a fact from `revision` up to now. Resolves with the revision that "now" was. */
async function eachChange(
  id: string,
  from: Store,
  revision: number,
  signal: AbortSignal | undefined,
  take: (change: Change) => Promise<void> | void,
): Promise<number> {
  // A watch tells of a revision at once only where that has changed something: so something is changed.
  const until = await mark(from, id, { retired: false }, signal)
  const enough = new AbortController()
  const either = signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal])
  for await (const batch of from.watch('', revision, either)) {
    for (const { key, value, lease } of relevant(batch)) {
      await take({ key, value: lease === undefined ? value : null })
    }
    if (batch.revision >= until) break
  }
  enough.abort()
  return until
}

const relevant = (batch: Batch) => batch.changes.filter((change) => !change.key.startsWith(prefix))

/**
 * Reads both stores anew and compares them. A fact may differ only where the source has changed it since `revision`,
 * the moment of which the target is a copy.
 */
async function verify(
  id: string,
  from: Store,
  to: Store,
  revision: number,
  signal: AbortSignal | undefined,
): Promise<Moved> {
  const digest = createHash('sha256')
  const different = new Set<string>()
  let count = 0
  for await (const [own, other] of pairs(from, to, signal)) {
    if (other !== undefined) {
      count += 1
      digest.update(`${Buffer.byteLength(other.key)} ${other.key} ${other.value.length} `)
      digest.update(other.value)
    }
    if (own === undefined || !isSame(own, other)) different.add(own?.key ?? other?.key ?? '')
  }
  await eachChange(id, from, revision, signal, (change) => {
    different.delete(change.key)
  })
  if (different.size > 0) {
    const [example] = different
    throw new CodedError('MOVE_DIFFERS', `${different.size} facts, ${example} among them`)
  }
  return { facts: count, digest: digest.digest('hex') }
}

const isSame = (own: Entry, other: Entry | undefined) =>
  other !== undefined && Buffer.compare(own.value, other.value) === 0

/** The facts of both stores by key, in order: each key once, with what either holds. */
async function* pairs(
  from: Store,
  to: Store,
  signal: AbortSignal | undefined,
): AsyncGenerator<[Entry | undefined, Entry | undefined]> {
  const others = facts(to, signal)
  let other = (await others.next()).value
  for await (const own of facts(from, signal)) {
    while (other !== undefined && compare(other, own) < 0) {
      yield [undefined, other]
      other = (await others.next()).value
    }
    if (other !== undefined && compare(other, own) === 0) {
      yield [own, other]
      other = (await others.next()).value
    } else {
      yield [own, undefined]
    }
  }
  for (; other !== undefined; other = (await others.next()).value) yield [undefined, other]
}

const compare = (one: Entry, other: Entry) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key))

/** All facts but those about moving and those under a lease, the next page being read while one is used. */
async function* facts(store: Store, signal: AbortSignal | undefined): AsyncGenerator<Entry, undefined> {
  let next = store.list('', {}, signal)
  for (;;) {
    const page = await next
    const last = page.entries.at(-1)
    if (page.more && last !== undefined) {
      next = store.list('', { after: last.key }, signal)
      // It is met at the top of the loop; whoever stops reading before that does not want to hear of it.
      next.catch(() => undefined)
    }
    for (const entry of page.entries) {
      if (entry.lease === undefined && !entry.key.startsWith(prefix)) yield entry
    }
    if (!page.more) return undefined
  }
}

/** Writes in transactions of bounded size; several at once only where no key comes twice. */
function openWriter(to: Store, atOnce: number, signal: AbortSignal | undefined) {
  const bytesAtOnce = 1_000_000
  const running = new Set<Promise<void>>()
  let pending = new Map<string, Change>()
  let size = 0
  let failure: { readonly error: unknown } | undefined

  async function flush() {
    if (pending.size === 0) return
    const writes = [...pending.values()]
    pending = new Map()
    size = 0
    const work: Promise<void> = commit(writes)
      .catch((error) => {
        failure ??= { error }
      })
      .finally(() => running.delete(work))
    running.add(work)
    if (running.size >= atOnce) await Promise.race(running)
    if (failure !== undefined) throw failure.error
  }

  async function commit(writes: readonly Change[]) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await to.commit({ conditions: [], writes }, signal)
        return
      } catch (error) {
        // Written twice is written: nobody else writes there yet.
        if (attempt === 5 || !isCoded(error, 'TIMED_OUT')) throw error
      }
    }
  }

  async function end() {
    await flush()
    await Promise.all(running)
    if (failure !== undefined) throw failure.error
  }

  return {
    async write(change: Change) {
      pending.set(change.key, change)
      size += change.value?.length ?? 0
      if (pending.size >= limits.operations || size >= bytesAtOnce) await flush()
    },
    end,
  }
}
