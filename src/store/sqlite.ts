import { CodedError } from '../protocol/errors.ts'
import { checkKey, checkTransaction } from './limits.ts'
import type { StoreCalls, StoreNotice } from './sqlite-thread.ts'
import type { Batch, Store } from './store.ts'
import { createThread } from './thread.ts'

export interface SqliteOptions {
  readonly signal?: AbortSignal
}

/**
 * The store of one machine: an SQLite file, written by a thread of its own, so that no fsync delays whoever calls.
 * The folder of `path` must exist. One process at a time: the caller holds the data folder's lock.
 *
 * Rejects with STORE_CORRUPT, STORE_NEWER (both have touched nothing), DISK_FULL, DISK_READ_ONLY or DISK_FAILED.
 * After DISK_FULL the store goes on by itself as soon as there is room.
 */
export async function openSqliteStore(path: string, options: SqliteOptions = {}): Promise<Store> {
  let latest = 0
  const advanced = new Set<() => void>()
  const wake = () => {
    for (const resume of [...advanced]) resume()
  }

  const thread = createThread<StoreCalls, StoreNotice>({
    url: new URL('./sqlite-thread.ts', import.meta.url),
    name: 'store',
    data: path,
    heap: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 6 },
    notice(revision) {
      latest = Math.max(latest, revision)
      wake()
    },
    // Whoever waits for changes asks again, and so starts the thread anew.
    died: wake,
  })

  try {
    latest = (await thread.call('status', {}, { signal: options.signal })).revision
  } catch (error) {
    await thread.end()
    throw error
  }

  /** Resolves when the store may have passed `revision`; rejects when the signal is aborted. */
  function passed(revision: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      if (latest > revision) return resolve()
      const forget = () => {
        advanced.delete(resume)
        signal.removeEventListener('abort', aborted)
      }
      const resume = () => {
        forget()
        resolve()
      }
      const aborted = () => {
        forget()
        reject(signal.reason)
      }
      advanced.add(resume)
      signal.addEventListener('abort', aborted)
    })
  }

  /**
   * The follower reads the table at its own pace, a bounded piece at a time; nothing is kept in memory for a slow one.
   */
  async function* watch(prefix: string, revision: number, signal: AbortSignal): AsyncGenerator<Batch> {
    let at = revision
    for (;;) {
      const { batches, revision: reached } = await thread.call(
        'changes',
        { prefix, revision: at },
        { signal },
      )
      for (const batch of batches) {
        yield batch
        signal.throwIfAborted()
      }
      if (reached > at && batches.at(-1)?.revision !== reached) yield { revision: reached, changes: [] }
      at = reached
      if (latest <= at) await passed(at, signal)
    }
  }

  return {
    async get(key, signal) {
      checkKey(key)
      return await thread.call('get', { key }, { signal })
    },
    list: (prefix, page = {}, signal) => thread.call('list', { prefix, options: page }, { signal }),
    watch,
    async commit(transaction, signal) {
      checkTransaction(transaction)
      return await thread.call('commit', transaction, { signal })
    },
    async grant(ttl, signal) {
      if (!(ttl > 0 && ttl <= 86_400)) {
        throw new CodedError('BAD_REQUEST', 'a lease lasts more than 0 and at most 86,400 seconds')
      }
      return await thread.call('grant', { ttl }, { signal })
    },
    renew: (lease, signal) => thread.call('renew', { lease }, { signal }),
    revoke: (lease, signal) => thread.call('revoke', { lease }, { signal }),
    compact: (revision, signal) => thread.call('compact', { revision }, { signal }),
    status: (signal) => thread.call('status', {}, { signal }),
    async [Symbol.asyncDispose]() {
      await thread.call('close', {}).catch(() => undefined)
      await thread.end()
    },
  }
}
