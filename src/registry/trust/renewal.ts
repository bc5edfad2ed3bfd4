import { hash, X509Certificate } from 'node:crypto'
import { CodedError } from '../../protocol/errors.ts'
import type { TrustReport } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { join, type Operation, transact, update } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { authorities, authorityId, members, nextAuthorityId, trustReports } from '../facts.ts'
import { encryptKey, openAuthority } from './authority.ts'
import type { Identity } from './identity.ts'
import { withMaker } from './maker.ts'

/**
 * The cluster's authority is replaced in three steps, and each begins when every node has reported that it is done with
 * the one before, its member of etcd included:
 * - `trusting`: a new authority is there, and trusted beside the old one, which still signs;
 * - `reissuing`: the new one signs, and every node gets a certificate of it;
 * - `forgetting`: the old one is trusted no more.
 * At each moment any two nodes trust each other's certificates. All of it is facts: whoever is killed, the operator too,
 * leaves nothing half done.
 */
export interface Renewal {
  readonly step: 'trusting' | 'reissuing' | 'forgetting'
  /** The nodes that have not reported yet. Who is off for good has to be removed before it goes on. */
  readonly waitingFor: readonly Id[]
}

type AuthorityOf = Awaited<ReturnType<typeof readFacts>>

/** Makes a new authority that is to replace the present one; nothing where one is being replaced already. NOT_FOUND. */
export async function beginRenewal(
  store: Store,
  secret: string,
  signal?: AbortSignal,
): Promise<{ readonly revision: number }> {
  const { revision } = await transact(
    store,
    async () => {
      const { current, next } = await readFacts(store, signal)
      const { value } = current
      // Whoever cannot read the old key could not go on either.
      openAuthority(value, secret)
      if (next !== null || value.certificates.length > 1)
        return { operation: authorities.expect(authorityId, current.revision), value: undefined }
      const { cluster } = value
      const made = await withMaker((maker) => maker.call('authority', { cluster, now: Date.now() }))
      const certificates = [...value.certificates, made.certificate]
      const encryptedKey = encryptKey(made.key, secret, cluster)
      const operation = join(
        authorities.replace(authorityId, current.revision, { ...value, certificates }),
        authorities.create(nextAuthorityId, { cluster, certificates: [made.certificate], encryptedKey }),
      )
      return { operation, value: undefined }
    },
    signal,
  )
  return { revision }
}

/** How far a renewal has come; null where none is under way. */
export async function readRenewal(store: Store, signal?: AbortSignal): Promise<Renewal | null> {
  return await compare(store, await readFacts(store, signal), signal)
}

/** What takes a renewal to its next step, and which that is; null where there is nothing to do, or nodes are waited for. */
export async function nextStep(
  store: Store,
  signal?: AbortSignal,
): Promise<{ readonly operation: Operation; readonly step: Renewal['step'] } | null> {
  const facts = await readFacts(store, signal)
  const { current, next } = facts
  const { certificates } = current.value
  if (next === null && certificates.length === 1) return null
  const renewal = await compare(store, facts, signal)
  if (renewal === null || renewal.waitingFor.length > 0) return null
  if (next === null) {
    const operation = authorities.replace(authorityId, current.revision, {
      ...current.value,
      certificates: certificates.slice(0, 1),
    })
    return { operation, step: 'forgetting' }
  }
  const { encryptedKey } = next.value
  const others = certificates.filter((each) => !next.value.certificates.includes(each))
  const operation = join(
    authorities.replace(authorityId, current.revision, {
      ...current.value,
      certificates: [...next.value.certificates, ...others],
      encryptedKey,
    }),
    authorities.remove(nextAuthorityId, next.revision),
  )
  return { operation, step: 'reissuing' }
}

/** Reports what this node, with all that it runs, trusts and shows by now. */
export async function reportTrust(
  store: Store,
  { id, authorities: trusted, certificate }: Pick<Identity, 'id' | 'authorities' | 'certificate'>,
  signal?: AbortSignal,
): Promise<void> {
  const issuer = trusted.find((authority) => isIssuedBy(certificate, authority))
  const report: TrustReport = {
    trusts: trusted.map(fingerprint),
    issuer: issuer === undefined ? null : fingerprint(issuer),
  }
  const same = JSON.stringify(report)
  await update(
    store,
    trustReports,
    id,
    (before) => (before !== null && JSON.stringify(before) === same ? before : report),
    signal,
  )
}

/** Whether this authority has signed the certificate, by the names on both. */
export function isIssuedBy(certificate: string, authority: string): boolean {
  return new X509Certificate(certificate).checkIssued(new X509Certificate(authority))
}

async function readFacts(store: Store, signal?: AbortSignal) {
  const current = await authorities.get(store, authorityId, signal)
  if (current === null) throw new CodedError('NOT_FOUND', 'this store belongs to no cluster')
  return { current, next: await authorities.get(store, nextAuthorityId, signal) }
}

async function compare(
  store: Store,
  { current, next }: AuthorityOf,
  signal?: AbortSignal,
): Promise<Renewal | null> {
  const trusted = current.value.certificates.map(fingerprint)
  const step = next !== null ? 'trusting' : trusted.length > 1 ? 'reissuing' : 'forgetting'
  const reports = new Map<Id, TrustReport>()
  for await (const { id, value } of trustReports.walk(store, {}, signal)) reports.set(id, value)
  const waitingFor: Id[] = []
  for await (const { id, value } of members.walk(store, {}, signal)) {
    if (value.state !== 'removed' && !isDone(step, trusted, reports.get(id))) waitingFor.push(id)
  }
  return step === 'forgetting' && waitingFor.length === 0 ? null : { step, waitingFor }
}

function isDone(step: Renewal['step'], trusted: readonly string[], report: TrustReport | undefined): boolean {
  // A node that has never reported is new, or of a version that cannot; it has nothing to forget.
  if (report === undefined) return step === 'forgetting'
  switch (step) {
    case 'trusting':
      return trusted.every((each) => report.trusts.includes(each))
    case 'reissuing':
      return report.issuer === trusted[0]
    case 'forgetting':
      return report.trusts.every((each) => trusted.includes(each))
  }
}

function fingerprint(certificate: string): string {
  return hash('sha256', new X509Certificate(certificate).raw)
}
