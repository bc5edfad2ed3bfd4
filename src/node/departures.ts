import { setTimeout as pause } from 'node:timers/promises'
import { administrators, users } from '../accounts/collections.ts'
import { clearDeparted, type DepartedOptions } from '../listening/departed.ts'
import { disconnectDeparted } from '../outbox/departed.ts'
import { isCoded } from '../protocol/errors.ts'
import type { Store } from '../store/store.ts'

/** Before looking again where something failed, in milliseconds. */
const patienceMs = 60_000

/**
 * Clears away what removed users leave behind: at the start, and whenever one is removed. It goes by what is there, not
 * by what has happened, so a removal that no node lived to clear up after is seen to by the next start (N2). Ends with
 * the signal, whose reason it throws.
 */
export async function followDepartures(
  store: Store,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const options: DepartedOptions = {
    store,
    isUser: async (id) => (await users.get(store, id, signal)) !== null,
    // Whoever has administered for longest.
    heir: async () => (await administrators.get(store, '', signal))?.value.users[0] ?? null,
  }
  const clear = async () => {
    await clearDeparted(options, signal)
    await disconnectDeparted(store, options.isUser, signal)
  }
  for (;;) {
    try {
      const { revision } = await store.status(signal)
      await clear()
      for await (const { changes } of store.watch(users.prefix, revision, signal)) {
        if (changes.some(({ value }) => value === null)) await clear()
      }
    } catch (error) {
      signal.throwIfAborted()
      if (isCoded(error, 'COMPACTED')) continue
      onError(error)
      await pause(patienceMs, undefined, { signal, ref: false })
    }
  }
}
