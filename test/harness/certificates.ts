import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** The paths of files in PEM. */
export interface Certificates {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A certificate authority of its own, and one certificate of it for servers and clients on 127.0.0.1. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const authority = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const span = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) }
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...span,
    name: 'CN=test authority',
    keys: authority,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const certificate = await X509CertificateGenerator.create({
    ...span,
    subject: 'CN=test',
    issuer: ca.subject,
    publicKey: own.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
    ],
  })
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY')
  const files = {
    ca: join(folder, 'ca.pem'),
    certificate: join(folder, 'certificate.pem'),
    key: join(folder, 'key.pem'),
  }
  await writeFile(files.ca, ca.toString('pem'))
  await writeFile(files.certificate, certificate.toString('pem'))
  await writeFile(files.key, key, { mode: 0o600 })
  return files
}
