import { isIP } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Registry } from '../../registry/registry.ts'
import type { Identity } from '../../registry/trust/identity.ts'
import { noteRoles } from '../../registry/trust/membership.ts'
import type { Store } from '../../store/store.ts'
import type { Config } from '../config.ts'

export interface FoundParts {
  readonly config: Pick<Config, 'name' | 'roles'>
  readonly identity: Identity
  readonly store: Store
  readonly registry: Registry
  readonly log: Logger
}

/** How long the store may take to note what a node is, and how long until it is tried again; in milliseconds. */
const describeMs = 5_000
/** As many addresses as a hint on the network has room for. */
const mostAddresses = 8

/** Has the member fact say which roles this node has now; while the store is away, later. Ends with the signal. */
export async function keepRolesNoted(
  { config, identity, store, log }: FoundParts,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(describeMs)])
    try {
      return await noteRoles(store, identity.id, config.roles, soon)
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error }, 'the member fact waits for the store')
    }
    await pause(describeMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/**
 * Lets machines on the same network find this node at these addresses, until disposed of; null where it is reached on
 * this machine only and has nobody to be found by.
 */
export async function advertiseNode(
  { config, identity, registry, log }: FoundParts,
  host: string,
  addresses: readonly string[],
): Promise<AsyncDisposable | null> {
  if (isLoopback(host)) return null
  const { advertise } = await import('../../registry/discovery/discovery.ts')
  const hint = () => {
    const name = registry.member(identity.id)?.name ?? config.name
    const { cluster, id: node } = identity
    return { cluster, node, name, addresses: addresses.slice(0, mostAddresses) }
  }
  const onError = (error: unknown) => log.info({ err: error }, 'others may not find this node by themselves')
  return await advertise(hint, onError, isIP(host) === 4 ? { interface: host } : {})
}

const isLoopback = (host: string) => /^(127\.|localhost$|::1$)/.test(host)
