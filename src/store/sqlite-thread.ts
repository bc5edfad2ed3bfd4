import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type Changes, openTables, type Tables } from './sqlite-tables.ts'
import type { Entry, ListOptions, Outcome, Page, Transaction } from './store.ts'
import { type Answer, carry, type Post, type Request } from './thread.ts'
import { tidyWhenIdle } from './tidy.ts'

/**
 * The store's own thread. Its one idea is the group commit: everything that waits when it wakes is carried out in one
 * SQLite transaction with one fsync, and answered after that (law F1). Reads of the same wakening come after the
 * commit, so that nobody reads what may yet be lost.
 */
export type StoreCalls = {
  get(input: { key: string }): Entry | null
  list(input: { prefix: string; options: ListOptions }): Page
  changes(input: { prefix: string; revision: number }): Changes
  commit(input: Transaction): Outcome
  grant(input: { ttl: number }): string
  renew(input: { lease: string }): boolean
  revoke(input: { lease: string }): void
  compact(input: { revision: number }): void
  status(input: Record<never, never>): { id: string; revision: number; bytes: number }
  close(input: Record<never, never>): void
}

type StoreRequest = Request<StoreCalls>
type StoreAnswer = ReturnType<StoreCalls[Exclude<keyof StoreCalls, 'commit'>]>
type CommitRequest = Extract<StoreRequest, { name: 'commit' }>

/** The revision that the store has reached. */
export type StoreNotice = number

/**
 * How many revisions of history are kept. A follower reads some thousand revisions a second, so this is for pauses
 * and slow moments, not for days: who was away for longer lists again, which costs it seconds. A revision that
 * replaces a full album part costs about 16 kB of history, so the whole stays below some 160 MB in the worst case.
 */
const keptRevisions = 10_000
const compactEvery = 1_000
/** A group is bounded, so that one fsync never waits for more than a few milliseconds of work. */
const groupSize = 512

if (parentPort !== null) serve(parentPort, workerData)

function serve(port: NonNullable<typeof parentPort>, path: string) {
  let tables: Tables | undefined
  let announced = 0
  let sweeping = false
  const leases = new Map<string, { ttl: number; endsAt: number }>()
  let expiry: NodeJS.Timeout | undefined

  tidyWhenIdle(port)
  port.on('message', (first: StoreRequest) => {
    const requests = [first]
    while (requests.length < groupSize) {
      const next = receiveMessageOnPort(port)
      if (next === undefined) break
      requests.push(next.message)
    }
    answer(requests)
  })

  function answer(requests: readonly StoreRequest[]) {
    const commits = requests.filter((request) => request.name === 'commit')
    const others = requests.filter((request) => request.name !== 'commit')
    const answers = commitAll(commits)
    for (const request of others) {
      try {
        answers.push({ call: request.call, value: carryOut(request) })
      } catch (error) {
        answers.push({ call: request.call, error: carry(error) })
      }
    }
    post(answers)
    // A flood leaves no turn of the loop in between: each group then sweeps as much as it may have superseded.
    if (sweeping) sweepSome()
    compactNowAndThen()
  }

  function commitAll(requests: readonly CommitRequest[]): Answer[] {
    if (requests.length === 0) return []
    let outcomes: readonly (Outcome | Error)[]
    try {
      outcomes = opened().commit(requests.map((request) => request.input))
    } catch (error) {
      return requests.map(({ call }) => ({ call, error: carry(error) }))
    }
    return requests.map(({ call }, number) => {
      const outcome = outcomes[number]
      return outcome instanceof Error ? { call, error: carry(outcome) } : { call, value: outcome }
    })
  }

  function post(answers: Answer[]) {
    const revision = tables?.revision ?? 0
    const message: Post = revision > announced ? { answers, notice: revision } : { answers }
    announced = Math.max(announced, revision)
    port.postMessage(message)
  }

  /** Opened by the first call that needs it; what stands in the way is that call's error, and tried again. */
  function opened(): Tables {
    if (tables === undefined) {
      tables = openTables(path)
      // A restart renews every lease: nobody could renew one meanwhile, and the clock may have jumped.
      for (const { id, ttl } of tables.leases()) leases.set(id, { ttl, endsAt: endOfLease(ttl) })
      watchLeases()
    }
    return tables
  }

  function carryOut(request: Exclude<StoreRequest, CommitRequest>): StoreAnswer {
    switch (request.name) {
      case 'get':
        return opened().get(request.input.key)
      case 'list':
        return opened().list(request.input.prefix, request.input.options)
      case 'changes':
        return opened().changes(request.input.prefix, request.input.revision)
      case 'grant':
        return grant(request.input.ttl)
      case 'renew':
        return renew(request.input.lease)
      case 'revoke':
        opened().revoke(request.input.lease)
        leases.delete(request.input.lease)
        return
      case 'compact':
        opened().compact(request.input.revision)
        sweep()
        return
      case 'status':
        return { id: opened().id, revision: opened().revision, bytes: opened().bytes() }
      case 'close':
        clearTimeout(expiry)
        tables?.close()
        tables = undefined
        return
    }
  }

  function grant(ttl: number) {
    const id = opened().grant(ttl)
    leases.set(id, { ttl, endsAt: endOfLease(ttl) })
    watchLeases()
    return id
  }

  function renew(lease: string) {
    opened()
    const known = leases.get(lease)
    if (known === undefined) return false
    known.endsAt = endOfLease(known.ttl)
    return true
  }

  /** Sleeps until the next lease may end. A lease that was renewed meanwhile is simply looked at again. */
  function watchLeases() {
    clearTimeout(expiry)
    const next = Math.min(...[...leases.values()].map((lease) => lease.endsAt))
    if (next === Number.POSITIVE_INFINITY) return
    expiry = setTimeout(
      () => {
        endLeases()
        watchLeases()
      },
      Math.max(1, next - performance.now()),
    )
  }

  function endLeases() {
    for (const [id, { endsAt }] of leases) {
      if (endsAt > performance.now()) continue
      try {
        opened().revoke(id)
        leases.delete(id)
      } catch {
        // The disk is full or fails: tried again in a second, and whoever writes hears of it meanwhile.
        leases.set(id, { ttl: 1, endsAt: performance.now() + 1_000 })
      }
    }
    post([])
  }

  function compactNowAndThen() {
    if (tables === undefined || tables.revision - tables.compacted < keptRevisions + compactEvery) return
    try {
      tables.compact(tables.revision - keptRevisions)
    } catch {
      return // No room to note it: the next write tries again.
    }
    sweep()
  }

  /** Drops old values in small steps between the requests. */
  function sweep() {
    if (sweeping) return
    sweeping = true
    setImmediate(() => {
      sweeping = false
      if (sweepSome()) sweep()
    })
  }

  /** Whether there was anything to sweep. */
  function sweepSome(): boolean {
    try {
      return tables?.sweep() === true
    } catch {
      return false // Without room to delete in, the old values stay until the next compaction.
    }
  }
}

/** In the clock that never jumps. */
const endOfLease = (ttl: number) => performance.now() + ttl * 1_000
