import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { clusterStatus, joinInvitation } from '../../src/protocol/api/cluster.ts'
import { type Certificates, makeCertificates } from '../harness/certificates.ts'
import { signIn } from '../harness/client.ts'
import { joinLineIn } from '../harness/cluster.ts'
import { type EtcdCluster, startEtcdCluster } from '../harness/etcd.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { administrator, runHocket, startNode, type TestNode } from '../harness/node.ts'
import { freeRow } from '../harness/ports.ts'
import { waitFor } from '../harness/wait.ts'

/** A cluster on an etcd that others run, which speaks TLS and lets in only who has a certificate. */

let folder: TemporaryFolder
let files: Certificates
let etcd: EtcdCluster
let address: string
const running: (Site & { readonly node: TestNode })[] = []
before(async () => {
  folder = await temporaryFolder('external')
  files = await makeCertificates(folder.path)
  etcd = await startEtcdCluster({
    members: 1,
    tls: files,
    flags: ['--max-request-bytes=8388608'],
  })
  address = `etcds://${new URL(etcd.endpoints[0] ?? '').host}`
})
after(async () => {
  for (const { node } of running) await node[Symbol.asyncDispose]()
  await etcd?.[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const proof = () => ({
  HOCKET_STORE_CA: files.ca,
  HOCKET_STORE_CERTIFICATE: files.certificate,
  HOCKET_STORE_KEY: files.key,
})

const settings = async (name = 'first') => {
  const port = await freeRow()
  return {
    HOCKET_NAME: name,
    HOCKET_ADDRESS: '127.0.0.1',
    HOCKET_PORT: String(port),
    HOCKET_PEER_PORT: String(port + 1),
  }
}

interface Site {
  readonly data: string
  readonly env: Awaited<ReturnType<typeof settings>>
  readonly flags?: readonly string[]
}

async function start(site: Site): Promise<TestNode> {
  const node = await startNode({ ...site, port: site.env.HOCKET_PORT })
  running.push({ ...site, node })
  return node
}

async function join(name: string, line: string): Promise<Site> {
  const env = { ...(await settings(name)), ...proof() }
  return { data: `${folder.path}/${name}`, env, flags: ['--join', line] }
}

const init = (data: string, env: Readonly<Record<string, string>>) =>
  runHocket(['cluster', 'init', '--data', data, '--store', address], { env })

test('[S4] a file that is missing, or is not what it should be, is named at once', async () => {
  const data = `${folder.path}/refused`
  const env = { ...(await settings()), ...proof() }
  const missing = await init(data, { ...env, HOCKET_STORE_CA: `${folder.path}/none.pem` })
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /HOCKET_STORE_CA: .*none\.pem .*ENOENT[\s\S]*SETTING_INVALID/)
  const other = await temporaryFolder('other')
  await using _other = other
  const foreign = await makeCertificates(other.path)
  const mixed = await init(data, { ...env, HOCKET_STORE_KEY: foreign.key })
  assert.match(mixed.stderr, /HOCKET_STORE_KEY: .*not the key of HOCKET_STORE_CERTIFICATE/)
  const distrusted = await init(data, { ...env, HOCKET_STORE_CA: foreign.ca })
  assert.match(distrusted.stderr, /UNREACHABLE/)
  assert.match(distrusted.stderr, /certificate/)
})

test('three nodes share it, each with its files, and take up certificates that are renewed', async () => {
  const first = { data: `${folder.path}/first`, env: { ...(await settings()), ...proof() } }
  const made = await init(first.data, first.env)
  assert.equal(made.code, 0, made.stderr)
  const one = await start(first)
  const other = await start(await join('second', joinLineIn(made.stdout)))
  const ada = await signIn(one.baseUrl, administrator)
  const { line } = joinInvitation.parse((await ada.call('POST', '/api/cluster/invitations')).body)
  await start(await join('third', line))
  assert.equal((await ada.call('POST', '/api/playlists', { name: 'shared' })).status, 201)
  const there = await signIn(other.baseUrl, administrator)
  await waitFor(async () => JSON.stringify((await there.get('/api/playlists')).body).includes('"shared"'), {
    what: 'the playlist at the other node',
  })
  const { nodes, storeReachable } = clusterStatus.parse((await there.get('/api/cluster')).body)
  assert.deepEqual([nodes.filter(({ alive }) => alive).length, storeReachable], [3, true])

  // The same certificate with a remark before it is another file, and as good.
  await writeFile(files.certificate, `renewed\n${await readFile(files.certificate, 'utf8')}`)
  await renewed(one)
  await renewed(other)
  assert.equal((await ada.call('POST', '/api/playlists', { name: 'later' })).status, 201)
  // A file that is gone for a moment changes nothing.
  const authority = await readFile(files.ca)
  await rm(files.ca)
  assert.equal((await ada.call('POST', '/api/playlists', { name: 'still' })).status, 201)
  await writeFile(files.ca, authority)
})

test('the last of them leaves with everything, and the store of others takes no second life', async () => {
  const [one, ...others] = running
  assert.ok(one)
  const { data, env } = one
  const leave = () => runHocket(['cluster', 'leave', '--keep-data', '--data', data], { env })
  const refused = await leave()
  assert.match(refused.stderr, /second, third[\s\S]*CLUSTER_NOT_LAST/)
  for (const { env: of } of others) {
    const { code, stderr } = await runHocket(['drain', of.HOCKET_NAME, '--data', data], { env })
    assert.equal(code, 0, stderr)
  }
  const prepared = await leave()
  assert.equal(prepared.code, 0, prepared.stderr)
  for (const { node } of others)
    await waitFor(() => !node.isRunning && node.logs().includes('NODE_REMOVED'), {
      what: 'the others to end',
    })
  await one.node.stop()
  const left = await leave()
  assert.equal(left.code, 0, left.stderr)

  const alone = await start({ data, env: await settings() })
  const ada = await signIn(alone.baseUrl, administrator)
  assert.equal((await ada.get('/api/cluster')).status, 409)
  for (const name of ['shared', 'later', 'still'])
    assert.ok(JSON.stringify((await ada.get('/api/playlists')).body).includes(`"${name}"`), name)
  await alone.stop()
  const again = await init(data, env)
  assert.match(again.stderr, /STORE_NOT_EMPTY/)
})

async function renewed(node: TestNode): Promise<void> {
  await waitFor(() => node.logs().includes('the certificates for the store were read anew'), {
    what: 'the new certificate to be read',
  })
}
