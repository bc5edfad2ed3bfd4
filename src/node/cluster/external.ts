import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { CodedError } from '../../protocol/errors.ts'
import type { Tls } from '../../store/etcd/endpoint.ts'
import type { Config } from '../config.ts'

type Files = Pick<Config, 'storeAuthority' | 'storeCertificate' | 'storeKey'>

/**
 * What proves an etcd that others run to us, and us to it: undefined where it speaks without TLS. SETTING_INVALID names
 * the file that cannot be read, or is not what it should be.
 */
export async function readStoreTls(store: readonly string[], files: Files): Promise<Tls | undefined> {
  if (!store.some((address) => address.startsWith('etcds:'))) return undefined
  const { storeAuthority, storeCertificate, storeKey } = files
  const ca = await readPem('HOCKET_STORE_CA', storeAuthority, (pem) => void new X509Certificate(pem))
  const certificate = await readPem('HOCKET_STORE_CERTIFICATE', storeCertificate, holds)
  const key = await readPem('HOCKET_STORE_KEY', storeKey, (pem) => {
    const isOurs =
      certificate === undefined || new X509Certificate(certificate).checkPrivateKey(createPrivateKey(pem))
    if (!isOurs) throw new Error('it is not the key of HOCKET_STORE_CERTIFICATE')
  })
  return { ca, certificate, key }
}

export function isSameTls(one: Tls | undefined, other: Tls | undefined): boolean {
  return one?.ca === other?.ca && one?.certificate === other?.certificate && one?.key === other?.key
}

function holds(pem: string): void {
  const { validToDate } = new X509Certificate(pem)
  if (validToDate.getTime() < Date.now()) throw new Error(`it expired on ${validToDate.toISOString()}`)
}

async function readPem(
  variable: string,
  path: string | undefined,
  check: (pem: string) => void,
): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    const pem = await readFile(path, 'utf8')
    check(pem)
    return pem
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CodedError('SETTING_INVALID', `${variable}: ${path} is no such file in PEM: ${reason}`, {
      cause: error,
    })
  }
}
