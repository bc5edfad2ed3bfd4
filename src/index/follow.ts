import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { isCoded } from '../protocol/errors.ts'
import type { Batch, Page, Store } from '../store/store.ts'
import type { Thread } from '../store/thread.ts'
import type { Applied } from './changes.ts'
import type { StoreState } from './file.ts'
import { startFiller } from './filler.ts'
import type { Opened, OpenInput, PageInput, WriterCalls } from './writer-thread.ts'

/** What following tells the index of its progress. */
export interface Follower {
  /** The list of an empty or outdated index begins. */
  filling(): void
  seen(storeRevision: number): void
  applied(applied: Applied): void
  /** The index now holds everything up to `revision`. `keys`: what changed, null for too much to say. */
  reached(revision: number, keys: readonly string[] | null): void
  /** The file was damaged and has been replaced by an empty one. */
  replaced(): Promise<void>
  /** Something outside stands in the way (the store is away, the disk is full); it is tried again. */
  troubled(error: unknown): void
}

const pageEntries = 100
/**
 * What may wait in memory for the writer, and what it may have in memory until it commits: a thousand albums that have
 * changed are to be one commit.
 */
const pendingChanges = 2_500
const pendingBytes = 2_097_152
/** An idle index notes its revision in its file this seldom: it costs only a little reading at the next start. */
const unnotedRevisions = 1_000
/** A step of the writer: a bounded piece of work, but on a slow disk. */
const stepDeadline = 300_000
/** The last step of filling takes about half as long as all others together. */
const finishDeadline = 3_600_000
/** From this size on (in bytes) a store is not listed into the index itself, but into a file beside it, and faster. */
const largeStore = 262_144
/** Bytes: where there is less, an index is filled by one thread, which takes a quarter of what several take. */
const memoryOfThreads = 1_610_612_736
const shortestPause = 50
const longestPause = 5_000

/** Opens the index's file for the store as it is now. */
export async function openWriter(
  store: Store,
  writer: Thread<WriterCalls>,
  file: Omit<OpenInput, 'store'>,
  signal?: AbortSignal,
): Promise<Opened> {
  const { id, revision } = await store.status(signal)
  return await writer.call('open', { ...file, store: { id, revision } }, { signal })
}

/**
 * Lists the store into the index, then watches it, until the signal is aborted. Whatever fails is tried again, from
 * what the file says of itself.
 */
export async function follow(
  store: Store,
  writer: Thread<WriterCalls>,
  file: Omit<OpenInput, 'store'>,
  first: Opened,
  follower: Follower,
  signal: AbortSignal,
): Promise<void> {
  const { prefixes } = first
  let opened: Opened | undefined = first.compared ? first : undefined
  let stale = !first.filled
  let wait = shortestPause
  while (!signal.aborted) {
    try {
      opened ??= await open()
      stale ||= !opened.filled
      const revision: number = stale ? await fill() : opened.revision
      stale = false
      await watch(revision)
    } catch (error) {
      if (signal.aborted) return
      opened = undefined
      stale = isCoded(error, 'COMPACTED')
      if (!stale) await recover(error)
    }
  }

  async function open(): Promise<Opened> {
    const now = await openWriter(store, writer, file, signal)
    if (now.replaced) await follower.replaced()
    return now
  }

  /** Damage is thrown away; anything else is waited for, longer each time. */
  async function recover(error: unknown) {
    follower.troubled(error)
    if (isCoded(error, 'STORE_CORRUPT')) {
      await replace().catch((failure) => follower.troubled(failure))
    }
    await pause(wait, undefined, { signal }).catch(() => undefined)
    wait = Math.min(wait * 2, longestPause)
  }

  async function replace() {
    await writer.call('reset', {}, { signal })
    await follower.replaced()
  }

  /** Makes the index say what the store says; answers the revision as of which it does. */
  async function fill(): Promise<number> {
    follower.filling()
    const { id, revision: newest, bytes } = await store.status(signal)
    const beside = opened?.filled === false && bytes > largeStore
    // A change that comes between two pages is found by watching from the first one.
    const revision = beside ? await fillBeside({ id, revision: newest }, bytes) : await fillInPlace(newest)
    follower.reached(revision, null)
    return revision
  }

  async function fillInPlace(revision: number): Promise<number> {
    for await (const page of pages()) {
      follower.applied(await writer.call('page', page, { signal, deadline: stepDeadline }))
    }
    await writer.call('filled', { revision }, { signal, deadline: stepDeadline })
    return revision
  }

  /**
   * With a thread for each core; when that fails (a fact moved while it was listed), by one that can do with that. A fact
   * with which a projection fails half-way is passed over in place only, where little has to be begun anew for it.
   */
  async function fillBeside(of: StoreState, bytes: number): Promise<number> {
    const threads = process.availableMemory() < memoryOfThreads ? 1 : availableParallelism()
    for (const parts of threads === 1 ? [1] : [threads, 1]) {
      try {
        return await fillInParts(of, bytes, parts)
      } catch (error) {
        signal.throwIfAborted()
        const isRefused = isCoded(error, 'FACT_DAMAGED')
        if (parts === 1 && !isRefused) throw error
        follower.troubled(error)
        if (isRefused) break
      }
    }
    return await fillInPlace(of.revision)
  }

  async function fillInParts(of: StoreState, bytes: number, parts: number): Promise<number> {
    using filler = startFiller()
    const within = (deadline: number) => AbortSignal.any([signal, AbortSignal.timeout(deadline)])
    await filler.call('begin', { ...file, store: of, bytes, parts }, within(stepDeadline))
    for await (const { entries } of pages()) {
      follower.applied(await filler.call('take', { entries }, within(stepDeadline)))
    }
    follower.applied(await filler.call('finish', { revision: of.revision }, within(finishDeadline)))
    await writer.call('adopt', { revision: of.revision }, { signal, deadline: stepDeadline })
    await follower.replaced()
    return of.revision
  }

  /** Everything that the projections want; the next page is read while the caller works on this one. */
  async function* pages(): AsyncGenerator<PageInput> {
    for (const prefix of prefixes) {
      let after: string | undefined
      let next: Promise<Page> | undefined = list(prefix, undefined)
      while (next !== undefined) {
        const page: Page = await next
        const through: string | undefined = page.more ? page.entries.at(-1)?.key : undefined
        next = through === undefined ? undefined : list(prefix, through)
        // Its failure is met at the top of the loop; meanwhile it must not count as unhandled.
        next?.catch(() => undefined)
        yield { prefix, after, through, entries: page.entries }
        after = through
      }
    }
  }

  async function list(prefix: string, after: string | undefined): Promise<Page> {
    const options = after === undefined ? { limit: pageEntries } : { after, limit: pageEntries }
    const page = await store.list(prefix, options, signal)
    follower.seen(page.revision)
    return page
  }

  /** Applies the changes as they come; while the writer works on some, the next ones gather, but not without bound. */
  async function watch(revision: number): Promise<void> {
    const failed = new AbortController()
    const either = AbortSignal.any([signal, failed.signal])
    let pending: Batch[] = []
    let changes = 0
    let size = 0
    let noted = revision
    let reached = revision
    let writing: Promise<void> | undefined

    const write = async () => {
      while (pending.length > 0) {
        const batches = pending
        pending = []
        changes = 0
        size = 0
        await step(batches)
      }
      writing = undefined
    }

    const step = async (batches: readonly Batch[]) => {
      const last = batches.at(-1)?.revision ?? reached
      const changed = batches.filter((batch) => batch.changes.length > 0)
      if (changed.length > 0 || last - noted >= unnotedRevisions) {
        const input = { batches: changed.length > 0 ? changed : batches.slice(-1), revision: last }
        follower.applied(await writer.call('batches', input, { signal, deadline: stepDeadline }))
        noted = last
      }
      reached = last
      wait = shortestPause
      follower.reached(
        last,
        changed.flatMap((batch) => batch.changes.map((change) => change.key)),
      )
    }

    try {
      for await (const batch of store.watch('', revision, either)) {
        follower.seen(batch.revision)
        const wanted = batch.changes.filter((change) => isWanted(change.key))
        pending.push({ revision: batch.revision, changes: wanted })
        changes += 1 + wanted.length
        size += wanted.reduce((sum, change) => sum + (change.value?.length ?? 0), 0)
        writing ??= write().catch((error) => failed.abort(error))
        if (changes >= pendingChanges || size >= pendingBytes) await writing
      }
    } finally {
      await writing
    }
  }

  function isWanted(key: string): boolean {
    return prefixes.some((prefix) => key.startsWith(prefix))
  }
}
