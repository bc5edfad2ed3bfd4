import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { CodedError } from '../../protocol/errors.ts'
import { largestPicture } from '../../protocol/facts/sizes.ts'
import { frameParts, readFrames } from '../child/frames.ts'
import { type Child, startLimited } from '../child/limited.ts'
import type { PictureJob } from './worker/job.ts'

/** A child process that decodes and resizes pictures, started when it is needed and ended when it is idle (law S1). */
export interface PictureWorker extends AsyncDisposable {
  /** The picture made. Throws COVER_UNREADABLE, or the signal's reason. */
  make(request: PictureRequest, body: Uint8Array, signal: AbortSignal): Promise<Buffer>
}

/** A job as its asker knows it. */
export type PictureRequest = WithoutId<PictureJob>
type WithoutId<J> = J extends PictureJob ? Omit<J, 'id'> : never

interface Task {
  readonly request: PictureRequest
  readonly body: Uint8Array
  readonly resolve: (picture: Buffer) => void
  readonly reject: (reason: unknown) => void
  /** It was at work when a worker died: it is tried once more, alone. */
  suspect: boolean
}

const memoryBytes = 1_024 * 1_024 * 1_024
const cpuSeconds = 30 * 60
/** The worker itself gives up after 10 seconds; one that does not answer in this time is stuck. */
const stuckMs = 20_000
const idleMs = 30_000

const replyHeader = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), id: z.int() }),
  z.object({ ok: z.literal(false), id: z.int(), detail: z.string().max(500) }),
])

export function createPictureWorker(): PictureWorker {
  const waiting: Task[] = []
  const atWork = new Map<number, Task>()
  let lastId = 0
  let child: Child | null = null
  let ended: Promise<void> = Promise.resolve()
  let closed = false
  const kill = (): void => void child?.kill('SIGKILL')
  let progressAt = performance.now()
  const watch = setInterval(() => {
    const since = performance.now() - progressAt
    if (atWork.size > 0 && since > stuckMs) kill()
    if (atWork.size === 0 && since > idleMs) dismiss()
  }, 5_000).unref()

  /** An idle worker ends by itself when its input does. */
  function dismiss(): void {
    child?.stdin.end()
    child = null
  }

  function begin(): Child {
    const started = startLimited(new URL('./worker/main.ts', import.meta.url), { memoryBytes, cpuSeconds })
    started.stderr.resume()
    child = started
    ended = listen(started)
    return started
  }

  async function listen(to: Child): Promise<void> {
    try {
      for await (const { header, body } of readFrames(to.stdout, largestPicture)) {
        const reply = replyHeader.parse(JSON.parse(header))
        const task = atWork.get(reply.id)
        progressAt = performance.now()
        atWork.delete(reply.id)
        if (reply.ok) task?.resolve(body)
        else task?.reject(new CodedError('COVER_UNREADABLE', reply.detail))
        next()
      }
    } catch {
      // What it says makes no sense: it is ended like one that has died.
    }
    to.kill('SIGKILL')
    if (child !== to) return
    child = null
    bury()
  }

  /** The worker has died: what it worked on is tried once more, one by one, and given up where it dies again. */
  function bury(): void {
    for (const task of atWork.values()) {
      if (task.suspect || closed)
        task.reject(new CodedError('COVER_UNREADABLE', 'reading it ended the process'))
      else waiting.unshift(Object.assign(task, { suspect: true }))
    }
    atWork.clear()
    next()
  }

  function next(): void {
    while (waiting.length > 0 && !closed) {
      const alone = waiting[0]?.suspect === true || atWork.values().some((task) => task.suspect)
      if (atWork.size >= (alone ? 1 : availableParallelism())) return
      const task = waiting.shift()
      if (task !== undefined) give(task)
    }
  }

  function give(task: Task): void {
    lastId += 1
    progressAt = performance.now()
    atWork.set(lastId, task)
    const to = child ?? begin()
    for (const part of frameParts({ ...task.request, id: lastId }, task.body)) to.stdin.write(part)
  }

  return {
    make(request, body, signal) {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
      const task: Task = { request, body, resolve, reject, suspect: false }
      const leave = (): void => {
        const index = waiting.indexOf(task)
        if (index >= 0) waiting.splice(index, 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      waiting.push(task)
      next()
      return promise.finally(() => signal.removeEventListener('abort', leave))
    },
    async [Symbol.asyncDispose]() {
      closed = true
      clearInterval(watch)
      for (const task of waiting.splice(0))
        task.reject(new CodedError('UNREACHABLE', 'the server is stopping'))
      kill()
      await ended
    },
  }
}
