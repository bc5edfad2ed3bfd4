import { CodedError } from '../protocol/errors.ts'
import type { Queue } from '../protocol/facts/listening.ts'
import { update } from '../store/collection.ts'
import type { ListeningOptions } from './create.ts'
import { queues } from './facts.ts'
import type { Listener, Listening, QueueView } from './listening.ts'

const empty: Queue = { tracks: [], positionMs: 0, changedAt: 0, changedBy: '' }

/** A queue is read from the store, not from the index: it is one fact, and a device that takes over wants the last. */
export function createQueues({ store, catalog }: ListeningOptions): Pick<Listening, 'queue' | 'saveQueue'> {
  async function view(listener: Listener, queue: Queue, signal?: AbortSignal): Promise<QueueView> {
    return { ...queue, items: await catalog.tracksByIds(listener, queue.tracks, signal) }
  }

  return {
    async queue(listener, signal) {
      const fact = await queues.get(store, listener.user, signal)
      return view(listener, fact?.value ?? empty, signal)
    },

    async saveQueue(listener, { basedOn, ...input }, client, signal) {
      if (input.current !== undefined && input.current >= input.tracks.length) {
        throw new CodedError('BAD_REQUEST', `current is ${input.current}, of ${input.tracks.length} tracks`)
      }
      const { value, revision } = await update(
        store,
        queues,
        listener.user,
        (before) => {
          const since = before?.changedAt ?? 0
          if (basedOn !== undefined && basedOn !== since) {
            throw new CodedError('CONFLICT', `the queue was changed by ${before?.changedBy}`)
          }
          // Two changes within a millisecond are told apart, since `basedOn` is compared with it.
          return { ...input, changedAt: Math.max(Date.now(), since + 1), changedBy: client.slice(0, 300) }
        },
        signal,
      )
      return { value: await view(listener, value ?? empty, signal), revision }
    },
  }
}
