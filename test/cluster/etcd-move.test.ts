import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { openEtcdStore } from '../../src/store/etcd/etcd.ts'
import { moveContract, type Place } from '../../src/store/move-contract.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { type EtcdCluster, startEtcdCluster } from '../harness/etcd.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'

describe('moving facts into etcd and back', () => {
  let etcd: EtcdCluster
  let folder: TemporaryFolder
  let made = 0
  before(async () => {
    folder = await temporaryFolder('move')
    etcd = await startEtcdCluster({ members: 3 })
  })
  after(async () => {
    await etcd[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  async function file(): Promise<Place> {
    made += 1
    const path = join(folder.path, `${made}.db`)
    return { place: path, open: () => openSqliteStore(path) }
  }
  async function cluster(): Promise<Place> {
    await etcd.empty()
    return {
      place: etcd.endpoints.join(','),
      open: () => openEtcdStore({ endpoints: etcd.endpoints }),
    }
  }
  moveContract('from SQLite to etcd', file, cluster)
  moveContract('from etcd to SQLite', cluster, file)
})
