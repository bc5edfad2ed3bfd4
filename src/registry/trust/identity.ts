import { hash, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { CodedError } from '../../protocol/errors.ts'
import { id } from '../../protocol/ids.ts'

/**
 * Which node of which cluster this data folder is, with all that proves it, in `node/identity.json` (0600). It is one
 * file, so that key and certificate are replaced together or not at all.
 */
const identity = z.object({
  id,
  cluster: id,
  /** PKCS #8 in PEM. Made here, and never sent anywhere. */
  key: z.string(),
  certificate: z.string(),
  /** The authorities that are trusted, in PEM. */
  authorities: z.array(z.string()).min(1),
  /** The cluster's secret, 32 bytes in base64: under it lie the authority's key and the secrets of devices. */
  secret: z.base64().length(44),
  /** Where the store was last known to be. */
  store: z.array(z.string()),
})
export type Identity = Readonly<z.infer<typeof identity>>

/** A node that has not joined yet: kept, so that an interrupted join goes on as the same node with the same key. */
const draft = identity.pick({ id: true, key: true })
export type Draft = Readonly<z.infer<typeof draft>>

const folderIn = (data: string) => join(data, 'node')
const identityIn = (data: string) => join(folderIn(data), 'identity.json')
const draftIn = (data: string) => join(folderIn(data), 'joining.json')

/** null where this data folder belongs to no cluster. Throws NODE_IDENTITY_DAMAGED. */
export const readIdentity = (data: string) => readAs(identityIn(data), identity)
export const readDraft = (data: string) => readAs(draftIn(data), draft)

/** Durable when it answers. */
export async function writeIdentity(data: string, value: Identity): Promise<void> {
  await writeSecret(folderIn(data), 'identity.json', JSON.stringify(value, null, 2))
  await rm(draftIn(data), { force: true })
}

export async function writeDraft(data: string, value: Draft): Promise<void> {
  await writeSecret(folderIn(data), 'joining.json', JSON.stringify(value))
}

/**
 * The data folder belongs to no cluster any more. The identity goes last: as long as any key lies beside it, whoever was
 * killed can do it again.
 */
export async function forgetIdentity(data: string): Promise<void> {
  await rm(tlsIn(data), { recursive: true, force: true })
  await rm(draftIn(data), { force: true })
  await rm(identityIn(data), { force: true })
  await rm(folderIn(data), { recursive: true, force: true })
}

const removedIn = (data: string) => join(folderIn(data), 'removed.json')

/** Whether this data folder is of a node that has heard that it was removed from its cluster. */
export const wasRemoved = (data: string): boolean => existsSync(removedIn(data))

/** Nobody there answers this node any more: from now on each of its starts says why at once. */
export async function noteRemoved(data: string): Promise<void> {
  if (!wasRemoved(data))
    await writeSecret(folderIn(data), 'removed.json', JSON.stringify({ heardAt: Date.now() }))
}

export interface TlsFiles {
  readonly certificate: string
  readonly key: string
  readonly authority: string
  /** Absent until a list was written: etcd would refuse everybody. */
  readonly revocations: string | undefined
}

const tlsIn = (data: string) => join(folderIn(data), 'tls')

/**
 * The identity as the PEM files in `node/tls/` that etcd wants; answers their paths. etcd reads them anew with each
 * connection, so they may be written again while it runs.
 */
export async function writeTlsFiles(
  data: string,
  { key, certificate, authorities }: Pick<Identity, 'key' | 'certificate' | 'authorities'>,
): Promise<TlsFiles> {
  const folder = tlsIn(data)
  await writeSecret(folder, 'authority.pem', authorities.join(''))
  await writeSecret(folder, 'node.key', key)
  await writeSecret(folder, 'node.pem', certificate)
  const listed = (await readRevocationList(data)) !== null
  return {
    certificate: join(folder, 'node.pem'),
    key: join(folder, 'node.key'),
    authority: join(folder, 'authority.pem'),
    revocations: listed ? join(folder, 'revoked.pem') : undefined,
  }
}

/** The list, in PEM, by which this node's member of etcd refuses removed nodes; null where none was written yet. */
export async function readRevocationList(data: string): Promise<string | null> {
  const text = await readFile(join(tlsIn(data), 'revoked.pem'), 'utf8').catch(() => '')
  return text === '' ? null : text
}

/** etcd goes by it from the next connection on. */
export async function writeRevocationList(data: string, list: string): Promise<void> {
  await writeSecret(tlsIn(data), 'revoked.pem', list)
}

/** Tells this data folder on this machine from a copy of it elsewhere, without saying where either is. */
export async function placeOf(data: string): Promise<string> {
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return hash('sha256', [hostname(), machine.trim(), await realpath(data)].join('\n'))
}

/** When the certificate begins and ends to hold, in milliseconds since 1970. */
export function validityOf(certificate: string): { readonly from: number; readonly until: number } {
  const { validFromDate, validToDate } = new X509Certificate(certificate)
  return { from: validFromDate.getTime(), until: validToDate.getTime() }
}

/** Whether a certificate names all these host names and IP addresses. */
export function namesHosts(certificate: string, hosts: readonly string[]): boolean {
  const named = new X509Certificate(certificate)
  return hosts.every((host) => (isIP(host) === 0 ? named.checkHost(host) : named.checkIP(host)) !== undefined)
}

/** The SHA-256 of a certificate in DER, in lower-case hexadecimal. */
export function fingerprintOf(certificate: X509Certificate): string {
  return hash('sha256', certificate.raw)
}

async function readAs<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new CodedError('NODE_IDENTITY_DAMAGED', 'it may not be read', { cause: error })
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    throw new CodedError('NODE_IDENTITY_DAMAGED', 'it is not what Hocket has written', { cause: error })
  }
}

/** After a crash at any moment the file holds either what it held before, or all of `text`. */
export async function writeSecret(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const path = join(folder, name)
  {
    await using file = await open(`${path}.new`, 'w', 0o600)
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  }
  await rename(`${path}.new`, path)
  await using entries = await open(folder, 'r')
  await entries.sync()
}
