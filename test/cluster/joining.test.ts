import assert from 'node:assert/strict'
import { hash, X509Certificate } from 'node:crypto'
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { connect, createServer } from 'node:net'
import { join as path } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import {
  describeNode,
  startCluster,
  startNode,
  type TestCluster,
} from '../../src/gateway/peers/testing/cluster.ts'
import { type ErrorCode, isCoded } from '../../src/protocol/errors.ts'
import { joinTokens, members } from '../../src/registry/facts.ts'
import { splitAddress } from '../../src/registry/trust/address.ts'
import { readAuthority } from '../../src/registry/trust/authority.ts'
import { readIdentity, validityOf, writeIdentity } from '../../src/registry/trust/identity.ts'
import { join } from '../../src/registry/trust/join.ts'
import { parseJoinLine } from '../../src/registry/trust/join-line.ts'
import { readRevocations, setMemberState } from '../../src/registry/trust/membership.ts'
import { isDue } from '../../src/registry/trust/trust.ts'
import { waitFor } from '../harness/wait.ts'

let cluster: TestCluster
let other: TestCluster

before(async () => {
  cluster = await startCluster()
  other = await startCluster()
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

let folders = 0
async function emptyFolder(): Promise<string> {
  folders += 1
  const data = path(cluster.folder, `data-${folders}`)
  await mkdir(data)
  return data
}

const signal = AbortSignal.timeout(600_000)
const coded = (code: ErrorCode) => (error: unknown) => isCoded(error, code)
const joinAs = async (line: string, data?: string) =>
  await join({ line, data: data ?? (await emptyFolder()), node: describeNode('new') }, signal)

const tokenOf = (line: string) => hash('sha256', parseJoinLine(line).secret)

test('a line lets one node in, with a key that only its owner can read and a certificate for its id', async () => {
  const line = await cluster.invite()
  const data = await emptyFolder()
  const identity = await joinAs(line, data)
  assert.deepEqual(await readIdentity(data), identity)
  assert.equal((await stat(path(data, 'node', 'identity.json'))).mode & 0o777, 0o600)
  const founder = cluster.founder.trust.identity
  assert.equal(identity.cluster, founder.cluster)
  assert.equal(identity.secret, founder.secret)
  assert.deepEqual(identity.store, ['127.0.0.1:4652'])
  const certificate = new X509Certificate(identity.certificate)
  assert.ok(certificate.checkHost(identity.id) && certificate.checkIP('127.0.0.1'))
  const member = (await members.get(cluster.store, identity.id))?.value
  assert.equal(member?.name, 'new')
  assert.equal(member?.certificates[0]?.fingerprint, hash('sha256', certificate.raw))
  const facts = await cluster.store.list('cluster/')
  for (const { value } of facts.entries) {
    const text = Buffer.from(value).toString('utf8')
    assert.ok(!text.includes('PRIVATE KEY'), 'no private key lies in the store as it is')
    assert.ok(!text.includes(parseJoinLine(line).secret), 'nor the secret of a line')
  }
})

test('a line lets nobody else in, of many who try at once one', async () => {
  const line = await cluster.invite()
  const tries = await Promise.allSettled(Array.from({ length: 3 }, () => joinAs(line)))
  const refused = tries.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  assert.equal(refused.length, 2)
  for (const error of refused) assert.ok(isCoded(error, 'JOIN_TOKEN_USED'), String(error))
  await assert.rejects(joinAs(line), coded('JOIN_TOKEN_USED'))
})

test('[N2] a join that was interrupted is finished with the same line, as the same node', async () => {
  const line = await cluster.invite()
  const data = await emptyFolder()
  const first = await joinAs(line, data)
  // As a crash leaves it, after the cluster has answered and before that was written down.
  const { id, key } = first
  await writeFile(path(data, 'node', 'joining.json'), JSON.stringify({ id, key }))
  await writeFile(path(data, 'node', 'identity.json.new'), '')
  await rm(path(data, 'node', 'identity.json'))
  const second = await joinAs(line, data)
  assert.equal(second.id, first.id)
  assert.deepEqual(await joinAs(line, data), second, 'who has joined stays who they are')
})

test('a line that has expired says so, and so does one that is not known or not whole', async () => {
  const line = await cluster.invite()
  const token = await joinTokens.get(cluster.store, tokenOf(line))
  assert.ok(token !== null)
  const before = { ...token.value, expiresAt: Date.now() - 1 }
  await cluster.store.commit(joinTokens.replace(token.id, token.revision, before))
  await assert.rejects(joinAs(line), coded('JOIN_TOKEN_EXPIRED'))
  await assert.rejects(joinAs(line.slice(0, -1)), coded('JOIN_LINE_INVALID'))
  await assert.rejects(joinAs('hocket://nowhere/x/y'), coded('JOIN_LINE_INVALID'))
  const changed = line.slice(0, -1) + (line.endsWith('A') ? 'B' : 'A')
  await assert.rejects(joinAs(changed), coded('JOIN_TOKEN_UNKNOWN'))
})

test('nothing is told to who is not the cluster that the line names', async () => {
  const { secret, authority } = parseJoinLine(await cluster.invite())
  const elsewhere = `hocket://${other.founder.address}/${authority}/${secret}`
  await assert.rejects(joinAs(elsewhere), coded('AUTHORITY_UNKNOWN'))
})

test('an impostor that shows the true authority with a certificate of its own hears no secret', async () => {
  const { secret, authority } = parseJoinLine(await cluster.invite())
  const { key, certificate } = other.founder.trust.identity
  const heard: Buffer[] = []
  const impostor = createTlsServer(
    { key, cert: certificate + cluster.founder.trust.identity.authorities.join('') },
    (socket) => socket.on('data', (bytes) => heard.push(bytes)).on('error', () => undefined),
  )
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve))
  const address = impostor.address()
  const port = typeof address === 'object' ? address?.port : 0
  await assert.rejects(
    joinAs(`hocket://127.0.0.1:${port}/${authority}/${secret}`),
    coded('AUTHORITY_UNKNOWN'),
  )
  assert.equal(Buffer.concat(heard).toString('latin1').includes(secret), false)
  await new Promise((resolve) => impostor.close(resolve))
})

test('[N3] an address that does not answer costs the next one nothing but time', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined).destroy())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const dead = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  await assert.rejects(joinAs(await cluster.invite([dead])), coded('UNREACHABLE'))
  const identity = await joinAs(await cluster.invite([dead, cluster.founder.address]))
  assert.equal(identity.cluster, cluster.founder.trust.identity.cluster)
  await new Promise((resolve) => silent.close(resolve))
})

test('a certificate is due after two thirds of its life, and renewing it changes the key and keeps the old one known', async () => {
  await using node = await cluster.add('renewed')
  const before = node.trust.identity
  const { from, until } = validityOf(before.certificate)
  const third = (until - from) / 3
  assert.equal(isDue(before, [], until - third - 1_000), false)
  assert.equal(isDue(before, [], until - third + 1_000), true)
  assert.equal(isDue(before, ['10.9.8.7'], Date.now()), true, 'an address that it does not name')
  let told = 0
  node.trust.subscribe(() => {
    told += 1
  })
  await node.trust.renew()
  const now = node.trust.identity
  assert.equal(told, 1)
  assert.notEqual(now.key, before.key)
  assert.deepEqual(await readIdentity(node.data), now)
  assert.equal((await members.get(cluster.store, node.id))?.value.certificates.length, 2)
})

test('a removed node gets no new certificate, and etcd is told its serials', async () => {
  await using node = await cluster.add('gone')
  await setMemberState(cluster.store, node.id, 'removed')
  await assert.rejects(node.trust.renew(), coded('NODE_REMOVED'))
  const list = await readRevocations(cluster.store, cluster.founder.trust.identity.secret)
  const { serialNumber } = new X509Certificate(node.trust.identity.certificate)
  const der = Buffer.from(list.replace(/-----.*-----|\s/g, ''), 'base64').toString('hex')
  assert.ok(der.includes(serialNumber.toLowerCase()))
  await waitFor(() => node.lost.includes('NODE_REMOVED'), { what: 'it to hear that it was removed' })
})

test('a member whose certificates have expired comes in again under its id by a new line', async () => {
  const data = await emptyFolder()
  const { id, key } = await joinAs(await cluster.invite(), data)
  const fact = await members.get(cluster.store, id)
  assert.ok(fact !== null)
  await rm(path(data, 'node', 'identity.json'))
  await writeFile(path(data, 'node', 'joining.json'), JSON.stringify({ id, key }))
  await assert.rejects(joinAs(await cluster.invite(), data), coded('NODE_DUPLICATE'))
  const lapsed = fact.value.certificates.map((each) => ({ ...each, expiresAt: Date.now() - 1 }))
  await cluster.store.commit(members.replace(id, fact.revision, { ...fact.value, certificates: lapsed }))
  assert.equal((await joinAs(await cluster.invite(), data)).id, id)
})

test('the authority does not open under another secret', async () => {
  await assert.rejects(
    readAuthority(cluster.store, other.founder.trust.identity.secret),
    coded('SECRETS_UNREADABLE'),
  )
})

test('a copy of a data folder is noticed and refused while the original runs', async () => {
  await using node = await cluster.add('original')
  const copy = await emptyFolder()
  await cp(node.data, copy, { recursive: true })
  const identity = await readIdentity(copy)
  assert.ok(identity !== null)
  await assert.rejects(
    startNode(cluster.store, copy, identity),
    (error) => isCoded(error, 'NODE_DUPLICATE') && error.message.includes(node.address),
  )
  assert.ok(node.registry.node(node.id) !== null, 'the original stays')
  assert.deepEqual(node.lost, [])
})

test('an identity that cannot be read is said, not replaced', async () => {
  const data = await emptyFolder()
  await writeIdentity(data, cluster.founder.trust.identity)
  const file = path(data, 'node', 'identity.json')
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 50))
  await assert.rejects(joinAs(await cluster.invite(), data), coded('NODE_IDENTITY_DAMAGED'))
})

test('[S3] who shows no certificate may join and nothing else, and not with a large body', async () => {
  const { host, port } = splitAddress(cluster.founder.address)
  const ask = (method: string, target: string, body?: string) =>
    new Promise<{ status: number | undefined; code: unknown }>((resolve, reject) => {
      const sent = request({ host, port, method, path: target, rejectUnauthorized: false, agent: false })
      sent.on('error', reject)
      sent.on('response', async (answer) => {
        const problem: unknown = JSON.parse(Buffer.concat(await answer.toArray()).toString('utf8'))
        const code = typeof problem === 'object' && problem !== null && 'code' in problem && problem.code
        resolve({ status: answer.statusCode, code })
      })
      sent.setHeader('content-type', 'application/json')
      sent.end(body)
    })
  assert.deepEqual(await ask('GET', '/anything'), { status: 403, code: 'NODE_REFUSED' })
  assert.deepEqual(await ask('POST', '/join', '{}'), { status: 400, code: 'BAD_REQUEST' })
  const large = JSON.stringify({ request: 'x'.repeat(20_000) })
  assert.deepEqual(await ask('POST', '/join', large), { status: 413, code: 'TOO_LARGE' })
})

test('whoever speaks no TLS is cut off', async () => {
  const { host, port } = splitAddress(cluster.founder.address)
  const socket = connect(port, host, () => socket.write('GET /join HTTP/1.1\r\n\r\n'))
  await new Promise((resolve) =>
    socket
      .on('close', resolve)
      .on('error', () => undefined)
      .resume(),
  )
})
