import { setTimeout as pause } from 'node:timers/promises'
import { CodedError } from '../protocol/errors.ts'
import type { Id } from '../protocol/ids.ts'
import type { Condition, Store, Transaction } from '../store/store.ts'

/** What one holder of an office may do, and until when. */
export interface Term {
  /** Aborted when the office is lost, or before it could be: whoever works under it stops. */
  readonly signal: AbortSignal
  /**
   * Commits as the holder: the transaction takes effect only while this term lasts, however late it arrives. Throws
   * OFFICE_LOST where another has taken over; answers false where another condition did not hold.
   */
  commit(transaction: Transaction): Promise<boolean>
}

export interface OfficeOptions {
  readonly store: Store
  /** What there must be one of, such as `operator`. */
  readonly office: string
  /** Who stands for it. */
  readonly node: Id
  /** How long, in seconds, until others take over from a holder that has fallen silent. */
  readonly ttlSeconds: number
  /** Told of what ends a term early, and of failures in between; it is tried again. */
  readonly onError: (error: unknown) => void
}

const prefix = 'cluster/offices/'
const shortestPauseMs = 200
const longestPauseMs = 5_000
/** How long an orderly end waits for the store: all machines may be stopping at once, and with them the store. */
const farewellMs = 2_000

/**
 * Holds an office whenever nobody else does, until the signal ends it, and does `work` while it lasts. `work` is run
 * anew in each term, finds whatever its predecessor left half done (N2), and ends when the term's signal is aborted.
 *
 * The holder's key lies under a lease, so that it goes with a holder that dies; a holder that is only slow stops itself
 * before its lease can end, by its own clock; and one whose clock stood still is refused by the condition in each of
 * its commits (fencing).
 */
export async function holdOffice(
  options: OfficeOptions,
  work: (term: Term) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let wait = shortestPauseMs
  while (!signal.aborted) {
    try {
      await standOnce(options, work, signal)
      wait = shortestPauseMs
    } catch (error) {
      if (signal.aborted) return
      options.onError(error)
      await pause(wait, undefined, { signal }).catch(() => undefined)
      wait = Math.min(wait * 2, longestPauseMs)
    }
  }
}

/** Does `work` once while it holds the office: for what several nodes do each for itself, but never two at a time. */
export async function inTurn(
  options: OfficeOptions,
  work: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController()
  let failure: { readonly error: unknown } | undefined
  const once = async () => {
    try {
      await work()
    } catch (error) {
      failure = { error }
    } finally {
      done.abort()
    }
  }
  await holdOffice(options, once, AbortSignal.any([signal, done.signal]))
  signal.throwIfAborted()
  if (failure !== undefined) throw failure.error
}

/** Takes the office if it is free and serves the term; else waits until it may be free. */
async function standOnce(
  options: OfficeOptions,
  work: (term: Term) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { store, office, node, ttlSeconds } = options
  const key = prefix + office
  // Asked first: what was written for the holder may be so long ago that its history has been dropped.
  const { revision } = await store.status(signal)
  if ((await store.get(key, signal)) !== null)
    return await untilFree(store, key, revision, ttlSeconds, signal)

  const grantedAt = performance.now()
  const lease = await store.grant(ttlSeconds, signal)
  try {
    const taken = await store.commit(
      { conditions: [{ key, revision: 0 }], writes: [{ key, value: Buffer.from(node), lease }] },
      signal,
    )
    if (!taken.ok) return
    await serve(options, { key, revision: taken.revision }, { lease, grantedAt }, work, signal)
  } finally {
    // It frees the office at once; where the store is away, the lease ends by itself.
    await store.revoke(lease, AbortSignal.timeout(farewellMs)).catch(() => undefined)
  }
}

async function serve(
  { store, ttlSeconds, onError }: OfficeOptions,
  fence: Condition,
  { lease, grantedAt }: { readonly lease: string; readonly grantedAt: number },
  work: (term: Term) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController()
  const either = AbortSignal.any([signal, ending.signal])
  const renewing = renew().catch((error) => ending.abort(error))

  /** Ends by throwing why the term is over. A term is over two thirds into a lease that could not be renewed. */
  async function renew(): Promise<never> {
    const third = (ttlSeconds * 1_000) / 3
    let safeUntil = grantedAt + 2 * third
    for (;;) {
      await pause(third / 2, undefined, { signal: either })
      const askedAt = performance.now()
      const deadline = AbortSignal.any([
        either,
        AbortSignal.timeout(Math.max(1, Math.ceil(safeUntil - askedAt))),
      ])
      const renewed = await store.renew(lease, deadline).catch((error: unknown) => {
        either.throwIfAborted()
        if (performance.now() >= safeUntil) throw new CodedError('OFFICE_LOST', undefined, { cause: error })
        return null
      })
      if (renewed === false) throw new CodedError('OFFICE_LOST')
      if (renewed) safeUntil = askedAt + 2 * third
    }
  }

  async function commit({ conditions, writes }: Transaction): Promise<boolean> {
    const { ok } = await store.commit({ conditions: [fence, ...conditions], writes }, either)
    if (ok) return true
    const now = await store.get(fence.key, either)
    if (now?.revision === fence.revision) return false
    const lost = new CodedError('OFFICE_LOST')
    ending.abort(lost)
    throw lost
  }

  try {
    await work({ signal: either, commit })
  } catch (error) {
    if (!signal.aborted) onError(ending.signal.aborted ? ending.signal.reason : error)
  } finally {
    ending.abort(new DOMException('the term is over', 'AbortError'))
    await renewing
  }
}

/** Until the key goes. Watching hears of it at once; looking now and then is for what a watch may miss. */
async function untilFree(
  store: Store,
  key: string,
  revision: number,
  ttlSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(ttlSeconds * 2_000)])
  try {
    for await (const { changes } of store.watch(key, revision, patience)) {
      if (changes.some((change) => change.key === key && change.value === null)) return
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!patience.aborted) throw error
  }
}
