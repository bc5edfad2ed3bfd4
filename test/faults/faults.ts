import { pickByWeight } from '../harness/random.ts'
import { cuts } from './cuts.ts'
import { disks } from './disks.ts'
import type { Fault } from './fault.ts'
import { kills } from './kills.ts'
import { pauses } from './pauses.ts'
import { returns } from './returns.ts'

export const faults: readonly Fault[] = [...kills, ...pauses, ...cuts, ...disks, ...returns]

/** The next of the random ones. */
export const nextFault = (random: () => number, among: readonly Fault[]): Fault =>
  pickByWeight(among, ({ weight }) => weight, random)
