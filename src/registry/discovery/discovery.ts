import { answerBroadcasts, askByBroadcast } from './broadcast.ts'
import type { Found, Hint, Scope } from './hint.ts'
import { advertiseByMdns, askByMdns } from './mdns.ts'

/**
 * Lets machines on the same network find this node, by mDNS and by broadcast, until disposed of. Where one of the two
 * does not work on this machine, that is told, and the other is used.
 */
export async function advertise(
  self: () => Hint,
  onError: (error: unknown) => void,
  scope: Scope = {},
): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack()
  for (const start of [advertiseByMdns, answerBroadcasts]) {
    try {
      stack.use(await start(self, scope, onError))
    } catch (error) {
      onError(error)
    }
  }
  return stack
}

/** The nodes that say that they are near, for as long as the signal lets us listen; each once. Nobody is believed. */
export async function discover(signal: AbortSignal, scope: Scope = {}): Promise<Found[]> {
  const found = new Map<string, Found>()
  const note = (via: Found['via']) => (hint: Hint) => {
    if (!found.has(hint.node)) found.set(hint.node, { ...hint, via })
  }
  // One that does not work here leaves the other; both end with the signal.
  await Promise.allSettled([
    askByMdns(scope, note('mdns'), signal),
    askByBroadcast(scope, note('broadcast'), signal),
  ])
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
