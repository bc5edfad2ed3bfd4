import { setTimeout as pause } from 'node:timers/promises'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { Presence } from '../protocol/facts/cluster.ts'
import type { Id } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import { presences } from './facts.ts'

/** What changes of a node while it runs. */
export type Vitals = Pick<Presence, 'freeBytes' | 'totalBytes' | 'load'>

/** What stays as it was at the start. */
export type Standing = Omit<Presence, keyof Vitals | 'clock'>

export interface AnnouncerOptions {
  readonly store: Store
  readonly standing: Standing
  readonly ttlSeconds: number
  readonly vitals: () => Vitals | Promise<Vitals>
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

export interface Announcer {
  /** Resolves when others can see this node for the first time. Rejects with NODE_DUPLICATE, or the signal's reason. */
  readonly present: Promise<void>
  /** Another presence stands under this node's id: looks at once what that means. */
  overtaken(): void
  /** Resolves when nothing is announced any more; rejects with NODE_DUPLICATE where another has the same identity. */
  readonly ended: Promise<void>
}

/** A presence is written when something has changed that matters, and not more often than this, in milliseconds. */
const writeEveryMs = 10_000
/** And at least so often: others learn this node's clock from it. */
const writeAtLeastMs = 60_000
const shortestPauseMs = 100
const longestPauseMs = 3_000
/** How often it is looked whether a presence from another place has gone. */
const lookAgainMs = 250
/** How long a start asks the store whether this node runs elsewhere, in milliseconds. */
const startPatienceMs = 3_000
const startAttempts = 5
/** How long an orderly end waits for the store, in milliseconds. */
const farewellMs = 1_000

/**
 * Keeps a node's presence in the store under a lease (N1): renewed three times in its life; when it has ended, because
 * the process or the store stood still, a new one takes its place.
 */
export function announce(options: AnnouncerOptions): Announcer {
  const { store, standing, ttlSeconds, vitals, signal, onError } = options
  const { id, incarnation, place, startedAt } = standing
  const thirdMs = Math.round((ttlSeconds * 1_000) / 3)
  const present = Promise.withResolvers<void>()
  present.promise.catch(() => undefined)
  let poke = new AbortController()
  let wasPresent = false

  async function current(): Promise<Presence> {
    return { ...standing, ...(await vitals()), clock: Date.now() }
  }

  /** Each call to the store ends in time for the next one, so that one lost answer does not cost the lease. */
  const limit = () => AbortSignal.any([signal, AbortSignal.timeout(Math.max(500, thirdMs))])

  /** Writes the presence under the lease. */
  async function claim(lease: string): Promise<Written> {
    for (;;) {
      const found = await presences.get(store, id, limit())
      if (found !== null) await assertOurs(found.value)
      const value = await current()
      const outcome = await store.commit(presences.replace(id, found?.revision ?? 0, value, lease), limit())
      if (outcome.ok) return { value, at: performance.now(), revision: outcome.revision }
    }
  }

  /**
   * Returns where this node may replace the presence that was found: its own, or that of its dead predecessor. One from
   * another place is waited for, since its lease may end; where it does not, the node there is alive: NODE_DUPLICATE.
   */
  async function assertOurs(theirs: Presence): Promise<void> {
    if (theirs.incarnation === incarnation) return
    if (theirs.place !== place) return await refuseIfAlive(store, theirs, ttlSeconds, limit, signal)
    // One process works on a data folder, so whoever was here before a start is dead. Who appears here afterwards runs
    // on a perfect copy of the machine: the one that started later gives way.
    const isLater = `${theirs.startedAt} ${theirs.incarnation}` > `${startedAt} ${incarnation}`
    if (wasPresent && !isLater) throw duplicate(theirs)
  }

  /** Holds one lease until it ends. */
  async function hold(): Promise<void> {
    const lease = await store.grant(ttlSeconds, limit())
    try {
      let written = await claim(lease)
      wasPresent = true
      present.resolve()
      for (;;) {
        const isOvertaken = await nextLook()
        if (!(await renewed(lease))) return
        const value = await current()
        if (!isOvertaken && !isWorthWriting(written, value)) continue
        const change = presences.replace(id, written.revision, value, lease)
        const outcome = await store.commit(change, limit())
        written = outcome.ok
          ? { value, at: performance.now(), revision: outcome.revision }
          : await claim(lease)
      }
    } finally {
      // Others see at once that this node has gone; where the store is away, the lease ends by itself.
      await store.revoke(lease, AbortSignal.timeout(farewellMs)).catch(() => undefined)
    }
  }

  /** False where the lease has ended. While the store is away it is asked again: a lease may outlive that. */
  async function renewed(lease: string): Promise<boolean> {
    for (let wait = shortestPauseMs; ; wait = Math.min(wait * 2, thirdMs / 2)) {
      try {
        return await store.renew(lease, limit())
      } catch (error) {
        signal.throwIfAborted()
        onError(error)
        await pause(wait, undefined, { signal })
      }
    }
  }

  /** Waits for the next renewal; answers true where something called before. */
  async function nextLook(): Promise<boolean> {
    try {
      await pause(thirdMs, undefined, { signal: AbortSignal.any([signal, poke.signal]) })
      return false
    } catch {
      signal.throwIfAborted()
      poke = new AbortController()
      return true
    }
  }

  async function keepAnnouncing(): Promise<void> {
    let wait = shortestPauseMs
    while (!signal.aborted) {
      const startedAt = performance.now()
      try {
        await hold()
      } catch (error) {
        if (signal.aborted) break
        if (isCoded(error, 'NODE_DUPLICATE')) {
          present.reject(error)
          throw error
        }
        onError(error)
        if (performance.now() - startedAt > longestPauseMs) wait = shortestPauseMs
        await pause(wait, undefined, { signal }).catch(() => undefined)
        wait = Math.min(wait * 2, longestPauseMs)
      }
    }
    present.reject(signal.reason)
  }

  return { present: present.promise, overtaken: () => poke.abort(), ended: keepAnnouncing() }
}

/**
 * For a start, before anything runs that may run only once under this identity, as a member of etcd: NODE_DUPLICATE
 * where a node at another place lives under it. A store that does not answer says nothing; then `announce` finds out.
 */
export async function refuseSecond(
  store: Store,
  { id, place, ttlSeconds }: { readonly id: Id; readonly place: string; readonly ttlSeconds: number },
  signal: AbortSignal,
): Promise<void> {
  const limit = () => AbortSignal.any([signal, AbortSignal.timeout(startPatienceMs)])
  let isElsewhere = false
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await presences.get(store, id, limit())
      if (found === null || found.value.place === place) return
      isElsewhere = true
      return await refuseIfAlive(store, found.value, ttlSeconds, limit, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (isCoded(error, 'NODE_DUPLICATE')) throw error
      // A store that falls silent after it has told of somebody is asked again: one of its members may have died.
      if (!isElsewhere || attempt === startAttempts) return
    }
  }
}

/** Waits for as long as the lease of a dead node lasts: NODE_DUPLICATE where the presence is there afterwards. */
async function refuseIfAlive(
  store: Store,
  theirs: Presence,
  ttlSeconds: number,
  limit: () => AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + ttlSeconds * 1_500 + 1_000
  while (performance.now() < end) {
    const found = await presences.get(store, theirs.id, limit())
    if (found?.value.incarnation !== theirs.incarnation) return
    await pause(lookAgainMs, undefined, { signal })
  }
  throw duplicate(theirs)
}

interface Written {
  readonly value: Presence
  readonly revision: number
  /** On the clock that never jumps. */
  readonly at: number
}

function isWorthWriting({ value: before, at }: Written, now: Presence): boolean {
  const age = performance.now() - at
  if (age < writeEveryMs) return false
  const onePercent = Math.max(1, before.totalBytes / 100)
  return (
    age >= writeAtLeastMs ||
    Math.abs(now.load - before.load) >= 0.05 ||
    Math.abs(now.freeBytes - before.freeBytes) >= onePercent ||
    now.totalBytes !== before.totalBytes
  )
}

function duplicate({ addresses, startedAt }: Presence): CodedError {
  return new CodedError(
    'NODE_DUPLICATE',
    `at ${addresses.join(', ')}, since ${new Date(startedAt).toISOString()}`,
  )
}
