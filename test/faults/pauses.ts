import { pickOne } from '../harness/random.ts'
import { standStill } from '../harness/stand-still.ts'
import { type Fault, hold, machines, others } from './fault.ts'

/** Processes that live, and do nothing: SIGSTOP, and SIGCONT after a while. */
export const pauses: readonly Fault[] = [
  {
    name: 'a machine stands still',
    weight: 4,
    async run(stage, random) {
      const number = pickOne(machines, random)
      await stage.host(number).signal('SIGSTOP')
      // Beyond the end of its lease, sometimes.
      await hold(random, 500, 8_500)
      await stage.host(number).signal('SIGCONT')
      return stage.node(number).name
    },
  },
  {
    name: 'the program of a machine stands still',
    weight: 3,
    async run(stage, random) {
      const { node, name } = stage.node(pickOne(machines, random))
      await standStill(node.pid)
      await hold(random, 500, 6_000)
      process.kill(node.pid, 'SIGCONT')
      return name
    },
  },
  {
    name: 'one member of etcd stands still',
    weight: 3,
    async run(stage, random) {
      const number = pickOne(machines, random)
      await stage.host(number).signal('SIGSTOP', 'etcd')
      await hold(random, 500, 5_000)
      await stage.host(number).signal('SIGCONT', 'etcd')
      return stage.node(number).name
    },
  },
  {
    name: 'two members of etcd stand still',
    weight: 2,
    async run(stage, random) {
      const pair = others(pickOne(machines, random))
      await Promise.all(pair.map((number) => stage.host(number).signal('SIGSTOP', 'etcd')))
      await hold(random, 500, 4_000)
      await Promise.all(pair.map((number) => stage.host(number).signal('SIGCONT', 'etcd')))
      return pair.map((number) => stage.node(number).name).join(', ')
    },
  },
]
