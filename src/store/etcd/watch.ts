import { setTimeout as pause } from 'node:timers/promises'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { Batch, Change } from '../store.ts'
import type { Connection } from './connection.ts'
import { failureOf } from './failures.ts'
import type { Keys } from './keys.ts'
import { range, readRange, readWatch, type WatchAnswer, watch as watchRequest } from './messages.ts'
import { methods } from './methods.ts'

const shortestPause = 50
const longestPause = 2_000

/**
 * Everything after `revision` below `prefix`, over as many streams from as many members as it takes. Throws what does
 * not go away by waiting: COMPACTED, STORE_REFUSED, and UNREACHABLE once the store has been closed.
 */
export async function* watchRange(
  connection: Connection,
  keys: Keys,
  prefix: string,
  revision: number,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  let reached = revision
  let cluster: string | undefined
  let wait = shortestPause
  for (;;) {
    try {
      cluster = await refuseAnother(connection, keys, cluster, reached, signal)
      for await (const batch of watchOnce(connection, keys, prefix, reached, signal)) {
        reached = batch.revision
        wait = shortestPause
        yield batch
        signal.throwIfAborted()
      }
    } catch (error) {
      signal.throwIfAborted()
      const passes = isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')
      if (connection.closed || !passes) throw error
    }
    // A signal of ours, so that the reason is the caller's and not the timer's.
    await pause(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined)
    signal.throwIfAborted()
    wait = Math.min(wait * 2, longestPause)
  }
}

async function* watchOnce(
  connection: Connection,
  keys: Keys,
  prefix: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  // It begins with `after` itself, which is then passed over: etcd lets a watch begin with the very revision that was
  // compacted, of which the deletions are lost.
  const request = watchRequest({ from: keys.full(prefix), to: keys.end(prefix) }, Math.max(1, after))
  let reached = after
  /** The changes of the last revision, of which more may follow in the next fragment. */
  let pending: { revision: number; changes: Change[] } | undefined
  for await (const bytes of connection.stream(methods.watch, request, signal)) {
    const answer = readWatch(bytes)
    if (answer.canceled) throw ended(answer)
    for (const event of answer.events) {
      if (event.revision <= reached) continue
      if (pending !== undefined && pending.revision !== event.revision) {
        yield pending
        reached = pending.revision
        pending = undefined
      }
      pending ??= { revision: event.revision, changes: [] }
      pending.changes.push(keys.change(event))
    }
    if (answer.fragment) continue
    // etcd parts a revision between fragments only.
    if (pending !== undefined) {
      yield pending
      reached = pending.revision
      pending = undefined
    }
    // An answer without events says that everything up to its revision has been sent.
    const { revision } = answer.header
    if (!answer.created && answer.events.length === 0 && revision > reached) {
      reached = revision
      yield { revision, changes: [] }
    }
  }
}

/**
 * The id of the cluster that answers. Where that is another than before, or one that was set back to an older state,
 * its revisions mean something else than those that were read: COMPACTED, so that whoever follows lists again.
 */
async function refuseAnother(
  connection: Connection,
  keys: Keys,
  known: string | undefined,
  reached: number,
  signal: AbortSignal,
): Promise<string> {
  const request = range({ from: keys.identity })
  const { bytes } = await connection.call(methods.range, request, { signal, repeatable: true })
  const { cluster, revision } = readRange(bytes).header
  if (revision < reached || (known !== undefined && known !== cluster)) {
    throw new CodedError('COMPACTED', 'the store has been replaced or restored from a backup')
  }
  return cluster
}

function ended({ compacted, reason }: WatchAnswer): CodedError {
  if (compacted > 0) return new CodedError('COMPACTED', `up to revision ${compacted}`)
  return failureOf(new Error(reason === '' ? 'the watch has been ended' : reason), 'a member').error
}
