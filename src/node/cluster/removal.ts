import { setTimeout as pause } from 'node:timers/promises'
import { membershipPath } from '../../gateway/peers/membership.ts'
import { type CodedError, isCoded } from '../../protocol/errors.ts'
import type { Calls } from '../../registry/calls.ts'
import type { Registry } from '../../registry/registry.ts'

/** How often the others are asked while the store is silent, and how long one of them may take; in milliseconds. */
const askEveryMs = 5_000
const answerMs = 2_000

/**
 * A node that was off or cut off when it was removed hears nothing of it from etcd, which refuses it without a word. So
 * while its store is silent it asks the nodes that it knows; whoever is in touch with the store says NODE_REMOVED.
 * Resolves with that, or with null when the signal is aborted.
 */
export async function hearOfRemoval(
  {
    registry,
    calls,
  }: { registry: Pick<Registry, 'self' | 'nodes' | 'following'>; calls: Pick<Calls, 'open'> },
  signal: AbortSignal,
): Promise<CodedError | null> {
  while (!signal.aborted) {
    const others = registry.following ? [] : registry.nodes().filter(({ id }) => id !== registry.self)
    for (const { id } of others) {
      try {
        using _answer = await calls.open(
          id,
          { method: 'GET', path: membershipPath },
          { deadlineMs: answerMs, stallMs: answerMs, signal },
        )
      } catch (error) {
        if (isCoded(error, 'NODE_REMOVED')) return error
      }
    }
    await pause(askEveryMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
  return null
}
