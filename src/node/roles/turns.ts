import { CodedError, type ErrorCode, isCoded } from '../../protocol/errors.ts'
import type { Role } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Calls } from '../../registry/calls.ts'
import type { LiveNode } from '../../registry/registry.ts'

/** Asks the nodes of a role for what any of them can answer, and what does no harm when two of them do it. */
export interface Turns {
  /**
   * The least busy node is asked first. One that is silent for two seconds is not given up, but the next is asked as
   * well, and the first answer counts; whatever else has been begun is aborted. What a node refuses because it is dead
   * or busy, another is asked. Throws the first such refusal where none is left, any other at once, and ROLE_AWAY where
   * no live node has the role.
   */
  ask<Result>(role: Role, question: Question<Result>): Promise<Result>
}

export interface Question<Result> {
  /** One attempt. Its signal is aborted when another was faster, and lasts as long as the result where it was not. */
  readonly at: (node: Id, signal: AbortSignal) => Promise<Result>
  /** Lets go of an answer that came after another one. */
  readonly discard?: (result: Result) => void
  /** Nodes that answer with less effort than others, best first: they are asked before all others unless busy. */
  readonly preferred?: readonly Id[]
  readonly signal?: AbortSignal | undefined
}

/** How long a node may be silent before the next one is asked as well, in milliseconds. */
const silenceMs = 2_000
/** Nodes that are asked for one thing, at most. */
const mostAsked = 4
/** From this load on, a node that has the bytes is no better than one that has to fetch them. */
const busyLoad = 0.85

/** What says something of the node, not of the question. */
const ofTheNode: ReadonlySet<ErrorCode> = new Set([
  'UNREACHABLE',
  'TIMED_OUT',
  'TOO_MANY_REQUESTS',
  'TRANSCODER_BUSY',
  'ROLE_ELSEWHERE',
  'NOT_READY',
  'DISK_FULL',
  'INTERNAL',
])

export function createTurns(
  calls: Pick<Calls, 'candidates' | 'isAvoided'>,
  self: Id,
  patienceMs: number = silenceMs,
): Turns {
  function inOrder(role: Role, preferred: readonly Id[]): Id[] {
    const candidates = calls.candidates(role).filter(({ id }) => id !== self)
    const isBest = ({ id, load, state }: LiveNode) =>
      preferred.includes(id) && load < busyLoad && state === 'active' && !calls.isAvoided(id)
    const best = candidates.filter(isBest).map(({ id }) => id)
    return [...new Set([...preferred.filter((id) => best.includes(id)), ...candidates.map(({ id }) => id)])]
  }

  return {
    async ask(role, question) {
      const { preferred = [], signal } = question
      signal?.throwIfAborted()
      const nodes = inOrder(role, preferred).slice(0, mostAsked)
      if (nodes.length === 0) throw new CodedError('ROLE_AWAY', role)
      return await firstAnswer(nodes, question, patienceMs)
    },
  }
}

function firstAnswer<Result>(
  nodes: Id[],
  { at, discard, signal }: Question<Result>,
  patienceMs: number,
): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>()
  const attempts = new Set<AbortController>()
  let timer: NodeJS.Timeout | undefined
  let failure: unknown
  let isOver = false

  /** Ends all attempts but the one whose answer counts. */
  function end(winner?: AbortController): void {
    isOver = true
    clearTimeout(timer)
    for (const attempt of attempts) if (attempt !== winner) attempt.abort(new Error('another was faster'))
  }

  function next(): void {
    clearTimeout(timer)
    const node = nodes.shift()
    if (node === undefined) return
    const attempt = new AbortController()
    attempts.add(attempt)
    timer = setTimeout(next, patienceMs)
    const either = signal === undefined ? attempt.signal : AbortSignal.any([signal, attempt.signal])
    at(node, either).then(
      (result) => {
        if (isOver) return discard?.(result)
        end(attempt)
        resolve(result)
      },
      (error: unknown) => {
        attempts.delete(attempt)
        if (isOver) return
        failure ??= error
        const isFinal = signal?.aborted === true || !isCoded(error) || !ofTheNode.has(error.code)
        if (!isFinal && nodes.length > 0) return next()
        if (!isFinal && attempts.size > 0) return
        end()
        reject(signal?.aborted === true ? signal.reason : isFinal ? error : failure)
      },
    )
  }

  next()
  return promise
}
