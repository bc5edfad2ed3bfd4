import assert from 'node:assert/strict'
import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startCluster } from '../harness/cluster.ts'
import { freePorts } from '../harness/etcd.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startNode } from '../harness/node.ts'

test('[F1] a copy of a machine, started while it runs, is refused before it takes part in the store', async () => {
  await using cluster = await startCluster({ nodes: 1 })
  const [original] = cluster.nodes
  assert.ok(original)
  await using folder = await temporaryFolder('copy')
  const data = join(folder.path, 'data')
  await original.node.stop()
  await cp(original.data, data, { recursive: true, filter: (path) => !/\/(run|lock\.db.*)$/.test(path) })
  await original.start()
  const [port, peerPort, etcdPort] = await freePorts(3)
  const started = startNode({
    data,
    env: {
      HOCKET_ADDRESS: '127.0.0.1',
      HOCKET_PORT: String(port),
      HOCKET_PEER_PORT: String(peerPort),
      HOCKET_ETCD_PORT: String(etcdPort),
    },
  })
  await assert.rejects(started, /NODE_DUPLICATE/)
  // Its member has neither voted nor been put aside, and the cluster knows of no other.
  assert.deepEqual(
    (await readdir(data)).filter((name) => name.startsWith('etcd')),
    ['etcd'],
  )
  const { storeMembers, nodes } = await original.status()
  assert.equal(storeMembers, 1)
  assert.deepEqual(
    nodes.map(({ alive }) => alive),
    [true],
  )
  const ada = await original.administrator()
  assert.equal((await ada.call('POST', '/api/playlists', { name: 'still one' })).status, 201)
})
