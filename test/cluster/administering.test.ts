import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import type { OpenApiDocument } from '../../src/gateway/openapi/document.ts'
import { createChecker, readDocument } from '../../src/gateway/testing/checked.ts'
import { createVisitor, type Visitor } from '../../src/gateway/testing/visitor.ts'
import { readArchive } from '../../src/node/backup/archive.ts'
import { storeMembers } from '../../src/node/cluster/membership.ts'
import { clusterEvents, clusterStatus } from '../../src/protocol/api/cluster.ts'
import { uploadResult } from '../../src/protocol/api/uploads.ts'
import { signFor } from '../../src/registry/trust/admission.ts'
import { readAuthority } from '../../src/registry/trust/authority.ts'
import { type Identity, readIdentity } from '../../src/registry/trust/identity.ts'
import { withMaker } from '../../src/registry/trust/maker.ts'
import { connectEtcdStore } from '../../src/store/etcd/etcd.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { tracksOf } from '../harness/catalog.ts'
import type { Client } from '../harness/client.ts'
import { blobsIn, type ClusterNode, startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { runHocket } from '../harness/node.ts'
import { scanned } from '../harness/scan.ts'
import { createUpload, sendUpload } from '../harness/upload.ts'
import { waitFor } from '../harness/wait.ts'

/** What a person does with a cluster that runs: settings, machines, and what is shown of it. Real processes. */

let music: TemporaryFolder
let uploads: TemporaryFolder
let cluster: TestCluster
let songs: number
const uploaded: string[] = []
const uploadedHashes: string[] = []
before(async () => {
  music = await temporaryFolder('music')
  uploads = await temporaryFolder('uploads')
  await writeMusic(music.path, 4)
  await writeMusic(uploads.path, 3)
  cluster = await startCluster({ nodes: 3, music: (node) => (node === 0 ? [music.path] : []) })
  await cluster.settled(3)
  const ada = await nodeAt(0).administrator()
  await scanned(ada)
  for (const name of (await readdir(uploads.path)).slice(0, 4)) {
    const bytes = await readFile(join(uploads.path, name))
    const location = await createUpload(ada, name, bytes.length)
    const { track } = uploadResult.parse(await (await sendUpload(ada, location, 0, bytes)).json())
    uploaded.push(track)
    uploadedHashes.push(sha256(bytes))
  }
  songs = (await tracksOf(ada)).length - uploaded.length
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await uploads[Symbol.asyncDispose]()
  await music[Symbol.asyncDispose]()
})

function nodeAt(number: number): ClusterNode {
  const node = cluster.nodes[number]
  assert.ok(node)
  return node
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The bytes of each track there, by its id. */
async function heardAt(node: ClusterNode, client?: Client): Promise<ReadonlyMap<string, string>> {
  const ada = client ?? (await node.administrator())
  const heard = new Map<string, string>()
  for (const { id } of await tracksOf(ada)) {
    const response = await ada.fetch(`/api/tracks/${id}/audio`)
    assert.equal(response.status, 200, `${id} at ${node.name}`)
    heard.set(id, sha256(Buffer.from(await response.arrayBuffer())))
  }
  return heard
}

async function hashesIn(file: string): Promise<string[]> {
  const found: string[] = []
  for await (const { path } of readArchive(createReadStream(file))) {
    if (path.startsWith('blobs/')) found.push(path.slice('blobs/'.length))
  }
  return found.toSorted()
}

/** The administrator there, every answer held to the OpenAPI document. */
async function checked({ node, administrator }: ClusterNode): Promise<Visitor> {
  const document: OpenApiDocument = JSON.parse(await (await fetch(`${node.baseUrl}/openapi.json`)).text())
  return createVisitor(node.baseUrl, createChecker(readDocument(document)), (await administrator()).token)
}

/** What happened, as the machine tells it: the newest first. */
async function eventsAt(node: ClusterNode) {
  return clusterEvents.parse((await (await checked(node)).get('/api/cluster/events')).body).events
}

/** Waits until so many changes of the settings were told: two that follow at once would be told as one. */
async function settingsTold(changes: number): Promise<void> {
  const told = async () => (await eventsAt(nodeAt(0))).filter(({ kind }) => kind === 'settings').length
  await waitFor(async () => (await told()) === changes, {
    what: `${changes} changes of the settings to be told`,
  })
}

/** Gives a command on the first machine. */
async function hocket(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runHocket([...args, '--data', nodeAt(0).data])
  assert.equal(code, 0, stderr)
  return stdout
}

/** Waits until there are so many blobs on the disks, copies of each song of the folder and of each upload. */
async function blobsOnDisks(copiesOfSongs: number, copiesOfUploads: number): Promise<void> {
  const wanted = songs * copiesOfSongs + uploaded.length * copiesOfUploads
  const count = async () =>
    (await Promise.all(cluster.nodes.map(({ data }) => blobsIn(data)))).reduce((sum, each) => sum + each, 0)
  await waitFor(async () => (await count()) === wanted, {
    what: `${wanted} blobs on all disks`,
    deadline: 90_000,
  })
}

test('status counts new songs within seconds, and shows every machine with its copies, for people and programs', async () => {
  await blobsOnDisks(1, 2)
  const { copies } = await waitFor(
    async () => {
      const status = await nodeAt(1).status()
      return status.copies.settled && status.copies.wanted === songs + 2 * uploaded.length && status
    },
    { what: 'the copies of all songs to be counted' },
  )
  assert.equal(copies.held, copies.wanted)
  const shown = await hocket('status')
  assert.match(shown, /^Node +node-2 \(node-2\): active, all roles, .* free of .*, \d+ of \d+ copies$/m)
  assert.match(shown, new RegExp(`^Copies +all ${copies.wanted} are made`, 'm'))
  const json = z.object({ cluster: clusterStatus }).parse(JSON.parse(await hocket('status', '--json')))
  assert.equal(json.cluster.nodes.length, 3)
  const found = await hocket('doctor')
  assert.match(found, /^✓ All 3 machines of the cluster answer$/m)
  assert.match(found, /^✓ All members of the store answer: 3$/m)
  assert.match(found, /^✓ The program etcd, /m)
  const again = await hocket('cluster', 'init')
  assert.match(
    again,
    /^npm run hocket -- up --join hocket:/m,
    'a cluster already: it gives a line for one more',
  )
})

test('[B4] the number of copies is changed while all runs: three are made, and the third goes again', async () => {
  assert.match(await hocket('cluster', 'settings'), /^copies +2 /m)
  const shown = await hocket('cluster', 'set', '--copies', '3', '--quorum', '3', '--grace', '90s')
  assert.match(shown, /^copies +3 .*\nquorum +3 .*\ngrace +90s /)
  await blobsOnDisks(2, 3)
  await settingsTold(1)
  await hocket('cluster', 'set', '--copies', '2', '--quorum', '2', '--grace', '15m')
  await blobsOnDisks(1, 2)
  assert.deepEqual((await nodeAt(2).status()).settings, { replicas: 2, writeQuorum: 2, graceSeconds: 900 })
})

test('programs set what commands set', async () => {
  await settingsTold(2)
  const ada = await checked(nodeAt(1))
  assert.equal((await ada.patch('/api/cluster/settings', { graceSeconds: 600 })).status, 204)
  await waitFor(async () => /^grace +10m /m.test(await hocket('cluster', 'settings')), {
    what: 'the other machine to hear of it',
  })
  assert.equal((await ada.patch('/api/cluster/settings', { replicas: 1 })).status, 400)
})

test('settings that cannot be had, or are none, are refused with what is wrong', async () => {
  const refused = async (...args: readonly string[]) => {
    const { code, stderr } = await runHocket(['cluster', 'set', ...args, '--data', nodeAt(0).data])
    assert.equal(code, 1)
    return stderr
  }
  assert.match(await refused('--quorum', '3'), /quorum of 3 cannot be had of 2 copies/)
  assert.match(await refused('--grace', 'soon'), /--grace: expected is a time/)
  assert.match(await refused('--copies', 'many'), /--copies: expected is a number/)
  assert.match(await refused('--copies', '0'), /--copies: expected is a number from 1 to 9/)
  assert.match(await refused(), /--copies, --quorum or --grace/)
})

test('a machine that cannot be told from another one, is unknown, or may hold next to nothing, is refused so', async () => {
  const refused = async (...args: readonly string[]) => {
    const { code, stderr } = await runHocket([...args, '--data', nodeAt(0).data])
    assert.equal(code, 1)
    return stderr
  }
  assert.match(await refused('cluster', 'node', 'node-3', '--capacity', '10'), /at least 1GiB/)
  assert.match(await refused('drain', 'node-7'), /NODE_UNKNOWN/)
  await hocket('cluster', 'node', 'node-3', '--name', 'node-2')
  const { nodes } = await nodeAt(0).status()
  const [one, other] = nodes.filter(({ name }) => name === 'node-2').map(({ id }) => id)
  assert.ok(one !== undefined && other !== undefined)
  const told = await refused('remove', 'node-2')
  assert.ok(told.includes('NODE_AMBIGUOUS') && told.includes(one) && told.includes(other), told)
  const third = nodes.find(({ zone }) => zone === 'node-3')?.id
  assert.ok(third)
  await hocket('cluster', 'node', third, '--name', 'node-3')
})

test('a machine is called, placed and limited otherwise while it runs, and keeps that when it starts again', async () => {
  await hocket('cluster', 'node', 'node-3', '--name', 'attic', '--zone', 'roof', '--capacity', '500GiB')
  const changed = async () => {
    const { nodes } = await nodeAt(1).status()
    return nodes.find(({ name }) => name === 'attic')
  }
  const attic = await waitFor(changed, { what: 'the new name' })
  assert.deepEqual([attic.zone, attic.capacityBytes], ['roof', 500 * 2 ** 30])
  await nodeAt(2).node.stop()
  await nodeAt(2).start()
  await cluster.settled(3)
  assert.equal((await changed())?.zone, 'roof')
  await hocket('cluster', 'node', 'attic', '--capacity', 'all')
  await waitFor(async () => (await changed())?.capacityBytes === undefined, { what: 'the limit to go' })
})

test('what happened is told in order, the same by every machine, whoever looked after the cluster then', async () => {
  await settingsTold(3)
  await nodeAt(2).node.kill9()
  const told = async () => (await eventsAt(nodeAt(0))).find(({ kind }) => kind === 'silent')
  await waitFor(async () => (await told())?.name === 'attic', {
    what: 'its silence to be told',
  })
  const votes = /^Etcd +3 members vote, and only 2 of them answer$/m
  await waitFor(async () => votes.test(await hocket('status')), { what: 'another member to lead' })
  await waitFor(
    async () => (await nodeAt(0).status()).nodes.some(({ name, alive }) => name === 'attic' && !alive),
    { what: 'its lease to end' },
  )
  const found = await hocket('doctor')
  assert.match(found, /^! The machine attic of the cluster does not answer$/m)
  assert.match(found, /^! Of 3 members of the store only 2 answer$/m)
  await nodeAt(2).start()
  const back = async () =>
    (await eventsAt(nodeAt(1))).find(({ name }) => name === 'attic')?.kind === 'returned'
  await waitFor(back, {
    what: 'its return to be told',
  })
  const events = await eventsAt(nodeAt(1))
  const kinds = events.toReversed().map(({ kind }) => kind)
  assert.ok(kinds.filter((kind) => kind === 'joined').length === 3, kinds.join())
  assert.ok(kinds.filter((kind) => kind === 'settings').length === 3, kinds.join())
  assert.ok(kinds.includes('layout') && kinds.includes('repaired'), kinds.join())
  assert.deepEqual(
    events,
    events.toSorted((one, other) => other.at - one.at),
  )
})

test('the metrics tell of nodes, copies, the lease, the office and the store', async () => {
  // Each machine counts for itself, and one of them has only just come back.
  await waitFor(
    async () => {
      const all = await Promise.all(
        cluster.nodes.map(async ({ node }) => await (await fetch(`${node.baseUrl}/metrics`)).text()),
      )
      const values = (name: string) =>
        all.map((text) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN))
      const sum = (name: string) => values(name).reduce((one, other) => one + other, 0)
      assert.deepEqual(values('hocket_cluster_nodes_alive'), [3, 3, 3])
      assert.deepEqual(values('hocket_cluster_lease_held'), [1, 1, 1])
      assert.deepEqual(values('hocket_cluster_store_members'), [3, 3, 3])
      assert.equal(sum('hocket_cluster_operator'), 1)
      assert.equal(sum('hocket_copies_wanted'), songs + 2 * uploaded.length)
      assert.equal(sum('hocket_copies_present'), songs + 2 * uploaded.length)
      assert.ok(sum('hocket_copies_copied_bytes_total') > 0)
      assert.ok(values('hocket_changeovers_total').every((count) => count >= 0))
      for (const text of all)
        assert.match(text, /hocket_store_request_seconds_count\{operation="commit",result="ok"\} \d/)
      return true
    },
    { what: 'the metrics of all machines to tell it' },
  )
})

test('[F1] [N2] the authority is replaced while all runs, and goes on when the operator is killed in the middle', async () => {
  const identityOf = async ({ data }: ClusterNode) => {
    const identity = await readIdentity(data)
    assert.ok(identity)
    return identity
  }
  const before = await identityOf(nodeAt(0))
  const stolen = await forgedBy(before)
  const heard = await heardAt(nodeAt(0))
  const operator = await operatorOf(cluster.nodes)
  const [through] = cluster.nodes.filter((node) => node !== operator)
  assert.ok(operator && through)
  const ada = await checked(through)
  assert.equal((await ada.post('/api/cluster/authority/renewal')).status, 204)
  const renewal = async () => {
    const { storeReachable, authority } = await through.status()
    return storeReachable ? (authority.renewal?.step ?? 'done') : 'unknown'
  }
  await waitFor(async () => (await renewal()) === 'reissuing', {
    what: 'the new authority to sign',
    deadline: 90_000,
  })
  await operator.node.kill9()
  const { stdout, stderr } = await runHocket(['cluster', 'authority', 'renew', '--data', through.data])
  assert.match(stdout, /waits for \S+ \(silent\)\. Start/, stderr)
  assert.equal((await ada.post('/api/playlists', { name: 'meanwhile' })).status, 201)
  await operator.start()
  await waitFor(async () => (await renewal()) === 'done', {
    what: 'the old authority to be forgotten',
    deadline: 90_000,
  })

  const [now, ...others] = await Promise.all(cluster.nodes.map(identityOf))
  assert.equal(now?.authorities.length, 1)
  assert.notDeepEqual(now.authorities, before.authorities)
  for (const { authorities } of others) assert.deepEqual(authorities, now.authorities)
  assert.match(await hocket('cluster', 'authority'), /holds until 20\d\d-/)
  const isBelieved = async (identity: Identity, endpoint: string) => {
    await using store = connectEtcdStore(storeMembers({ ...identity, store: [endpoint] }))
    const answer = store.get('cluster/trust/authority', AbortSignal.timeout(2_000))
    return await answer.then(
      () => true,
      () => false,
    )
  }
  const tries = now.store.flatMap((endpoint) => [now, before, stolen].map((who) => isBelieved(who, endpoint)))
  assert.deepEqual(await Promise.all(tries), Array(3).fill([true, false, false]).flat())
  await cluster.settled(3)
  assert.deepEqual(await heardAt(nodeAt(1)), heard)
})

/** Who has the old authority's key signs what names a true node; a cluster that trusts it cannot tell. */
async function forgedBy(identity: Identity): Promise<Identity> {
  await using store = connectEtcdStore(storeMembers(identity))
  const authority = await readAuthority(store, identity.secret)
  const forged = await withMaker(async (maker) => {
    const { key, request } = await maker.call('request', { node: identity.id })
    const { certificate } = await signFor(maker, authority, { id: identity.id, hosts: [], request })
    return { ...identity, key, certificate }
  })
  await using believed = connectEtcdStore(storeMembers(forged))
  assert.notEqual(await believed.get('cluster/trust/authority'), null)
  return forged
}

async function operatorOf(nodes: readonly ClusterNode[]): Promise<ClusterNode | undefined> {
  for (const each of nodes) {
    const metrics = await (await fetch(`${each.node.baseUrl}/metrics`)).text()
    if (/^hocket_cluster_operator 1$/m.test(metrics)) return each
  }
  return undefined
}

test('a backup that any machine makes holds all facts and all uploads, and a cluster that is made of it works', async () => {
  await blobsOnDisks(1, 2)
  const lacking = cluster.nodes.find(
    ({ data }) =>
      !uploadedHashes.every((hash) =>
        existsSync(join(data, 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash)),
      ),
  )
  assert.ok(lacking, 'a machine that holds not all uploads itself')
  await using folder = await temporaryFolder('backup')
  const file = join(folder.path, 'hocket.tar')
  const heard = await heardAt(nodeAt(1))
  await hocket('cluster', 'set', '--grace', '20m')
  const made = await runHocket(['backup', file, '--data', lacking.data])
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, new RegExp(`${uploaded.length} uploaded files`))
  assert.deepEqual(await hashesIn(file), uploadedHashes.toSorted())
  await cluster[Symbol.asyncDispose]()

  cluster = await startCluster({
    nodes: 2,
    async prepare(data) {
      const { code, stderr } = await runHocket(['restore', file, '--data', data])
      assert.equal(code, 0, stderr)
    },
  })
  await cluster.settled(2)
  await blobsOnDisks(1, 2)
  const status = await nodeAt(1).status()
  assert.deepEqual(
    status.nodes.map(({ name, alive }) => [name, alive]),
    [
      ['node-1', true],
      ['node-2', true],
    ],
  )
  assert.equal(status.settings.graceSeconds, 1_200, 'what was set for the cluster holds for the next one')
  const client = await nodeAt(1).administrator()
  assert.deepEqual(await heardAt(nodeAt(1), client), heard)
  await nodeAt(0).node.kill9()
  assert.deepEqual(await heardAt(nodeAt(1), client), heard)
  await nodeAt(0).start()
})

test('[F1] [N2] the last of four machines leaves with everything, killed at each step, and can become a cluster again', async () => {
  const first = nodeAt(0)
  // Of four machines three run members of etcd, which move and start again as one machine after the other is removed.
  await cluster.grow()
  await cluster.grow()
  const others = cluster.nodes.slice(1)
  await cluster.settled(cluster.nodes.length)
  const ada = await first.administrator()
  const [track] = uploaded
  assert.equal((await ada.call('POST', '/api/playlists', { name: 'kept', tracks: [track] })).status, 201)
  const heard = await heardAt(first)
  const leave = (killWhen?: () => boolean) =>
    runHocket(['cluster', 'leave', '--keep-data', '--data', first.data], {
      env: first.env,
      ...(killWhen !== undefined && { killWhen }),
    })

  const refused = await leave()
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /CLUSTER_NOT_LAST/)
  for (const { name } of others) await hocket('drain', name)
  const prepared = await leave()
  assert.equal(prepared.code, 0, prepared.stderr)
  assert.match(prepared.stdout, /Now stop Hocket/)
  for (const { name, node } of others)
    await waitFor(() => node.logs().includes('NODE_REMOVED'), { what: `${name} to be removed` })
  await first.node.stop()

  const has = (name: string) => () => existsSync(join(first.data, name))
  const started = performance.now()
  for (const killWhen of [
    has('store.db'),
    has('store.db-wal'),
    () => !existsSync(join(first.data, 'etcd')),
    () => performance.now() - started > 12_000,
  ]) {
    const { code, stderr } = await leave(killWhen)
    if (code === 0) break
    assert.equal(code, null, stderr)
  }
  if (existsSync(join(first.data, 'node', 'identity.json'))) {
    const left = await leave()
    assert.equal(left.code, 0, left.stderr)
    assert.match(left.stdout, /stands alone, with \d+ facts/)
  }
  assert.equal((await leave()).code, 1, 'who stands alone cannot leave')

  await first.start()
  const alone = await first.administrator()
  assert.equal((await alone.get('/api/cluster')).status, 409)
  assert.deepEqual(await heardAt(first), heard)
  const { items } = z
    .object({ items: z.array(z.object({ name: z.string(), trackCount: z.number() })) })
    .parse((await alone.get('/api/playlists')).body)
  assert.deepEqual(items, [
    { name: 'kept', trackCount: 1 },
    { name: 'meanwhile', trackCount: 0 },
  ])
  const backup = await runHocket(['backup', join(first.data, 'run', 'alone.tar'), '--data', first.data])
  assert.match(backup.stdout, new RegExp(`${uploaded.length} uploaded files`))
  await first.node.stop()

  const again = await runHocket(['cluster', 'init', '--data', first.data], { env: first.env })
  assert.equal(again.code, 0, again.stderr)
  await first.start()
  await waitFor(async () => (await first.status()).copies.settled, { what: 'the new cluster to be settled' })
  const { nodes } = await first.status()
  assert.deepEqual(
    nodes.map(({ name, alive }) => [name, alive]),
    [[first.name, true]],
  )
  assert.deepEqual(await heardAt(first), heard)
})
