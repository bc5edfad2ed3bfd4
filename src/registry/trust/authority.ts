import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { CodedError } from '../../protocol/errors.ts'
import type { AuthorityFact } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import { authorities, authorityId } from '../facts.ts'
import type { Authority } from './certificates.ts'
import type { Maker } from './maker.ts'

/**
 * The cluster's certificate authority is a fact, its private key encrypted under the cluster's secret, which every node
 * has: any of them can let a node in and renew its own certificate, and none must be alive for it.
 */
export interface OpenAuthority extends Authority {
  readonly cluster: Id
  /** All that are trusted, the one that signs first. */
  readonly trusted: readonly string[]
}

/** With the revision of its fact: what it signs counts while it is the one that signs. */
export interface ReadAuthority extends OpenAuthority {
  readonly revision: number
}

const nonceBytes = 12
const tagBytes = 16

/** SECRETS_UNREADABLE where it was encrypted under another secret; NOT_FOUND where there is none: no cluster yet. */
export async function readAuthority(
  store: Store,
  secret: string,
  signal?: AbortSignal,
): Promise<ReadAuthority> {
  const fact = await authorities.get(store, authorityId, signal)
  if (fact === null) throw new CodedError('NOT_FOUND', 'this store belongs to no cluster')
  return { ...openAuthority(fact.value, secret), revision: fact.revision }
}

/** The authority that is there; otherwise a new one, made once however many try. */
export async function ensureAuthority(
  store: Store,
  maker: Maker,
  secret: string,
  cluster: Id,
  signal?: AbortSignal,
): Promise<OpenAuthority> {
  if ((await authorities.get(store, authorityId, signal)) === null) {
    const made = await maker.call('authority', { cluster, now: Date.now() }, { signal })
    const fact: AuthorityFact = {
      cluster,
      certificates: [made.certificate],
      encryptedKey: encryptKey(made.key, secret, cluster),
    }
    await store.commit(authorities.create(authorityId, fact), signal)
  }
  return await readAuthority(store, secret, signal)
}

/** SECRETS_UNREADABLE. */
export function openAuthority(
  { cluster, certificates, encryptedKey }: AuthorityFact,
  secret: string,
): OpenAuthority {
  const [certificate] = certificates
  if (certificate === undefined) throw new CodedError('FACT_DAMAGED', 'the authority has no certificate')
  return { cluster, trusted: certificates, certificate, key: decrypt(encryptedKey, secret, cluster) }
}

function keyFrom(secret: string): Buffer {
  return Buffer.from(
    hkdfSync('sha256', Buffer.from(secret, 'base64'), Buffer.alloc(0), 'hocket certificate authority', 32),
  )
}

/** As an authority's private key lies in its fact. */
export function encryptKey(text: string, secret: string, cluster: Id): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyFrom(secret), nonce).setAAD(Buffer.from(cluster))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64',
  )
}

function decrypt(encrypted: string, secret: string, cluster: Id): string {
  const bytes = Buffer.from(encrypted, 'base64')
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyFrom(secret), bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    })
      .setAAD(Buffer.from(cluster))
      .setAuthTag(bytes.subarray(-tagBytes))
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString(
      'utf8',
    )
  } catch (error) {
    throw new CodedError(
      'SECRETS_UNREADABLE',
      'the key of the certificate authority was encrypted under another secret',
      { cause: error },
    )
  }
}
