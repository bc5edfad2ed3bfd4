import { setTimeout as sleep } from 'node:timers/promises'

export interface Patience {
  /** What is waited for, for the message when it does not come. */
  readonly what: string
  /** Milliseconds; 60 s unless told. */
  readonly deadline?: number
  readonly signal?: AbortSignal
}

/**
 * Asks `condition` again and again until it answers something, and answers that. Fails at the deadline with what was
 * waited for and the last error. A condition that throws has not come true yet.
 */
export async function waitFor<Value>(
  condition: () => Value | Promise<Value>,
  { what, deadline = 60_000, signal }: Patience,
): Promise<NonNullable<Exclude<Value, false>>> {
  const end = performance.now() + deadline
  let cause: unknown
  while (performance.now() < end) {
    signal?.throwIfAborted()
    try {
      const value = await condition()
      if (isSomething(value)) return value
    } catch (error) {
      cause = error
    }
    await sleep(25)
  }
  throw new Error(`Waited ${deadline / 1_000} s in vain for ${what}`, { cause })
}

function isSomething<Value>(value: Value): value is NonNullable<Exclude<Value, false>> {
  return value !== undefined && value !== null && value !== false
}
