import { setTimeout as pause } from 'node:timers/promises'
import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { transact } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { authorities, authorityId, members } from '../facts.ts'
import { mirror } from '../mirror.ts'
import { signFor, withCertificate } from './admission.ts'
import { readAuthority } from './authority.ts'
import { type Identity, namesHosts, validityOf, writeIdentity } from './identity.ts'
import { withMaker } from './maker.ts'
import { isIssuedBy } from './renewal.ts'

/**
 * This node's identity as it is now: the certificate is renewed in time, with a new key, and the authorities are those
 * that the cluster trusts.
 */
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

/** How often it is looked whether the certificate is due, and when again where it could not be renewed; in milliseconds. */
const lookEveryMs = 3_600_000
const lookAgainMs = 10_000

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

  let writing = Promise.resolve()
  async function keepIdentity(next: Identity): Promise<void> {
    identity = next
    // One after the other: they go through the same temporary file.
    const written = writing.then(() => writeIdentity(data, identity))
    writing = written.catch(() => undefined)
    await written
    for (const listener of [...listeners]) listener()
  }

  let changed = new AbortController()
  const trusted = mirror({
    store,
    collection: authorities,
    signal: ending.signal,
    onChange: () => changed.abort(),
    onError: () => undefined,
  })

  async function look(): Promise<void> {
    const now = trusted.facts.get(authorityId)?.certificates ?? identity.authorities
    if (now.join('') !== identity.authorities.join(''))
      await keepIdentity({ ...identity, authorities: [...now] })
    if (isDue(identity, hosts, Date.now())) await renew()
  }

  async function keep(): Promise<void> {
    while (!ending.signal.aborted) {
      changed = new AbortController()
      const failed = await look().then(
        () => false,
        (error: unknown) => {
          onError(error)
          return true
        },
      )
      const either = AbortSignal.any([ending.signal, changed.signal])
      const wait = failed ? lookAgainMs : lookEveryMs
      await pause(wait, undefined, { signal: either, ref: false }).catch(() => undefined)
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
      await Promise.all([keeping, trusted.ended])
    },
  }
}

/**
 * A certificate is due when two thirds of its life are over, when it lacks an address that the node has now, or when
 * another authority signs by now.
 */
export function isDue(identity: Identity, hosts: readonly string[], now: number): boolean {
  const { from, until } = validityOf(identity.certificate)
  const [signing = ''] = identity.authorities
  return (
    now > from + ((until - from) * 2) / 3 ||
    !namesHosts(identity.certificate, hosts) ||
    !isIssuedBy(identity.certificate, signing)
  )
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
