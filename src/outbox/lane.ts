import { CodedError } from '../protocol/errors.ts'
import type { Connection, OutboxEvent, Progress } from '../protocol/facts/outbox.ts'
import { type Fact, join, type Operation } from '../store/collection.ts'
import type { Transaction } from '../store/store.ts'
import { connections, entries, idOf, noProgress, progresses, userOf, writtenAt } from './facts.ts'
import { type OutboxOptions, type Reached, reach } from './reach.ts'
import type { Outcome } from './services/service.ts'

/** What lets one node at a time deliver: whoever has lost it cannot mark anything as delivered (fencing). */
export interface Mandate {
  readonly signal: AbortSignal
  /** False where a condition did not hold; throws where the mandate is over. */
  commit(transaction: Transaction): Promise<boolean>
}

/** What waits for one connection: so much, and so long. A dead service never fills the store. */
const mostEntries = 10_000
const longestWaitMs = 30 * 24 * 3_600_000
const pruneEveryMs = 3_600_000
/** Entries that are marked in one transaction. */
const atOnce = 100
const attempts = 20
/** Waiting after failures, in milliseconds: at first, and at most. */
const shortestPauseMs = 1_000
const longestPauseMs = 3_600_000
/** What cannot go on until something else changes is looked at again after this time all the same. */
const restMs = 600_000

/**
 * Delivers what waits for one connection, in the order in which it was written, until nothing waits, something fails or
 * the mandate ends. Answers when to try again, in milliseconds since 1970; null: when something waits.
 */
export function createLane(
  options: OutboxOptions,
  mandate: Mandate,
): (key: string) => Promise<number | null> {
  const { store, person } = options
  const { signal } = mandate
  const prunedAt = new Map<string, number>()

  /** Removes entries and changes the progress; false where the connection is gone. */
  async function settle(
    key: string,
    done: readonly string[],
    change: (before: Progress) => Progress,
  ): Promise<boolean> {
    const chunks = Array.from({ length: Math.ceil(done.length / atOnce) }, (_, at) =>
      done.slice(at * atOnce, (at + 1) * atOnce).map(removal),
    )
    const last = chunks.pop() ?? []
    for (const chunk of chunks) await mandate.commit(join(...chunk))
    for (let attempt = 0; attempt < attempts; attempt++) {
      const connection = await connections.get(store, key, signal)
      if (connection === null) return false
      const progress = await progresses.get(store, key, signal)
      const after = change(progress?.value ?? noProgress)
      const transaction = join(
        connections.expect(key, connection.revision),
        progresses.replace(key, progress?.revision ?? 0, after),
        ...last,
      )
      if (await mandate.commit(transaction)) return true
    }
    throw new CodedError('CONFLICT', `the progress of a connection, after ${attempts} attempts`)
  }

  /** What was written for a connection that is no more. */
  async function discard(key: string): Promise<void> {
    for (let more = true; more; ) {
      const page = await store.list(entries.key(`${key}/`), { limit: atOnce }, signal)
      const ids = page.entries.map((entry) => entries.id(entry.key))
      if (ids.length > 0) await mandate.commit(join(...ids.map(removal)))
      more = page.more
    }
  }

  /** Gives up what is too old, and the oldest of what is too much. */
  async function prune(key: string): Promise<void> {
    const now = Date.now()
    if (now - (prunedAt.get(key) ?? 0) < pruneEveryMs) return
    const ids: string[] = []
    let after: string | undefined
    for (let more = true; more; ) {
      const page = await store.list(entries.key(`${key}/`), { ...(after !== undefined && { after }) }, signal)
      ids.push(...page.entries.map((entry) => entries.id(entry.key)))
      after = page.entries.at(-1)?.key
      more = page.more
    }
    const surplus = ids.length - mostEntries
    const given = ids.filter((id, at) => at < surplus || writtenAt(id) < now - longestWaitMs)
    if (given.length > 0) {
      await settle(key, given, (before) => ({ ...before, dropped: before.dropped + given.length }))
    }
    prunedAt.set(key, now)
  }

  async function attempt(
    { service, target, ask }: Reached,
    events: readonly OutboxEvent[],
  ): Promise<Outcome> {
    try {
      return await service.deliver(target, events, ask)
    } catch (error) {
      signal.throwIfAborted()
      return outcomeOf(error)
    }
  }

  /** What is needed to deliver, or what stands in the way. */
  async function prepare(key: string, connection: Connection): Promise<Reached | Outcome> {
    const user = userOf(key)
    try {
      return await reach(options, { user, id: idOf(key), connection }, signal)
    } catch (error) {
      signal.throwIfAborted()
      return outcomeOf(error)
    }
  }

  return async function lane(key) {
    /** Entries that are sent alone, since one of them was refused and we do not know which. */
    let alone = 0
    for (;;) {
      const connection = await connections.get(store, key, signal)
      if (connection === null) {
        await discard(key)
        return null
      }
      await prune(key)
      const progress = (await progresses.get(store, key, signal))?.value ?? noProgress
      const now = Date.now()
      if (progress.needsAttention || (await person(userOf(key), signal)) === null) return now + restMs
      if ((progress.retryAt ?? 0) > now) return progress.retryAt ?? null

      const reached = await prepare(key, connection.value)
      const most = 'service' in reached ? reached.service.most : 1
      const page = await entries.list(store, { under: `${key}/`, limit: alone > 0 ? 1 : most }, signal)
      const { facts } = page
      // Those that only a newer version can read are left to it.
      if (facts.length === 0) return page.unreadable.length > 0 ? now + restMs : null

      const outcome =
        'service' in reached
          ? await attempt(
              reached,
              facts.map(({ value }) => value),
            )
          : reached
      if (outcome.kind === 'refused' && facts.length > 1) {
        alone = facts.length
        continue
      }
      alone = outcome.kind === 'refused' ? 0 : Math.max(0, alone - 1)
      const { done, change } = consequence(outcome, facts, progress)
      if (!(await settle(key, done, change))) continue
    }
  }
}

/** What an outcome means for entries and progress. */
function consequence(
  outcome: Outcome,
  facts: readonly Fact<OutboxEvent>[],
  { failures }: Progress,
): { readonly done: readonly string[]; readonly change: (before: Progress) => Progress } {
  const at = Date.now()
  switch (outcome.kind) {
    case 'delivered': {
      const { left, refused } = outcome
      const done = facts.filter(({ value }) => !left.has(value.id)).map(({ id }) => id)
      return {
        done,
        change: ({ retryAt: _at, trouble: _trouble, ...before }) => ({
          ...before,
          deliveredAt: at,
          failures: 0,
          dropped: before.dropped + refused,
          ...(left.size > 0 && { retryAt: at + longestPauseMs }),
          ...(refused > 0 && { trouble: { code: 'DELIVERY_REFUSED', at } }),
        }),
      }
    }
    case 'refused': {
      if (failures + 1 < outcome.attempts) {
        return { done: [], change: failed('DELIVERY_REFUSED', outcome.detail, at) }
      }
      const trouble = {
        code: 'DELIVERY_REFUSED',
        ...(outcome.detail !== '' && { detail: outcome.detail }),
        at,
      }
      return {
        done: facts.map(({ id }) => id),
        change: ({ retryAt: _at, ...before }) => ({
          ...before,
          failures: 0,
          dropped: before.dropped + 1,
          trouble,
        }),
      }
    }
    case 'later':
      return { done: [], change: failed(outcome.code, outcome.detail, at, outcome.afterMs) }
    case 'attention':
      return {
        done: [],
        change: (before) => ({ ...failed(outcome.code, outcome.detail, at)(before), needsAttention: true }),
      }
  }
}

/** Waits twice as long after each failure, and never as long as another that failed at the same time. */
function failed(code: string, detail: string, at: number, afterMs = 0): (before: Progress) => Progress {
  return (before) => {
    const longest = Math.min(shortestPauseMs * 2 ** Math.min(before.failures, 30), longestPauseMs)
    const wait = Math.max(afterMs, longest * (0.5 + Math.random() / 2))
    return {
      ...before,
      failures: before.failures + 1,
      retryAt: Math.ceil(at + wait),
      trouble: { code, ...(detail !== '' && { detail: detail.slice(0, 500) }), at },
    }
  }
}

/** What an error says of the connection; any other is for the caller. */
function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof CodedError)) throw error
  const { code, detail = '' } = error
  switch (code) {
    case 'SERVICE_UNAVAILABLE':
    case 'SERVICE_NOT_SET_UP':
      return { kind: 'later', code, detail }
    case 'ADDRESS_FORBIDDEN':
    case 'SECRETS_UNREADABLE':
      return { kind: 'attention', code, detail }
    default:
      throw error
  }
}

/** An entry never changes: that it goes needs no condition but the mandate's own. */
function removal(id: string): Operation {
  return { conditions: [], writes: entries.remove(id, 0).writes }
}
