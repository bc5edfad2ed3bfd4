import { after, before, describe } from 'node:test'
import { storeContract } from '../../src/store/contract.ts'
import { openEtcdStore } from '../../src/store/etcd/etcd.ts'
import { type EtcdCluster, startEtcdCluster } from '../harness/etcd.ts'

for (const members of [1, 3] as const) {
  describe(`${members} of etcd's members`, () => {
    let etcd: EtcdCluster
    before(async () => {
      // Transactions of 4 MB need a larger message than etcd takes unless told.
      etcd = await startEtcdCluster({ members, flags: ['--max-request-bytes=8388608'] })
    })
    after(() => etcd[Symbol.asyncDispose]())

    storeContract(`etcd of ${members}`, async () => {
      await etcd.empty()
      return await openEtcdStore({ endpoints: etcd.endpoints })
    })
  })
}
