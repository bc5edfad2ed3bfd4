import { CodedError } from '../protocol/errors.ts'
import { createThread, type Thread } from '../store/thread.ts'
import type { Question, ReaderCalls } from './reader-thread.ts'

/** Runs questions in the reader thread, one after another, in the order in which they came. */
export interface QuestionQueue {
  ask(question: Question, signal?: AbortSignal): Promise<unknown>
  /** Ends the thread; the next question starts a new one (on a new file, it may be). */
  restart(): Promise<void>
}

const deadline = 10_000
/** More waiting questions than this are refused: they would only be answered when nobody wants them any more. */
const mostWaiting = 1_000

/**
 * The thread starts with the first question. A question whose asker has gone before its turn is never run. One that
 * takes longer than ten seconds rejects with TIMED_OUT and its thread is given up for a new one, since SQLite cannot
 * be interrupted from outside.
 */
export function createQuestionQueue(path: string): QuestionQueue {
  const waiting: (() => Promise<void>)[] = []
  let thread = createReaderThread(path)
  let busy = false

  async function work() {
    if (busy) return
    busy = true
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next()
    busy = false
  }

  async function giveUp() {
    const former = thread
    thread = createReaderThread(path)
    await former.end()
  }

  return {
    ask(question, signal) {
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
        const turn = async () => {
          try {
            resolve(await thread.call('run', question, { deadline }))
          } catch (error) {
            // The thread is not waited for: it ends when SQLite answers it.
            if (error instanceof CodedError && error.code === 'TIMED_OUT') void giveUp()
            reject(error)
          } finally {
            signal?.removeEventListener('abort', aborted)
          }
        }
        signal?.addEventListener('abort', aborted, { once: true })
        waiting.push(turn)
        void work()
      })
    },
    restart: giveUp,
  }
}

function createReaderThread(path: string): Thread<ReaderCalls> {
  return createThread({
    url: new URL('./reader-thread.ts', import.meta.url),
    name: 'index reader',
    data: path,
    heap: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 24 },
  })
}
