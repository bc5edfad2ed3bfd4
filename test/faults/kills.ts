import assert from 'node:assert/strict'
import { pickOne } from '../harness/random.ts'
import { waitFor } from '../harness/wait.ts'
import { cutPower, type Fault, hold, machines, others, start } from './fault.ts'

/** Processes that end without a word, alone or all of a machine's; and those that are ended in order. */
export const kills: readonly Fault[] = [
  {
    name: 'a machine loses its power',
    weight: 4,
    async run(stage, random) {
      const number = pickOne(machines, random)
      await cutPower(stage, number)
      await hold(random, 500, 4_000)
      await start(stage.node(number))
      return stage.node(number).name
    },
  },
  {
    name: 'the program of a machine is killed, its etcd ends in order',
    weight: 3,
    async run(stage, random) {
      const node = stage.node(pickOne(machines, random))
      await node.node.kill9()
      await hold(random, 0, 3_000)
      await waitFor(async () => (await node.host?.processes('etcd'))?.length === 0, {
        what: 'its etcd to end',
      })
      await start(node)
      return node.name
    },
  },
  {
    name: 'one member of etcd is killed',
    weight: 4,
    async run(stage, random) {
      const number = pickOne(machines, random)
      await stage.host(number).signal('SIGKILL', 'etcd')
      await hold(random, 0, 2_000)
      return stage.node(number).name
    },
  },
  {
    name: 'two members of etcd are killed',
    weight: 2,
    async run(stage, random) {
      const pair = others(pickOne(machines, random))
      await Promise.all(pair.map((number) => stage.host(number).signal('SIGKILL', 'etcd')))
      await hold(random, 0, 2_000)
      return pair.map((number) => stage.node(number).name).join(', ')
    },
  },
  {
    name: 'two machines lose their power',
    weight: 1,
    async run(stage, random) {
      const pair = others(pickOne(machines, random))
      await Promise.all(pair.map((number) => cutPower(stage, number)))
      await hold(random, 0, 1_000)
      await Promise.all(pair.map((number) => start(stage.node(number))))
      return pair.map((number) => stage.node(number).name).join(', ')
    },
  },
  {
    name: 'the machines are started again one after another',
    weight: 1,
    isLong: true,
    async run(stage) {
      for (const number of machines) {
        const { node } = stage.node(number)
        assert.equal(await node.stop(), 0, 'it ends in order')
        await start(stage.node(number))
        await stage.works()
      }
      return undefined
    },
  },
]
