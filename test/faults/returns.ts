import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { readMembership, storeMembers } from '../../src/node/cluster/membership.ts'
import { isCoded } from '../../src/protocol/errors.ts'
import { openEtcdStore } from '../../src/store/etcd/etcd.ts'
import type { ClusterNode } from '../harness/cluster.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startNode } from '../harness/node.ts'
import { pickOne } from '../harness/random.ts'
import { waitFor } from '../harness/wait.ts'
import { cutPower, type Fault, machines, others, start } from './fault.ts'

/** Writes to the store so quickly that a member which was away for that long has to be sent everything. */
const changesOfAWeek = 2_500
const weekMs = 7 * 24 * 60 * 60 * 1_000

/** Machines that are not what they were, or are there twice. */
export const returns: readonly Fault[] = [
  {
    name: 'a machine comes back after a week, its clock too',
    weight: 1,
    isLong: true,
    async run(stage, random) {
      const number = pickOne(machines, random)
      const node = stage.node(number)
      await cutPower(stage, number)
      await letAWeekPass(stage.node(pickOne(others(number), random)))
      // The clock of its program; that of its etcd is this machine's.
      await start(node, { NODE_OPTIONS: `--import=${clockBehind(weekMs)}` })
      await stage.works()
      await cutPower(stage, number)
      await start(node, { NODE_OPTIONS: '' })
      return node.name
    },
  },
  {
    name: 'a copy of a machine is started while it runs',
    weight: 1,
    isLong: true,
    async run(stage, random) {
      const original = stage.node(pickOne(machines, random))
      await using folder = await temporaryFolder('twin')
      const data = join(folder.path, 'data')
      // As a snapshot is taken: nothing moves meanwhile.
      await original.host?.signal('SIGSTOP')
      try {
        await cp(original.data, data, {
          recursive: true,
          filter: (path) => !/\/(run|cache|lock\.db.*|ballast)$/.test(path),
        })
      } finally {
        await original.host?.signal('SIGCONT')
      }
      const host = await stage.twin()
      const started = startNode({
        data,
        port: '4650',
        env: { HOCKET_HOST: host.address, HOCKET_ADDRESS: host.address, HOCKET_NAME: original.name },
        namespace: host.namespace,
      })
      await assert.rejects(started, /NODE_DUPLICATE/)
      await waitFor(async () => (await host.processes()).length === 0, { what: 'the copy to be gone' })
      return original.name
    },
  },
]

function clockBehind(ms: number): string {
  const script = `
    const Real = Date
    const now = () => Real.now() - ${ms}
    globalThis.Date = class Date extends Real {
      constructor(...given) { super(...(given.length === 0 ? [now()] : given)) }
      static now() { return now() }
    }`
  return `data:text/javascript,${encodeURIComponent(script)}`
}

async function letAWeekPass({ data }: ClusterNode): Promise<void> {
  const identity = await readMembership(data)
  assert.ok(identity)
  await using store = await openEtcdStore(storeMembers(identity))
  for (let done = 0; done < changesOfAWeek; done += 50) {
    const changes = Array.from({ length: 50 }, (_, each) => ({
      key: `week/${each}`,
      value: Buffer.from(randomUUID()),
    }))
    await Promise.all(
      changes.map((write) =>
        store.commit({ conditions: [], writes: [write] }).catch((error) => {
          if (!isCoded(error, 'TIMED_OUT')) throw error
        }),
      ),
    )
  }
  const removals = Array.from({ length: 50 }, (_, each) => ({ key: `week/${each}`, value: null }))
  await store.commit({ conditions: [], writes: removals })
  await store.compact((await store.status()).revision)
}
