import type { FileHandle } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { Pace } from './blobs.ts'
import type { Digest } from './digest.ts'
import type { FromWorker, ToWorker } from './digest-worker.ts'

/**
 * Reads files whole on a thread of its own, so that hashing never keeps the main thread from serving audio. The thread
 * is started by the first file and ends when there was none for ten seconds.
 */
export interface Digester extends AsyncDisposable {
  /** The digest of the file's bytes as they are now. The caller keeps the handle open until this settles. */
  digest(handle: FileHandle, pace?: Pace): Promise<Digest>
}

const idleMs = 10_000

export function createDigester(): Digester {
  const waiting = new Map<number, PromiseWithResolvers<FromWorker>>()
  let worker: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let lastId = 0

  function start(): Worker {
    const started = new Worker(new URL('./digest-worker.ts', import.meta.url), {
      name: 'digest',
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 1 },
    })
    started.on('message', (answer: FromWorker) => waiting.get(answer.id)?.resolve(answer))
    started.on('error', (error: Error) => stop(started, error))
    started.on('exit', () => stop(started, new Error('the hashing thread ended')))
    return started
  }

  function stop(stopped: Worker, reason: Error): void {
    if (worker !== stopped) return
    worker = undefined
    for (const { reject } of waiting.values()) reject(reason)
  }

  function rest(): void {
    clearTimeout(idle)
    if (waiting.size > 0) return
    idle = setTimeout(() => {
      const resting = worker
      worker = undefined
      void resting?.terminate()
    }, idleMs).unref()
    worker?.unref()
  }

  return {
    async digest(handle, { bytesPerSecond = Number.POSITIVE_INFINITY, signal } = {}) {
      signal?.throwIfAborted()
      clearTimeout(idle)
      worker ??= start()
      worker.ref()
      const using = worker
      const id = ++lastId
      const pending = Promise.withResolvers<FromWorker>()
      waiting.set(id, pending)
      const cancel = () => using.postMessage({ cancel: id } satisfies ToWorker)
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        using.postMessage({ job: { id, fd: handle.fd, bytesPerSecond } } satisfies ToWorker)
        const { digest, error } = await pending.promise
        if (error) throw error
        if (digest) return digest
        signal?.throwIfAborted()
        throw new Error('the hashing was cancelled')
      } finally {
        signal?.removeEventListener('abort', cancel)
        waiting.delete(id)
        rest()
      }
    },

    async [Symbol.asyncDispose]() {
      clearTimeout(idle)
      await worker?.terminate()
    },
  }
}
