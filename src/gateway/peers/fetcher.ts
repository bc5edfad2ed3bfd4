import type { Fetch } from '../../blobs/copies/fetch.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Trust } from '../../registry/trust/trust.ts'
import { createThread, type Thread } from '../../store/thread.ts'
import type { FetchCalls } from './fetch-thread.ts'

/**
 * Fetches copies on a thread of its own, with a low priority where the system has one for threads: TLS, hashing and writing then
 * take what is left by those who serve listeners. The thread is started by the first copy, and ends when there was none
 * for half a minute.
 */
export interface Fetcher extends AsyncDisposable {
  readonly fetch: Fetch
}

export interface FetcherOptions {
  readonly registry: Pick<Registry, 'node' | 'member'>
  readonly trust: Pick<Trust, 'identity'>
  /** The thread died by itself; the next copy starts it anew. */
  readonly onError: (error: unknown) => void
}

const idleMs = 30_000
/** No time limits a large blob over a slow line; a node that owes a byte for too long is given up. In milliseconds. */
const deadline = 24 * 3_600_000

export function createFetcher({ registry, trust, onError }: FetcherOptions): Fetcher {
  let thread: Thread<FetchCalls> | null = null
  let idle: NodeJS.Timeout | undefined
  let active = 0
  let last = 0

  const start = () =>
    createThread<FetchCalls>({
      url: new URL('./fetch-thread.ts', import.meta.url),
      name: 'fetch',
      heap: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 6 },
      died: onError,
    })

  function rest(): void {
    active -= 1
    if (active > 0) return
    idle = setTimeout(() => {
      void thread?.end()
      thread = null
    }, idleMs).unref()
  }

  return {
    async fetch(blob, nodes, folder, signal) {
      signal.throwIfAborted()
      clearTimeout(idle)
      active += 1
      last += 1
      const number = last
      thread ??= start()
      const using = thread
      // It answers in any case, so that a file that it has just finished is not left behind.
      const cancel = () => void using.call('cancel', { number }).catch(() => undefined)
      signal.addEventListener('abort', cancel)
      try {
        const cluster = {
          identity: trust.identity,
          live: nodes.flatMap((node) => registry.node(node) ?? []),
          members: nodes.flatMap((node) => registry.member(node) ?? []),
        }
        return await using.call('fetch', { number, blob, nodes, folder, cluster }, { deadline })
      } catch (error) {
        signal.throwIfAborted()
        throw error
      } finally {
        signal.removeEventListener('abort', cancel)
        rest()
      }
    },

    async [Symbol.asyncDispose]() {
      clearTimeout(idle)
      await thread?.end()
    },
  }
}
