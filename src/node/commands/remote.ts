import pino from 'pino'
import type { z } from 'zod'
import { problemDocument } from '../../protocol/api/problem.ts'
import { CodedError, type ErrorCode, errorCodes } from '../../protocol/errors.ts'
import { wasRemoved } from '../../registry/trust/identity.ts'
import { type Local, readLocal } from '../local.ts'
import type { Context } from './context.ts'

/** The node of this data folder, over HTTP, as its administrator. */
export interface Remote {
  /** Answers are parsed with the schema; a problem document is thrown as its CodedError. */
  ask<Schema extends z.ZodType>(path: string, schema: Schema, request?: Request): Promise<z.infer<Schema>>
  /** Bytes as they come. Rejects with TIMED_OUT where none come for a minute. */
  download(path: string): AsyncIterable<Uint8Array>
}

export interface Request {
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly body?: unknown
}

const answerMs = 30_000
const silenceMs = 60_000

/** Does `work` with the node that runs on this data folder. NOT_RUNNING where none does, NODE_REMOVED where none can. */
export async function withRunningNode<Result>(
  { config, signal }: Context,
  work: (remote: Remote) => Promise<Result>,
): Promise<Result> {
  const local = await readLocal(config.data)
  if (local === null)
    throw new CodedError(wasRemoved(config.data) ? 'NODE_REMOVED' : 'NOT_RUNNING', config.data)
  return work(remoteOf(local, signal))
}

/** Does `work` with the node that runs on this data folder or, where none does, with one that runs for so long. */
export async function withNode<Result>(
  context: Context,
  work: (remote: Remote) => Promise<Result>,
): Promise<Result> {
  const { config, signal } = context
  if ((await readLocal(config.data)) !== null) return withRunningNode(context, work)
  const { startNode } = await import('../node.ts')
  const alone = { ...config, music: [], host: '127.0.0.1', port: 0 }
  await using _node = await startNode(alone, pino({ level: 'silent' }), signal)
  return await withRunningNode(context, work)
}

function remoteOf({ address, token }: Local, signal: AbortSignal): Remote {
  const send = async (path: string, request: Request | undefined, deadline: AbortSignal) => {
    const response = await fetch(new URL(path, address), {
      method: request?.method ?? 'GET',
      headers: {
        authorization: `Bearer ${token}`,
        ...(request?.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(request?.body !== undefined && { body: JSON.stringify(request.body) }),
      signal: AbortSignal.any([signal, deadline]),
    }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw new CodedError(deadline.aborted ? 'TIMED_OUT' : 'UNREACHABLE', address, { cause: error })
    })
    if (!response.ok) throw await problemOf(response)
    return response
  }
  return {
    async ask(path, schema, request) {
      const response = await send(path, request, AbortSignal.timeout(answerMs))
      const answer = schema.safeParse(response.status === 204 ? undefined : await response.json())
      if (!answer.success) throw new CodedError('NODE_DIFFERS', address, { cause: answer.error })
      return answer.data
    },
    async *download(path) {
      const silence = new AbortController()
      const timer = setTimeout(() => silence.abort(new CodedError('TIMED_OUT', address)), silenceMs)
      try {
        const { body } = await send(path, { method: 'POST' }, silence.signal)
        for await (const bytes of body ?? []) {
          timer.refresh()
          yield bytes
        }
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

async function problemOf(response: Response): Promise<Error> {
  const problem = problemDocument.safeParse(await response.json().catch(() => undefined))
  if (problem.success && isErrorCode(problem.data.code)) {
    const { code, detail } = problem.data
    return new CodedError(code, detail)
  }
  return new CodedError('INTERNAL', `the node answered ${response.status}`)
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}
