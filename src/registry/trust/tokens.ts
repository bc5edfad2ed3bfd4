import { hash, randomBytes } from 'node:crypto'
import { CodedError } from '../../protocol/errors.ts'
import type { JoinToken } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Fact } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { authorities, authorityId, joinTokens } from '../facts.ts'
import { formatJoinLine, pinOf } from './join-line.ts'

/** How long a join line holds, in milliseconds. */
const tokenLifeMs = 24 * 3_600_000
/** An expired token is kept for a while, so that who comes late hears that it has expired. */
const rememberedMs = 24 * 3_600_000

export interface Invitation {
  /** The whole join line; it is shown once and stored nowhere. */
  readonly line: string
  readonly expiresAt: number
}

/** Makes a join line for one node. `addresses` are those of nodes that it may ask, the most likely first. */
export async function invite(
  store: Store,
  addresses: readonly string[],
  signal?: AbortSignal,
): Promise<Invitation> {
  const fact = await authorities.get(store, authorityId, signal)
  const certificate = fact?.value.certificates[0]
  if (certificate === undefined) throw new CodedError('NOT_FOUND', 'this store belongs to no cluster')
  await forgetExpired(store, signal)
  const secret = randomBytes(32).toString('base64url')
  const now = Date.now()
  const token: JoinToken = { createdAt: now, expiresAt: now + tokenLifeMs, usedBy: null }
  await store.commit(joinTokens.create(hash('sha256', secret), token), signal)
  return {
    line: formatJoinLine({ addresses, authority: pinOf(certificate), secret }),
    expiresAt: token.expiresAt,
  }
}

/**
 * The token of a secret, if it may let in this node with this key (null: not known yet); JOIN_TOKEN_UNKNOWN, _EXPIRED
 * or _USED.
 */
export async function checkToken(
  store: Store,
  secret: string,
  by: { readonly node: Id; readonly key: string | null },
  signal?: AbortSignal,
): Promise<Fact<JoinToken>> {
  const fact = await joinTokens.get(store, hash('sha256', secret), signal)
  if (fact === null) throw new CodedError('JOIN_TOKEN_UNKNOWN')
  const { usedBy, expiresAt } = fact.value
  if (usedBy !== null && (usedBy.node !== by.node || usedBy.key !== (by.key ?? usedBy.key))) {
    throw new CodedError('JOIN_TOKEN_USED', `at ${new Date(usedBy.at).toISOString()}`)
  }
  if (Date.now() >= expiresAt) {
    throw new CodedError('JOIN_TOKEN_EXPIRED', `at ${new Date(expiresAt).toISOString()}`)
  }
  return fact
}

async function forgetExpired(store: Store, signal?: AbortSignal): Promise<void> {
  const before = Date.now() - rememberedMs
  for await (const { id, value, revision } of joinTokens.walk(store, { skip: () => undefined }, signal)) {
    if (value.expiresAt < before) await store.commit(joinTokens.remove(id, revision), signal)
  }
}
