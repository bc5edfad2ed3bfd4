import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { CodedError } from '../../protocol/errors.ts'
import { peerAddress } from '../../protocol/facts/cluster.ts'
import { splitAddress } from '../trust/address.ts'

/** How long the name service may take, in milliseconds. */
const lookupMs = 5_000

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
