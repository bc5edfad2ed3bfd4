import { createPasswords, type Passwords } from '../../accounts/password.ts'
import { throttled } from '../../accounts/throttle.ts'
import { hashAnswer, verifyAnswer } from '../../protocol/api/peers.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { Calls } from '../../registry/calls.ts'
import type { Turns } from './turns.ts'

/** A comparison takes a tenth of a second, and many may wait before it. Milliseconds. */
const deadlineMs = 15_000
/** What somebody is told who comes while all nodes are at work, in seconds. */
const busySeconds = 2

/** Passwords on a node without the role `accounts`: nodes that have it hash and compare (law S2). */
export function createPasswordsElsewhere(calls: Pick<Calls, 'ask'>, turns: Turns): Passwords {
  const { isOutdated } = createPasswords()

  async function busyIsThrottled<Value>(asked: Promise<Value>): Promise<Value> {
    try {
      return await asked
    } catch (error) {
      throw isCoded(error, 'TOO_MANY_REQUESTS') ? throttled(busySeconds) : error
    }
  }

  return {
    isOutdated,
    async hash(password) {
      const request = {
        method: 'POST',
        path: '/passwords/hash',
        json: { password },
        repeatable: true,
      } as const
      const { hash } = await busyIsThrottled(
        turns.ask('accounts', {
          at: (node, signal) => calls.ask(node, request, hashAnswer, { deadlineMs, signal }),
        }),
      )
      return hash
    },
    async verify(password, hash) {
      const json = { password, hash }
      const request = { method: 'POST', path: '/passwords/verify', json, repeatable: true } as const
      const { matches } = await busyIsThrottled(
        turns.ask('accounts', {
          at: (node, signal) => calls.ask(node, request, verifyAnswer, { deadlineMs, signal }),
        }),
      )
      return matches
    },
  }
}
