import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { CodedError } from '../../protocol/errors.ts'
import { peerAddress } from '../../protocol/facts/cluster.ts'
import { splitAddress } from '../trust/join-line.ts'
import { answerBroadcasts, askByBroadcast } from './broadcast.ts'
import type { Found, Hint, Scope } from './hint.ts'
import { advertiseByMdns, askByMdns } from './mdns.ts'

/** How long the name service may take, in milliseconds. */
const lookupMs = 5_000

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

/**
 * The addresses behind a list of them, for networks with no discovery (containers): a host name stands for every
 * address that the name service gives for it, as that of a headless service does. A name that is not known is left out;
 * UNREACHABLE where nothing is left.
 */
export async function resolveAddresses(addresses: readonly string[]): Promise<string[]> {
  const resolved = await Promise.all(
    addresses.map(async (address) => {
      const { host, port } = splitAddress(peerAddress.parse(address))
      if (isIP(host) !== 0) return [address]
      const known = await within(lookupMs, lookup(host, { all: true }))
      return known.map(({ address: ip, family }) => (family === 6 ? `[${ip}]:${port}` : `${ip}:${port}`))
    }),
  )
  const all = [...new Set(resolved.flat())]
  if (all.length === 0)
    throw new CodedError('UNREACHABLE', `${addresses.join(', ')}: nobody knows these names`)
  return all
}

/** What the promise brings; nothing, where it fails or takes too long. */
async function within<Value>(ms: number, promise: Promise<Value[]>): Promise<Value[]> {
  const { promise: late, resolve } = Promise.withResolvers<Value[]>()
  const timer = setTimeout(() => resolve([]), ms)
  return await Promise.race([promise.catch(() => []), late]).finally(() => clearTimeout(timer))
}
