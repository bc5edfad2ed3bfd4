import { read } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { parentPort } from 'node:worker_threads'
import { createDigest, type Digest } from './digest.ts'

/** The thread of `digester.ts`: reads open files whole and answers with their digests. */

export interface Job {
  readonly id: number
  readonly fd: number
  readonly bytesPerSecond: number
}

export type ToWorker = { readonly job: Job } | { readonly cancel: number }

export interface FromWorker {
  readonly id: number
  /** Absent when the job was cancelled. */
  readonly digest?: Digest
  readonly error?: Error
}

const pieceBytes = 1024 * 1024
const readInto = promisify(read)
const cancelled = new Set<number>()

parentPort?.on('message', (message: ToWorker) => {
  if ('cancel' in message) cancelled.add(message.cancel)
  else void run(message.job)
})

async function run(job: Job): Promise<void> {
  const answer = await digestFile(job).catch((error: Error): FromWorker => ({ id: job.id, error }))
  cancelled.delete(job.id)
  parentPort?.postMessage(answer)
}

async function digestFile({ id, fd, bytesPerSecond }: Job): Promise<FromWorker> {
  const digest = createDigest()
  const began = performance.now()
  // A throttled reader takes smaller bites, so that the pauses between them are short and a cancel is seen soon.
  const buffer = Buffer.allocUnsafeSlow(Math.max(64 * 1024, Math.min(pieceBytes, bytesPerSecond / 8)))
  for (let position = 0; ; ) {
    if (cancelled.has(id)) return { id }
    const { bytesRead } = await readInto(fd, buffer, 0, buffer.length, position)
    if (bytesRead === 0) return { id, digest: digest.finish() }
    digest.update(buffer.subarray(0, bytesRead))
    position += bytesRead
    const ahead = (position / bytesPerSecond) * 1000 - (performance.now() - began)
    if (ahead > 1) await sleep(ahead)
  }
}
