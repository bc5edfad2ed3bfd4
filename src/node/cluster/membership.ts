import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { adoptDeviceKey } from '../../accounts/device-key.ts'
import { CodedError } from '../../protocol/errors.ts'
import { resolveAddresses } from '../../registry/discovery/addresses.ts'
import { type Identity, readIdentity, wasRemoved } from '../../registry/trust/identity.ts'
import { join as joinByLine } from '../../registry/trust/join.ts'
import type { Members } from '../../store/etcd/connection.ts'
import type { Tls } from '../../store/etcd/endpoint.ts'
import type { Config } from '../config.ts'

/** Who this data folder is in a cluster; null where it stands alone, or has not finished becoming one. */
export async function readMembership(data: string): Promise<Identity | null> {
  const identity = await readIdentity(data)
  return identity === null || identity.store.length === 0 ? null : identity
}

/** Makes of an empty data folder a node of the cluster whose line it was given. Errors: those of `join`. */
export async function joinCluster(config: Config, line: string, signal: AbortSignal): Promise<Identity> {
  const secrets = join(config.data, 'secrets')
  if (wasRemoved(config.data)) throw new CodedError('NODE_REMOVED', config.data)
  const member = await readMembership(config.data)
  if (member !== null) {
    // A join that was cut off may have come no further than the identity.
    adoptDeviceKey(secrets, member.secret)
    return member
  }
  // What it has of its own would be out of reach: accounts and music of two machines are not made one.
  if (existsSync(join(config.data, 'store.db'))) throw new CodedError('JOIN_NOT_EMPTY', config.data)
  await requireAddress(config)
  const identity = await joinByLine({ line, data: config.data, node: describe(config) }, signal)
  adoptDeviceKey(secrets, identity.secret)
  return identity
}

/** How this node describes itself to those that it joins. */
export function describe(config: Config) {
  const { name, zone = name, roles } = config
  return { name, zone, roles: [...roles], capacityBytes: null, hosts: [...hostsOf(config)] }
}

/**
 * Where a managed store is, and what proves us to it; where others run it, `external` does. Their addresses begin with
 * `etcd:`, or with `etcds:` where they speak TLS.
 */
export function storeMembers({ store, certificate, key, authorities }: Identity, external?: Tls): Members {
  if (isManaged({ store })) return { endpoints: store, tls: { ca: authorities.join(''), certificate, key } }
  return { endpoints: store.map((endpoint) => endpoint.replace(/^etcd/, 'http')), tls: external }
}

/** Whether Hocket runs its etcd itself: then it speaks by the cluster's certificates. */
export function isManaged({ store }: Pick<Identity, 'store'>): boolean {
  return store.every((endpoint) => endpoint.startsWith('https:'))
}

/** Where the other nodes reach this one. */
export function hostsOf({ address }: Pick<Config, 'address'>): readonly [string, ...string[]] {
  if (address !== undefined) return [address]
  const [first, ...rest] = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map((each) => each.address)
  if (first === undefined) throw new CodedError('SETTING_INVALID', '--address: this machine is on no network')
  return [first, ...rest]
}

/**
 * Throws SETTING_INVALID where the address given for this node is none, or a name that nobody knows: etcd and the other
 * nodes would look for it in vain, and the trouble would show far from its cause.
 */
export async function requireAddress({ address }: Pick<Config, 'address'>): Promise<void> {
  if (address === undefined) return
  try {
    await resolveAddresses([withPort(address, 1)])
  } catch (cause) {
    const detail = `--address: in this network, nobody knows ${address}`
    throw new CodedError('SETTING_INVALID', detail, { cause })
  }
}

/** `host:port`, an IPv6 address in brackets. */
export function withPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
