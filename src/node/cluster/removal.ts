import { setTimeout as pause } from 'node:timers/promises'
import { membershipPath } from '../../gateway/peers/membership.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Calls } from '../../registry/calls.ts'
import type { Registry } from '../../registry/registry.ts'
import { isOfAnotherAuthority } from '../../registry/trust/strangers.ts'

/** How often the others are asked while the store is silent, and how long one of them may take; in milliseconds. */
const askEveryMs = 5_000
const answerMs = 2_000

interface Asking {
  readonly registry: Pick<Registry, 'self' | 'nodes' | 'following'>
  readonly calls: Pick<Calls, 'open'>
  /**
   * Called once, when whoever answers proves itself by another authority: this node cannot be told what became of it by
   * anyone whom it believes, and a person must look.
   */
  readonly onStrangers: () => void
}

/**
 * A node that was off or cut off when it was removed hears nothing of it from etcd, which refuses it without a word. So
 * while its store is silent it asks the nodes that it knows; whoever is in touch with the store says NODE_REMOVED.
 * Resolves with that, or with null when the signal is aborted.
 */
export async function hearOfRemoval(asking: Asking, signal: AbortSignal): Promise<CodedError | null> {
  const { registry, calls, onStrangers } = asking
  let isTold = false
  while (!signal.aborted) {
    const others = registry.following ? [] : registry.nodes().filter(({ id }) => id !== registry.self)
    const answers = new Set<unknown>()
    for (const { id } of others) answers.add(await answerOf(calls, id, signal))
    for (const answer of answers) if (isCoded(answer, 'NODE_REMOVED')) return answer
    if (!isTold && answers.has('stranger') && !answers.has('known')) {
      isTold = true
      onStrangers()
    }
    await pause(askEveryMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
  return null
}

/** What a node says to our question, or what it seems to be. */
async function answerOf(
  calls: Pick<Calls, 'open'>,
  node: Id,
  signal: AbortSignal,
): Promise<CodedError | 'known' | 'stranger' | 'silent'> {
  try {
    // Whether it kept silent a moment ago matters to those who have others to ask.
    const limits = { deadlineMs: answerMs, stallMs: answerMs, insist: true, signal }
    using _answer = await calls.open(node, { method: 'GET', path: membershipPath }, limits)
    return 'known'
  } catch (error) {
    if (!(error instanceof CodedError)) return 'silent'
    if (isOfAnotherAuthority(error.cause)) return 'stranger'
    return error.code === 'UNREACHABLE' ? 'silent' : error
  }
}
