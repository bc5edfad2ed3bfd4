import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import type { OpenApiDocument } from '../../src/gateway/openapi/document.ts'
import { createChecker } from '../../src/gateway/testing/checked.ts'
import { createVisitor, type Visitor } from '../../src/gateway/testing/visitor.ts'
import { clusterEvents, clusterStatus } from '../../src/protocol/api/cluster.ts'
import { uploadResult } from '../../src/protocol/api/uploads.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { tracksOf } from '../harness/catalog.ts'
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

/** The administrator there, every answer held to the OpenAPI document. */
async function checked({ node, administrator }: ClusterNode): Promise<Visitor> {
  const document: OpenApiDocument = JSON.parse(await (await fetch(`${node.baseUrl}/openapi.json`)).text())
  return createVisitor(node.baseUrl, createChecker(document), (await administrator()).token)
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
    { what: 'the copies of all songs to be counted', deadline: 20_000 },
  )
  assert.equal(copies.held, copies.wanted)
  const shown = await hocket('status')
  assert.match(shown, /^Node +node-2 \(node-2\): active, all roles, .* free of .*, \d+ of \d+ copies$/m)
  assert.match(shown, new RegExp(`^Copies +${copies.wanted} of ${copies.wanted} are made`, 'm'))
  const json = z.object({ cluster: clusterStatus }).parse(JSON.parse(await hocket('status', '--json')))
  assert.equal(json.cluster.nodes.length, 3)
})

test('[B4] the number of copies is changed while all runs: three are made, and the third goes again', async () => {
  assert.match(await hocket('cluster', 'settings'), /^copies +2 /m)
  const shown = await hocket('cluster', 'set', '--copies', '3', '--quorum', '3', '--grace', '90s')
  assert.match(shown, /^copies +3 .*\nquorum +3 .*\ngrace +90s /)
  await blobsOnDisks(2, 3)
  await hocket('cluster', 'set', '--copies', '2', '--quorum', '2', '--grace', '15m')
  await blobsOnDisks(1, 2)
  assert.deepEqual((await nodeAt(2).status()).settings, { replicas: 2, writeQuorum: 2, graceSeconds: 900 })
})

test('programs set what commands set', async () => {
  const ada = await checked(nodeAt(1))
  assert.equal((await ada.patch('/api/cluster/settings', { graceSeconds: 600 })).status, 204)
  assert.match(await hocket('cluster', 'settings'), /^grace +10m /m)
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
  assert.match(await refused(), /--copies, --quorum or --grace/)
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
  const read = async (node: ClusterNode) =>
    clusterEvents.parse((await (await checked(node)).get('/api/cluster/events')).body).events
  await nodeAt(2).node.kill9()
  const told = async () => (await read(nodeAt(0))).find(({ kind }) => kind === 'silent')
  await waitFor(async () => (await told())?.name === 'attic', {
    what: 'its silence to be told',
    deadline: 30_000,
  })
  await nodeAt(2).start()
  const back = async () => (await read(nodeAt(1))).find(({ name }) => name === 'attic')?.kind === 'returned'
  await waitFor(back, {
    what: 'its return to be told',
    deadline: 30_000,
  })
  const events = await read(nodeAt(1))
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
})
