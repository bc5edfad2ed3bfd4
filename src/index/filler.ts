import { fork } from 'node:child_process'
import { CodedError } from '../protocol/errors.ts'
import { type Answer, isValue, revive } from '../store/thread.ts'
import type { FillCalls } from './fill-process.ts'

/** A process that fills an index; one call at a time. It ends with its disposal, and with this process. */
export interface Filler extends Disposable {
  /** Rejects with the process's error, the signal's reason, or UNREACHABLE where the process has died. */
  call<Name extends keyof FillCalls>(
    name: Name,
    input: Parameters<FillCalls[Name]>[0],
    signal: AbortSignal,
  ): Promise<ReturnType<FillCalls[Name]>>
}

export function startFiller(): Filler {
  const child = fork(new URL('./fill-process.ts', import.meta.url), {
    // It makes very many short-lived objects; the rest of its memory is SQLite's. Its threads have all cores to
    // themselves, so that others that help to collect garbage would only stand in their way.
    execArgv: ['--single-threaded-gc', '--max-semi-space-size=16', '--max-old-space-size=512'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const ended = new Promise<never>((_resolve, reject) => {
    const died = (cause: unknown) =>
      reject(new CodedError('UNREACHABLE', 'the process that fills the index has ended', { cause }))
    child.once('error', died)
    child.once('exit', (code, signal) => died(new Error(`it ended with ${signal ?? code}`)))
  })
  ended.catch(() => undefined)
  let calls = 0

  return {
    async call(name, input, signal) {
      const answered = Promise.withResolvers<Answer>()
      const stop = () => answered.reject(signal.reason)
      signal.throwIfAborted()
      signal.addEventListener('abort', stop)
      child.once('message', answered.resolve)
      try {
        calls += 1
        child.send({ call: calls, name, input })
        const answer = await Promise.race([answered.promise, ended])
        if (isValue<ReturnType<FillCalls[typeof name]>>(answer)) return answer.value
        throw 'error' in answer ? revive(answer.error) : new Error('the answer says nothing')
      } finally {
        signal.removeEventListener('abort', stop)
      }
    },
    [Symbol.dispose]() {
      child.kill('SIGKILL')
    },
  }
}
