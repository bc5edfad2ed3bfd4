import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError } from '../../protocol/errors.ts'
import { type Child, startLimited } from '../child/limited.ts'
import { createSlots } from './slots.ts'
import { exitCodes, type Job, jobLine } from './worker/job.ts'

/** Child processes that probe and encode: one job each, as many at once as there are cores (law S1). */
export interface MediaWorkers extends AsyncDisposable {
  /**
   * Runs the job; yields what the worker writes. Throws MEDIA_UNREADABLE, TRANSCODER_CRASHED or TRANSCODER_BUSY, or the
   * signal's reason; whichever way the iteration ends, the worker is gone when it has.
   */
  run(job: WorkerJob, signal: AbortSignal): AsyncIterable<Uint8Array>
  status(): { running: number; waiting: number }
}

/** A job whose path may be bytes that are not UTF-8. */
export type WorkerJob = WithPath<Job>
type WithPath<J> = J extends Job ? Omit<J, 'path'> & { readonly path: string | Buffer } : never

/** A worker's code and data come to about 120 MiB; the rest is for what it decodes. */
const memoryBytes = 1_024 * 1_024 * 1_024
/** Of processor time: a day of audio takes about 15 minutes. */
const cpuSeconds = 30 * 60
/** A worker that has written nothing for this long while we were reading is stuck. */
const stallMs = 20_000
/** A spare worker is kept ready for this long after the last job. */
const spareMs = 120_000

export function createMediaWorkers(): MediaWorkers {
  const slots = createSlots({ places: availableParallelism(), queue: 64, patienceMs: 30_000 })
  const closing = new AbortController()
  const ends = new Set<Promise<void>>()
  let spare: Child | null = null

  const start = (): Child => {
    const child = startLimited(new URL('./worker/main.ts', import.meta.url), { memoryBytes, cpuSeconds })
    const end = new Promise<void>((resolve) =>
      child.once('exit', () => resolve()).once('error', () => resolve()),
    )
    ends.add(end)
    end.then(() => {
      ends.delete(end)
      if (spare === child) spare = null
    })
    return child
  }
  const dismissSpare = (): void => {
    spare?.kill('SIGKILL')
    spare = null
  }
  const spareTimer = setTimeout(dismissSpare, spareMs).unref()
  /** Makes ready for the next job, while people are listening. */
  const keepSpare = (): void => {
    if (closing.signal.aborted) return
    spare ??= start()
    spareTimer.refresh()
  }
  const hire = (): Child => {
    const child = spare ?? start()
    spare = null
    return child
  }

  async function* run(job: WorkerJob, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const stop = AbortSignal.any([signal, closing.signal])
    using _place = await slots.take(stop)
    await using reachable = await asText(job.path)
    const child = hire()
    const kill = (): void => void child.kill('SIGKILL')
    stop.addEventListener('abort', kill, { once: true })
    try {
      child.stdin.end(jobLine({ ...job, path: reachable.path }))
      for await (const chunk of output(child)) {
        keepSpare()
        yield chunk
      }
      stop.throwIfAborted()
      await judge(child)
    } catch (error) {
      throw stop.aborted ? stop.reason : error
    } finally {
      kill()
      child.stdout.destroy()
      stop.removeEventListener('abort', kill)
    }
  }

  return {
    run,
    status: slots.status,
    async [Symbol.asyncDispose]() {
      closing.abort(new CodedError('UNREACHABLE', 'the server is stopping'))
      clearTimeout(spareTimer)
      dismissSpare()
      await Promise.all(ends)
    },
  }
}

/** What the worker writes, as it comes. While we wait for it, and only then, it must not take for ever. */
async function* output(child: Child): AsyncGenerator<Uint8Array> {
  let stalled = false
  const chunks = child.stdout[Symbol.asyncIterator]()
  for (;;) {
    const watch = setTimeout(() => {
      stalled = true
      child.kill('SIGKILL')
    }, stallMs)
    const step = await chunks.next().finally(() => clearTimeout(watch))
    if (stalled) throw new CodedError('TRANSCODER_CRASHED', `it did nothing for ${stallMs / 1_000} seconds`)
    if (step.done === true) return
    yield step.value
  }
}

/** Waits for the worker's end and throws what it means. */
async function judge(child: Child): Promise<void> {
  let words = ''
  for await (const chunk of child.stderr) if (words.length < 2_000) words += String(chunk)
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve))
  }
  if (child.exitCode === exitCodes.done) return
  if (child.exitCode === exitCodes.unreadable) throw new CodedError('MEDIA_UNREADABLE', words.slice(0, 500))
  throw new CodedError(
    'TRANSCODER_CRASHED',
    `it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`,
    {
      cause: words,
    },
  )
}

/** FFmpeg takes names as text: a file whose name is not UTF-8 is reached through a link with a plain name. */
async function asText(path: string | Buffer): Promise<AsyncDisposable & { path: string }> {
  if (typeof path === 'string') return { path, [Symbol.asyncDispose]: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'hocket-link-'))
  const link = join(folder, 'file')
  await symlink(path, link)
  return { path: link, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
