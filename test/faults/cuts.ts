import { pickOne } from '../harness/random.ts'
import { type Fault, hold, machines, others } from './fault.ts'
import type { Stage } from './stage.ts'

/** A fault of the network: what it is told, for a while. */
function ofNetwork(
  name: string,
  weight: number,
  impose: (stage: Stage, random: () => number) => Promise<string | undefined>,
  longest = 4_500,
): Fault {
  return {
    name,
    weight,
    async run(stage, random) {
      try {
        const about = await impose(stage, random)
        await hold(random, 1_000, longest)
        return about
      } finally {
        await stage.network.heal()
      }
    },
  }
}

/** What networks do. */
export const cuts: readonly Fault[] = [
  ofNetwork('one machine is cut off', 4, async ({ network, host, node }, random) => {
    const one = pickOne(machines, random)
    const [from, to] = [[host(one)], others(one).map(host)]
    await network.trouble({
      cut: [
        { from, to },
        { from: to, to: from },
      ],
    })
    return node(one).name
  }),
  ofNetwork('two machines do not hear each other, the third hears both', 3, async (stage, random) => {
    const [one = 0, other = 1] = others(pickOne(machines, random))
    const [from, to] = [[stage.host(one)], [stage.host(other)]]
    await stage.network.trouble({
      cut: [
        { from, to },
        { from: to, to: from },
      ],
    })
    return `${stage.node(one).name}, ${stage.node(other).name}`
  }),
  ofNetwork('a machine hears the others, and they do not hear it', 3, async (stage, random) => {
    const one = pickOne(machines, random)
    await stage.network.trouble({ cut: [{ from: [stage.host(one)], to: others(one).map(stage.host) }] })
    return stage.node(one).name
  }),
  ofNetwork('a machine does not hear the others, and they hear it', 3, async (stage, random) => {
    const one = pickOne(machines, random)
    await stage.network.trouble({ cut: [{ from: others(one).map(stage.host), to: [stage.host(one)] }] })
    return stage.node(one).name
  }),
  ofNetwork(
    'no machine hears another',
    2,
    async ({ network, host }) => {
      await network.trouble({
        cut: machines.map((one) => ({ from: [host(one)], to: others(one).map(host) })),
      })
      return undefined
    },
    4_000,
  ),
  ofNetwork('5 % of all packets are lost', 2, async ({ network }) => {
    await network.trouble({ lossPercent: 5 })
    return undefined
  }),
  ofNetwork('everything is 200 ms late', 2, async ({ network }) => {
    await network.trouble({ delayMs: 200 })
    return undefined
  }),
  ofNetwork('everything is 200 ms late, and 5 % of it is lost', 2, async ({ network }) => {
    await network.trouble({ delayMs: 200, lossPercent: 5 })
    return undefined
  }),
  ofNetwork(
    'all connections between machines are reset',
    2,
    async ({ network }) => {
      await network.trouble({ resets: true })
      return undefined
    },
    1_600,
  ),
]
