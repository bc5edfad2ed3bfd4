import type { JoinAnswer, JoinRequest, NewNode } from '../../protocol/api/peers.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Member, MemberCertificate } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { type Fact, join, type Operation, transact } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { authorities, authorityId, joinTokens, members } from '../facts.ts'
import { ensureAuthority, type OpenAuthority, readAuthority } from './authority.ts'
import type { Signed } from './certificates.ts'
import { type Draft, type Identity, readDraft, readIdentity, writeDraft, writeIdentity } from './identity.ts'
import { type Maker, withMaker } from './maker.ts'
import { checkToken } from './tokens.ts'

/** How long a node's certificate holds. It is renewed when two thirds are over. */
const certificateDays = 90

/** What a node of the cluster brings to let another one in. */
export interface Host {
  readonly store: Store
  /** The cluster's secret, in base64. */
  readonly secret: string
  /** Where the store is reached, for the new node. */
  readonly storeEndpoints: () => readonly string[]
}

/**
 * Lets a node in that has a join token: signs its certificate, and in one transaction notes the member and that the
 * token is used, so that of two who come with one token one gets in. JOIN_TOKEN_UNKNOWN, _EXPIRED, _USED;
 * NODE_DUPLICATE where a node of that id belongs already.
 */
export async function admit(host: Host, asked: JoinRequest, signal?: AbortSignal): Promise<JoinAnswer> {
  const { store, secret, storeEndpoints } = host
  const authority = await readAuthority(store, secret, signal)
  // Who knows no token is refused before a certificate is made for it.
  await checkToken(store, asked.secret, { node: asked.id, key: null }, signal)
  const signed = await withMaker((maker) => signFor(maker, authority, asked, signal))
  const by = { node: asked.id, key: signed.keyFingerprint }
  await transact(
    store,
    async () => {
      const token = await checkToken(store, asked.secret, by, signal)
      const known = await members.get(store, asked.id, signal)
      const operation = join(
        joinTokens.replace(token.id, token.revision, { ...token.value, usedBy: { ...by, at: Date.now() } }),
        enrol(known, asked, signed, token.value.usedBy !== null),
        // One that has been replaced meanwhile lets nobody in any more.
        authorities.expect(authorityId, authority.revision),
      )
      return { operation, value: undefined }
    },
    signal,
  )
  const { cluster, trusted } = authority
  return {
    cluster,
    certificate: signed.certificate,
    authorities: [...trusted],
    secret,
    store: [...storeEndpoints()],
  }
}

/**
 * Makes of this store a cluster with one node, which is this data folder; answers what it is where that was done
 * already. It may be killed at any moment and called again. `secret` is that of the cluster to be.
 */
export async function found(
  {
    store,
    data,
    secret,
    node,
  }: {
    readonly store: Store
    readonly data: string
    /** 32 bytes in base64. */
    readonly secret: string
    readonly node: Omit<NewNode, 'id'>
  },
  signal?: AbortSignal,
): Promise<Identity> {
  const existing = await readIdentity(data)
  if (existing !== null) return existing
  return await withMaker(async (maker) => {
    const draft = await draftIn(data, maker, signal)
    const authority = await ensureAuthority(store, maker, secret, crypto.randomUUID(), signal)
    const request = await maker.call('renewRequest', { node: draft.id, key: draft.key }, { signal })
    const self = { ...node, id: draft.id }
    const signed = await signFor(maker, authority, { ...self, request }, signal)
    await transact(
      store,
      async () => {
        const known = await members.get(store, draft.id, signal)
        return { operation: enrol(known, self, signed, true), value: undefined }
      },
      signal,
    )
    const identity: Identity = {
      ...draft,
      cluster: authority.cluster,
      certificate: signed.certificate,
      authorities: [...authority.trusted],
      secret,
      store: [],
    }
    await writeIdentity(data, identity)
    return identity
  })
}

/** Who this data folder is going to be: as an interrupted attempt left it, or new. */
export async function draftIn(data: string, maker: Maker, signal?: AbortSignal): Promise<Draft> {
  const begun = await readDraft(data)
  if (begun !== null) return begun
  const id = crypto.randomUUID()
  const { key } = await maker.call('request', { node: id }, { signal })
  const draft = { id, key }
  await writeDraft(data, draft)
  return draft
}

/** A certificate for a node whose request this is. */
export async function signFor(
  maker: Maker,
  authority: OpenAuthority,
  asked: { readonly id: Id; readonly hosts: readonly string[]; readonly request: string },
  signal?: AbortSignal,
): Promise<Signed> {
  return await maker.call(
    'sign',
    {
      authority: { certificate: authority.certificate, key: authority.key },
      cluster: authority.cluster,
      node: asked.id,
      hosts: asked.hosts,
      request: asked.request,
      now: Date.now(),
      days: certificateDays,
    },
    { signal },
  )
}

/** `resumed`: the same node, with the same key, has come as far as this before. */
function enrol(
  known: Fact<Member> | null,
  { id, name, zone, roles, capacityBytes }: Omit<NewNode, 'hosts'>,
  signed: Signed,
  resumed: boolean,
): Operation {
  const fresh: Member = {
    id,
    name,
    zone,
    roles: [...roles],
    capacityBytes,
    state: 'active',
    joinedAt: Date.now(),
    certificates: [certificateOf(signed)],
  }
  if (known === null) return members.create(id, fresh)
  if (known.value.state === 'removed') throw new CodedError('NODE_REMOVED')
  const lapsed = valid(known.value.certificates).length === 0
  // A member that was away until its certificates had expired comes in anew under its id, by a new token.
  if (!resumed && !lapsed) throw new CodedError('NODE_DUPLICATE', `node ${id} belongs to the cluster already`)
  const { joinedAt, state } = known.value
  return members.replace(id, known.revision, {
    ...fresh,
    joinedAt,
    state,
    certificates: withCertificate(known.value, signed),
  })
}

/** The certificates of a member with a new one, without those that have expired. */
export function withCertificate(member: Member, signed: Signed): MemberCertificate[] {
  return [...valid(member.certificates), certificateOf(signed)].slice(-50)
}

function certificateOf({ serial, fingerprint, expiresAt }: Signed): MemberCertificate {
  return { serial, fingerprint, expiresAt }
}

function valid(certificates: readonly MemberCertificate[]): MemberCertificate[] {
  return certificates.filter((certificate) => certificate.expiresAt > Date.now())
}
