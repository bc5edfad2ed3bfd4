import { CodedError, isCoded } from '../protocol/errors.ts'
import { createThread, type Thread } from '../store/thread.ts'
import type { Question, ReaderCalls } from './reader-thread.ts'

/** Runs questions in a reader thread, in the order in which they came; in a second one where that is worth one. */
export interface QuestionQueue {
  ask(question: Question, options?: AskOptions): Promise<unknown>
  /** Ends the threads; the next question starts a new one (on a new file, it may be). */
  restart(): Promise<void>
}

export interface AskOptions {
  /** The question is one of two that together are long: it calls the second thread, which has its code by then. */
  readonly isHalf?: boolean
  readonly signal?: AbortSignal | undefined
}

const deadline = 10_000
/** More waiting questions than this are refused: they would only be answered when nobody wants them any more. */
const mostWaiting = 1_000
/** Most answers take some milliseconds. Who has waited for this many is behind one that takes long. */
const patienceMs = 250
/** The second thread goes when it had nothing to do for so long: it takes some 15 MB. */
const idleMs = 30_000

interface Waiting {
  readonly since: number
  readonly run: (thread: ReaderThread) => Promise<void>
}

/**
 * The first thread starts with the first question. A question whose asker has gone before its turn is never run. One
 * that takes longer than ten seconds rejects with TIMED_OUT and its thread is given up for a new one, since SQLite
 * cannot be interrupted from outside; meanwhile others are answered by the second thread.
 */
export function createQuestionQueue(path: string): QuestionQueue {
  const waiting: Waiting[] = []
  const first = createReaderThread(path)
  let second: ReaderThread | undefined
  let coming: ReaderThread | undefined
  let isWatched = false
  let leaving: NodeJS.Timeout | undefined

  function work(): void {
    void first.work(waiting)
    if (second !== undefined) void workAside(second)
    else if (waiting.length > 0 && !isWatched) lookIn(patienceMs)
  }

  /** Has the second thread come. It takes nothing before it has started and read its code: the first is sooner. */
  async function call(module: string): Promise<void> {
    if (second !== undefined || coming !== undefined) return
    const called = createReaderThread(path)
    coming = called
    await called.load(module).catch(() => undefined)
    if (coming !== called) return
    coming = undefined
    second = called
    void workAside(called)
  }

  function lookIn(ms: number): void {
    isWatched = true
    setTimeout(look, ms).unref()
  }

  /** Whether somebody has waited for too long. */
  function look(): void {
    isWatched = false
    const [oldest] = waiting
    if (oldest === undefined) return
    const left = oldest.since + patienceMs - performance.now()
    if (left > 0) {
      lookIn(left)
      return
    }
    second = coming ?? createReaderThread(path)
    coming = undefined
    void workAside(second)
  }

  async function workAside(thread: ReaderThread): Promise<void> {
    clearTimeout(leaving)
    await thread.work(waiting)
    if (second !== thread || thread.isBusy) return
    leaving = setTimeout(() => {
      second = undefined
      void thread.end()
    }, idleMs).unref()
  }

  return {
    ask(question, { isHalf = false, signal } = {}) {
      if (isHalf) void call(question.module)
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        if (waiting.length >= mostWaiting) {
          return reject(new CodedError('TIMED_OUT', 'too many questions are waiting for the index'))
        }
        const aborted = () => {
          const place = waiting.indexOf(turn)
          if (place >= 0) waiting.splice(place, 1)
          reject(signal?.reason)
        }
        const turn: Waiting = {
          since: performance.now(),
          run: async (thread) => {
            try {
              resolve(await thread.ask(question))
            } catch (error) {
              reject(error)
            } finally {
              signal?.removeEventListener('abort', aborted)
            }
          },
        }
        signal?.addEventListener('abort', aborted, { once: true })
        waiting.push(turn)
        work()
      })
    },
    async restart() {
      // Both go on with what waits: a thread that has been ended for good would refuse it.
      await Promise.all([first.renew(), (second ?? coming)?.renew()])
    },
  }
}

interface ReaderThread {
  readonly isBusy: boolean
  /** Takes what waits, one after another, until nothing does. */
  work(waiting: Waiting[]): Promise<void>
  ask(question: Question): Promise<unknown>
  /** Has it start, and import a module. */
  load(module: string): Promise<void>
  /** Ends the thread for a new one, which starts with the next question. */
  renew(): Promise<void>
  end(): Promise<void>
}

function createReaderThread(path: string): ReaderThread {
  let thread = startThread(path)
  let isBusy = false

  async function renew() {
    const former = thread
    thread = startThread(path)
    await former.end()
  }

  const reader: ReaderThread = {
    get isBusy() {
      return isBusy
    },
    async work(waiting) {
      if (isBusy) return
      isBusy = true
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next.run(reader)
      isBusy = false
    },
    async ask(question) {
      try {
        return await thread.call('run', question, { deadline })
      } catch (error) {
        // The thread is not waited for: it ends when SQLite answers it.
        if (isCoded(error, 'TIMED_OUT')) void renew()
        throw error
      }
    },
    load: (module) => thread.call('load', { module }, { deadline }),
    renew,
    end: () => thread.end(),
  }
  return reader
}

function startThread(path: string): Thread<ReaderCalls> {
  return createThread({
    url: new URL('./reader-thread.ts', import.meta.url),
    name: 'index reader',
    data: path,
    heap: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 24 },
  })
}
