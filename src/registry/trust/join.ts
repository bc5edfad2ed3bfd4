import { X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:tls'
import { type JoinAnswer, type JoinRequest, joinAnswer, type NewNode } from '../../protocol/api/peers.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { resolveAddresses } from '../discovery/addresses.ts'
import { refusalOf } from '../refusal.ts'
import { splitAddress } from './address.ts'
import { draftIn } from './admission.ts'
import { type Identity, readIdentity, writeIdentity } from './identity.ts'
import { type JoinLine, parseJoinLine, pinOf } from './join-line.ts'
import { withMaker } from './maker.ts'
import { isOfAnotherAuthority } from './strangers.ts'

/** Where the server for nodes takes join requests. */
export const joinPath = '/join'

/** How long one address may take to answer, in milliseconds. */
const patienceMs = 15_000
const answerBytes = 200_000

/**
 * Makes of this data folder a node of the cluster that the line names, and answers who it is; durable when it answers.
 * Where it is a node already, it answers that, and the line is not used. An interrupted join may be repeated with the
 * same line. The private key is made here and stays here; the secret is sent only to whom the pinned authority vouches
 * for.
 *
 * JOIN_LINE_INVALID, JOIN_TOKEN_UNKNOWN, _EXPIRED, _USED, AUTHORITY_UNKNOWN, NODE_DUPLICATE, UNREACHABLE.
 */
export async function join(
  { line, data, node }: { line: string; data: string; node: Omit<NewNode, 'id'> },
  signal: AbortSignal,
): Promise<Identity> {
  const parsed = parseJoinLine(line)
  const existing = await readIdentity(data)
  if (existing !== null) return existing
  const { id, key, request } = await withMaker(async (maker) => {
    const draft = await draftIn(data, maker, signal)
    const made = await maker.call('renewRequest', { node: draft.id, key: draft.key }, { signal })
    return { ...draft, request: made }
  })
  const answer = await askInTurn(parsed, { ...node, id, secret: parsed.secret, request }, signal)
  const identity: Identity = { id, key, ...answer }
  await writeIdentity(data, identity)
  return identity
}

async function askInTurn(
  { addresses, authority }: JoinLine,
  request: JoinRequest,
  signal: AbortSignal,
): Promise<JoinAnswer> {
  let last: unknown
  // A name stands for all its addresses: some of the machines behind it may be dead.
  for (const address of await resolveAddresses(addresses)) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
    try {
      return await ask(address, authority, request, limit)
    } catch (error) {
      signal.throwIfAborted()
      last = error
      // Another address may lead elsewhere; a refusal by the cluster itself is the same everywhere.
      if (isCoded(error) && !isCoded(error, 'UNREACHABLE') && !isCoded(error, 'AUTHORITY_UNKNOWN'))
        throw error
    }
  }
  throw last
}

async function ask(
  address: string,
  pin: string,
  request: JoinRequest,
  signal: AbortSignal,
): Promise<JoinAnswer> {
  const authority = await pinnedAuthority(address, pin, signal)
  const { status, body } = await post(address, authority, JSON.stringify(request), signal)
  if (status === 200) return joinAnswer.parse(JSON.parse(body))
  throw await refusalOf(status, body)
}

/**
 * The authority that the other side shows with its certificate, if it is the pinned one: nothing is sent here, and
 * nothing believed but that. Whether the other side holds a certificate of it is checked by TLS when the secret is sent.
 */
function pinnedAuthority(address: string, pin: string, signal: AbortSignal): Promise<string> {
  const { host, port } = splitAddress(address)
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' })
    const end = (finish: () => void) => {
      signal.removeEventListener('abort', aborted)
      socket.destroy()
      finish()
    }
    const fail = (cause: unknown) => end(() => reject(unreachable(address, cause)))
    const aborted = () => fail(signal.reason)
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted)
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the connection was closed')))
    socket.on('secureConnect', () => {
      const shown = socket.getPeerX509Certificate()?.issuerCertificate
      if (shown === undefined || pinOf(shown) !== pin) {
        return end(() => reject(new CodedError('AUTHORITY_UNKNOWN', address)))
      }
      end(() => resolve(shown.toString()))
    })
  })
}

function post(
  address: string,
  authority: string,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const { host, port } = splitAddress(address)
  const cluster = new X509Certificate(authority).subject.match(/^O=(.+)$/m)?.[1]
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({
      host,
      port,
      path: joinPath,
      method: 'POST',
      agent: false,
      ca: authority,
      minVersion: 'TLSv1.3',
      // Any node of the cluster may answer, whatever its address: the authority signs for nodes only.
      checkServerIdentity: (_host, { subject }) =>
        subject.O === cluster ? undefined : new CodedError('AUTHORITY_UNKNOWN', address),
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      signal,
    })
    sent.on('error', (error) => reject(failureOf(address, error)))
    sent.on('response', async (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      try {
        for await (const chunk of answer) {
          size += chunk.length
          if (size > answerBytes) throw new Error('the answer is too long')
          chunks.push(chunk)
        }
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
      } catch (error) {
        sent.destroy()
        reject(unreachable(address, error))
      }
    })
    sent.end(body)
  })
}

function failureOf(address: string, error: Error): Error {
  if (isCoded(error)) return error
  if (isOfAnotherAuthority(error)) {
    return new CodedError('AUTHORITY_UNKNOWN', address, { cause: error })
  }
  return unreachable(address, error)
}

function unreachable(address: string, cause: unknown): CodedError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CodedError('UNREACHABLE', `${address}: ${reason}`, { cause })
}
