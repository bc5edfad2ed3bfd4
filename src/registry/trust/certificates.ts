// @peculiar/x509 finds its own parts through reflection, and expects this to be there before it.
import 'reflect-metadata'
import { createPrivateKey, createPublicKey, hash, type KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509Crl,
  X509CrlGenerator,
} from '@peculiar/x509'
import { CodedError } from '../../protocol/errors.ts'
import type { MemberCertificate } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'

/**
 * Certificates, requests for them, and revocation lists, as PEM text (ECDSA on P-256, SHA-256). Runs in a thread of its
 * own (`maker.ts`): the library behind it takes some 20 MB, and 100 ms to load.
 */

const curve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000
const authorityDays = 25 * 365
/** Certificates hold from before they are made, for nodes whose clocks are behind. */
const headStartMs = dayMs

export interface Authority {
  readonly certificate: string
  /** PKCS #8. */
  readonly key: string
}

export async function makeAuthority({ cluster, now }: { cluster: Id; now: number }): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(curve, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: createSerial(),
    // Its own serial in the name tells the authorities of one cluster apart, where one has replaced another.
    name: [{ CN: ['Hocket cluster authority'] }, { O: [cluster] }, { OU: [createSerial().slice(0, 8)] }],
    notBefore: new Date(now - headStartMs),
    notAfter: new Date(now + authorityDays * dayMs),
    signingAlgorithm: curve,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pemOf('CERTIFICATE', certificate.rawData), key: await exportKey(keys.privateKey) }
}

/** A new key, and the request that proves whose it is. The key is not to leave the node. */
export async function makeRequest({ node }: { node: Id }): Promise<{ key: string; request: string }> {
  const keys = await webcrypto.subtle.generateKey(curve, true, ['sign', 'verify'])
  return { key: await exportKey(keys.privateKey), request: await requestFor(node, keys) }
}

/** A request for a key that exists: a join that was interrupted is finished with the key it began with. */
export async function renewRequest({ node, key }: { node: Id; key: string }): Promise<string> {
  const privateKey = createPrivateKey(key)
  return await requestFor(node, {
    privateKey: await importKey(privateKey),
    publicKey: await importKey(createPublicKey(privateKey)),
  })
}

async function requestFor(node: Id, keys: webcrypto.CryptoKeyPair): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [node] }],
    keys,
    signingAlgorithm: curve,
  })
  return pemOf('CERTIFICATE REQUEST', request.rawData)
}

export interface Signing {
  readonly authority: Authority
  readonly cluster: Id
  /** Whom the certificate names; what the request itself says of names is not looked at. */
  readonly node: Id
  /** Host names and IP addresses by which others may dial the node. etcd compares them; Hocket compares the id. */
  readonly hosts: readonly string[]
  readonly request: string
  readonly now: number
  readonly days: number
}

export interface Signed extends MemberCertificate {
  readonly certificate: string
  /** The SHA-256 of the public key. */
  readonly keyFingerprint: string
}

/** Throws BAD_REQUEST where the request is none, or is not signed by its own key. */
export async function sign({
  authority,
  cluster,
  node,
  hosts,
  request,
  now,
  days,
}: Signing): Promise<Signed> {
  const asked = await readRequest(request)
  const issuer = new X509Certificate(authority.certificate)
  const expiresAt = now + days * dayMs
  const serial = createSerial()
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial,
    subject: [{ CN: [node] }, { O: [cluster] }],
    issuer: issuer.subject,
    notBefore: new Date(now - headStartMs),
    notAfter: new Date(expiresAt),
    signingAlgorithm: curve,
    publicKey: asked.publicKey,
    signingKey: await importKey(createPrivateKey(authority.key)),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(
        [...new Set([node, 'localhost', '127.0.0.1', '::1', ...hosts])].map((host) =>
          isIP(host) === 0 ? { type: 'dns', value: host } : { type: 'ip', value: host },
        ),
      ),
      await SubjectKeyIdentifierExtension.create(asked.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return {
    certificate: pemOf('CERTIFICATE', certificate.rawData),
    serial,
    fingerprint: hash('sha256', Buffer.from(certificate.rawData)),
    // Certificates count in seconds.
    expiresAt: certificate.notAfter.getTime(),
    keyFingerprint: hash('sha256', Buffer.from(asked.publicKey.rawData)),
  }
}

async function readRequest(pem: string): Promise<Pkcs10CertificateRequest> {
  try {
    const request = new Pkcs10CertificateRequest(pem)
    if (await request.verify()) return request
  } catch (error) {
    throw new CodedError('BAD_REQUEST', 'it is no request for a certificate', { cause: error })
  }
  throw new CodedError('BAD_REQUEST', 'the request for a certificate is not signed by its own key')
}

/** The list, in PEM, that makes etcd refuse certificates before they expire. */
export async function makeRevocations({
  authority,
  serials,
  now,
}: {
  authority: Authority
  serials: readonly string[]
  now: number
}): Promise<string> {
  const list = await X509CrlGenerator.create({
    issuer: new X509Certificate(authority.certificate).subject,
    thisUpdate: new Date(now - headStartMs),
    nextUpdate: new Date(now + authorityDays * dayMs),
    entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(now) })),
    signingAlgorithm: curve,
    signingKey: await importKey(createPrivateKey(authority.key)),
  })
  return pemOf('X509 CRL', list.rawData)
}

/** The serial numbers on a list of revoked certificates. */
export function readListed({ list }: { list: string }): readonly string[] {
  return new X509Crl(list).entries.map(({ serialNumber }) => serialNumber)
}

/** With a line end, so that texts can be put together; the library's own are without, and call the list just `CRL`. */
function pemOf(what: string, der: ArrayBuffer): string {
  const base64 = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN ${what}-----\n${base64}\n-----END ${what}-----\n`
}

/** 126 random bits, positive and of full length, so that all who write it in hexadecimal write the same. */
function createSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()
}

async function importKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return key.toCryptoKey(curve, true, key.type === 'private' ? ['sign'] : ['verify'])
}
