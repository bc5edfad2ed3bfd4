import { setTimeout as pause } from 'node:timers/promises'
import type { ClusterNode } from '../harness/cluster.ts'
import { waitFor } from '../harness/wait.ts'
import type { Stage } from './stage.ts'

/** What is done to the cluster, and taken back; what may be killed, cut or spoilt follows from `random`. */
export interface Fault {
  readonly name: string
  /** How often it comes among the random ones, compared with the others. */
  readonly weight: number
  /** It takes half a minute, where others take some seconds. */
  readonly isLong?: true
  /** Injects it, holds it for a while, and takes it back. What it says is printed beside its name. */
  run(stage: Stage, random: () => number): Promise<string | undefined>
}

export const machines = [0, 1, 2] as const
/** Milliseconds for which a fault lasts: long enough to be noticed, short of what a listener has in store. */
export const hold = async (random: () => number, shortest: number, longest: number) => {
  await pause(shortest + random() * (longest - shortest))
}
export const others = (one: number) => machines.filter((each) => each !== one)

/** As a power cut does. */
export async function cutPower(stage: Stage, number: number): Promise<void> {
  await stage.host(number).signal('SIGKILL')
  await stage.node(number).node.kill9()
  await waitFor(async () => (await stage.host(number).processes()).length === 0, {
    what: `${stage.node(number).name} to be dead`,
  })
}

/** A machine whose store has no majority gives up after a while, and its service manager starts it again. */
export async function start(node: ClusterNode, env?: Readonly<Record<string, string>>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await node.start(env)
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}
