import { setTimeout as pause } from 'node:timers/promises'
import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { transact } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { members } from '../facts.ts'
import { signFor, withCertificate } from './admission.ts'
import { readAuthority } from './authority.ts'
import { type Identity, namesHosts, validityOf, writeIdentity } from './identity.ts'
import { withMaker } from './maker.ts'

/** This node's identity as it is now; the certificate is renewed in time, with a new key. */
export interface Trust extends AsyncDisposable {
  readonly identity: Identity
  /** Calls back when the identity has a new certificate, trusts other authorities, or finds the store elsewhere. Answers how to end that. */
  subscribe(listener: () => void): () => void
  /** Renews now, due or not. */
  renew(signal?: AbortSignal): Promise<void>
  /** Remembers where the store is reached, for the next start. */
  noteStore(endpoints: readonly string[]): Promise<void>
}

export interface TrustOptions {
  readonly data: string
  readonly identity: Identity
  readonly store: Store
  /** Host names and addresses under which the node is dialled. */
  readonly hosts: readonly string[]
  readonly onError: (error: unknown) => void
}

/** How often it is looked whether the certificate is due, in milliseconds. */
const lookEveryMs = 3_600_000

/** Keeps the certificate fresh until it is disposed of. */
export function keepTrust(options: TrustOptions): Trust {
  const { data, store, hosts, onError } = options
  const ending = new AbortController()
  const listeners = new Set<() => void>()
  let identity = options.identity

  async function renew(signal: AbortSignal = ending.signal): Promise<void> {
    const fresh = await renewed(store, identity, hosts, signal)
    await keepIdentity({ ...fresh, store: identity.store })
  }

  async function keepIdentity(next: Identity): Promise<void> {
    identity = next
    await writeIdentity(data, identity)
    for (const listener of [...listeners]) listener()
  }

  async function keep(): Promise<void> {
    while (!ending.signal.aborted) {
      if (isDue(identity, hosts, Date.now())) await renew().catch(onError)
      await pause(lookEveryMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined)
    }
  }
  const keeping = keep()

  return {
    get identity() {
      return identity
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    renew,
    noteStore: (endpoints) => keepIdentity({ ...identity, store: [...endpoints] }),
    async [Symbol.asyncDispose]() {
      ending.abort(new DOMException('the node ends', 'AbortError'))
      await keeping
    },
  }
}

/** A certificate is due when two thirds of its life are over, or when it lacks an address that the node has now. */
export function isDue(identity: Identity, hosts: readonly string[], now: number): boolean {
  const { from, until } = validityOf(identity.certificate)
  return now > from + ((until - from) * 2) / 3 || !namesHosts(identity.certificate, hosts)
}

/**
 * The identity with a new key and certificate, which its member fact knows before it is used. The old ones stay known
 * until they expire, for the connections and nodes that still meet them. NODE_REMOVED where it is no member any more.
 */
async function renewed(
  store: Store,
  identity: Identity,
  hosts: readonly string[],
  signal: AbortSignal,
): Promise<Identity> {
  const authority = await readAuthority(store, identity.secret, signal)
  const { key, signed } = await withMaker(async (maker) => {
    const made = await maker.call('request', { node: identity.id }, { signal })
    const asked = { id: identity.id, hosts, request: made.request }
    return { key: made.key, signed: await signFor(maker, authority, asked, signal) }
  })
  await transact(store, async () => ({ operation: await noted(identity.id), value: undefined }), signal)
  return { ...identity, key, certificate: signed.certificate, authorities: [...authority.trusted] }

  async function noted(node: Id) {
    const fact = await members.get(store, node, signal)
    if (fact === null || fact.value.state === 'removed') throw new CodedError('NODE_REMOVED')
    const certificates = withCertificate(fact.value, signed)
    return members.replace(node, fact.revision, { ...fact.value, certificates })
  }
}
