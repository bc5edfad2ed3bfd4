import { type ResourceLimits, Worker } from 'node:worker_threads'
import { CodedError, type ErrorCode, errorCodes } from '../protocol/errors.ts'

/**
 * A worker thread of ours: calls to it are typed by the functions that it offers, have a deadline and an AbortSignal,
 * and their errors keep their code on the way. It starts with the first call; if it dies (out of memory, a fault), the
 * calls that waited are rejected and the next call starts it anew.
 */
export interface Thread<Calls extends Callable> {
  /**
   * Rejects with the thread's error, the signal's reason, TIMED_OUT after `deadline` milliseconds (30 seconds where
   * none is given), or UNREACHABLE if the thread has died or was ended. After an abort or a deadline nobody knows
   * whether the call was carried out.
   */
  call<Name extends keyof Calls & string>(
    name: Name,
    input: Parameters<Calls[Name]>[0],
    limits?: CallLimits,
  ): Promise<ReturnType<Calls[Name]>>
  /** Ends the thread for good; what still waits is rejected. */
  end(): Promise<void>
}

export interface CallLimits {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. */
  readonly deadline?: number
}

/** One argument a function: an object, so that every call names what it gives. */
export type Callable = { readonly [name: string]: (input: never) => unknown }

/** What reaches a thread: a union over its calls, so that a `switch` over the name knows the input. */
export type Request<Calls extends Callable> = {
  [Name in keyof Calls & string]: {
    readonly call: number
    readonly name: Name
    readonly input: Parameters<Calls[Name]>[0]
  }
}[keyof Calls & string]

/** What a thread posts: any number of answers, and at most one notice for whoever started it. */
export interface Post {
  readonly answers: readonly Answer[]
  readonly notice?: unknown
}

export type Answer =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: CarriedError }

export interface CarriedError {
  readonly code: string | undefined
  readonly detail: string | undefined
  readonly message: string
  readonly stack: string | undefined
}

export interface ThreadOptions<Notice> {
  readonly url: URL
  readonly name: string
  /** Reaches the thread as `workerData`. */
  readonly data?: unknown
  /** The thread's own heap is small on purpose: what it holds is in SQLite. */
  readonly heap: ResourceLimits
  readonly notice?: (notice: Notice) => void
  /** The thread died by itself. */
  readonly died?: (error: Error) => void
}

const defaultDeadline = 30_000

export function createThread<Calls extends Callable, Notice = never>(
  options: ThreadOptions<Notice>,
): Thread<Calls> {
  const waiting = new Map<number, (answer: Answer) => void>()
  let calls = 0
  let worker: Worker | undefined
  let ended = false

  function start(): Worker {
    const started = new Worker(options.url, {
      name: options.name,
      workerData: options.data,
      resourceLimits: options.heap,
    })
    let cause: unknown
    started.on('message', (post: Post & { notice?: Notice }) => {
      if (post.notice !== undefined) options.notice?.(post.notice)
      for (const answer of post.answers) waiting.get(answer.call)?.(answer)
    })
    started.on('error', (error) => {
      cause = error
    })
    started.on('exit', () => leave(cause))
    return started
  }

  function leave(cause: unknown) {
    worker = undefined
    const error = new CodedError('UNREACHABLE', `the ${options.name} thread has ended`, { cause })
    for (const [call, answer] of [...waiting]) answer({ call, error: carry(error) })
    if (!ended) options.died?.(error)
  }

  function send<Name extends keyof Calls & string>(
    name: Name,
    input: Parameters<Calls[Name]>[0],
    { signal, deadline = defaultDeadline }: CallLimits,
  ): Promise<ReturnType<Calls[Name]>> {
    return new Promise((resolve, reject) => {
      if (ended) return reject(new CodedError('UNREACHABLE', `the ${options.name} thread has been ended`))
      if (signal?.aborted) return reject(signal.reason)
      calls += 1
      const call = calls
      const forget = () => {
        waiting.delete(call)
        clearTimeout(timer)
        signal?.removeEventListener('abort', aborted)
      }
      const aborted = () => {
        forget()
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        forget()
        reject(new CodedError('TIMED_OUT', `${options.name}: ${name}`))
      }, deadline)
      signal?.addEventListener('abort', aborted)
      waiting.set(call, (answer) => {
        forget()
        if (isValue<ReturnType<Calls[Name]>>(answer)) resolve(answer.value)
        else if ('error' in answer) reject(revive(answer.error))
      })
      worker ??= start()
      worker.postMessage({ call, name, input })
    })
  }

  return {
    call: (name, input, limits = {}) => send(name, input, limits),
    async end() {
      ended = true
      await worker?.terminate()
    },
  }
}

/** Both ends of a thread are ours and share the type `Calls`: that, and no check, vouches for the type of the value. */
export function isValue<Value>(answer: Answer): answer is { call: number; value: Value } {
  return 'value' in answer
}

/** An error in the form in which it crosses between threads. */
export function carry(error: unknown): CarriedError {
  if (error instanceof CodedError) {
    return { code: error.code, detail: error.detail, message: error.message, stack: error.stack }
  }
  if (error instanceof Error) {
    return { code: undefined, detail: undefined, message: error.message, stack: error.stack }
  }
  return { code: undefined, detail: undefined, message: String(error), stack: undefined }
}

/** The error that was carried, with the stack of where it arose. */
export function revive(carried: CarriedError): Error {
  const error = isCode(carried.code)
    ? new CodedError(carried.code, carried.detail)
    : new Error(carried.message)
  if (carried.stack !== undefined) error.stack = carried.stack
  return error
}

function isCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(errorCodes, code)
}
