import { createRandom } from '../harness/random.ts'
import { checkAll } from './checker.ts'
import { runClient } from './clients.ts'
import type { Fault } from './fault.ts'
import { type Heard, percentile, runListener } from './listeners.ts'
import type { Stage } from './stage.ts'

/** What came of it. */
export interface Outcome {
  readonly seed: number
  readonly faults: number
  readonly byKind: Readonly<Record<string, number>>
  readonly acknowledged: number
  readonly uploads: number
  readonly lost: number
  readonly conflicts: number
  readonly readsOfOwn: number
  readonly readsRefused: number
  readonly refusals: Readonly<Record<string, number>>
  readonly songsHeard: number
  readonly underruns: number
  readonly identical: boolean
  readonly linearizable: boolean
  readonly changeoverMs: { readonly p50: number | null; readonly p99: number | null }
  /** From the end of a fault until every gateway takes writes and sees all others. */
  readonly recoveryMs: { readonly p50: number | null; readonly max: number | null }
  /** What is wrong, in words. */
  readonly violations: readonly string[]
}

export const isGood = ({ lost, identical, linearizable, violations }: Outcome): boolean =>
  lost === 0 && identical && linearizable && violations.length === 0

export interface RunOptions {
  readonly seed: number
  /** The faults, one after another; it ends when there are no more. */
  readonly faults: (random: () => number) => Iterable<Fault>
  readonly tell: (line: string) => void
}

const listeners = 2

/** Injects one fault after another while people write and listen, and then compares all that they were promised. */
export async function runFaults(stage: Stage, { seed, faults, tell }: RunOptions): Promise<Outcome> {
  const random = createRandom(seed)
  const ending = new AbortController()
  const heard: Heard = { songs: 0, bytes: 0, underruns: 0, wrong: 0, changeovers: [] }
  const { ledger, accounts, songs, sound, gateways } = stage
  const people = [
    ...accounts.map((_account, number) =>
      runClient(
        {
          number,
          accounts,
          gateways,
          songs: songs.map(({ id }) => id),
          sound,
          ledger,
          random: createRandom(seed + number + 1),
        },
        ending.signal,
      ),
    ),
    ...Array.from({ length: listeners }, (_, number) =>
      runListener({
        gateways,
        token: accounts[number % accounts.length]?.token ?? '',
        songs,
        random: createRandom(seed - number - 1),
        heard,
        ended: ending.signal,
      }),
    ),
  ]
  const living = Promise.all(people)
  const byKind = new Map<string, number>()
  const recoveries: number[] = []
  try {
    for (const fault of faults(random)) {
      const startedAt = performance.now()
      const before = { acknowledged: ledger.counts.acknowledged, underruns: heard.underruns }
      const about = await Promise.race([fault.run(stage, random), failureOf(living)])
      const endedAt = performance.now()
      await Promise.race([stage.works(), failureOf(living)])
      const recovery = performance.now() - endedAt
      recoveries.push(recovery)
      byKind.set(fault.name, (byKind.get(fault.name) ?? 0) + 1)
      const underruns = heard.underruns - before.underruns
      tell(
        [
          `${[...byKind.values()].reduce((sum, each) => sum + each, 0)}. ${fault.name}`,
          ...(about === undefined ? [] : [` (${about})`]),
          `: ${seconds(endedAt - startedAt)}, whole again after ${seconds(recovery)}`,
          `; ${ledger.counts.acknowledged - before.acknowledged} writes acknowledged`,
          ...(underruns === 0 ? [] : [`, ${underruns} UNDERRUNS`]),
        ].join(''),
      )
    }
  } finally {
    ending.abort()
    await stage.network.heal()
    await living.catch(() => undefined)
  }
  await living
  tell('Comparing everything at every gateway …')
  const { lost, notIdentical, notLinearizable } = await checkAll(stage)
  const { counts } = ledger
  return {
    seed,
    faults: [...byKind.values()].reduce((sum, each) => sum + each, 0),
    byKind: Object.fromEntries(byKind),
    acknowledged: counts.acknowledged,
    uploads: counts.uploads,
    lost: lost.length,
    conflicts: counts.conflicts,
    readsOfOwn: counts.readsOfOwn,
    readsRefused: counts.readsRefused,
    refusals: Object.fromEntries([...counts.refusals].toSorted()),
    songsHeard: heard.songs,
    underruns: heard.underruns,
    identical: heard.wrong === 0 && notIdentical.length === 0,
    linearizable: notLinearizable.length === 0,
    changeoverMs: { p50: percentile(heard.changeovers, 0.5), p99: percentile(heard.changeovers, 0.99) },
    recoveryMs: { p50: percentile(recoveries, 0.5), max: percentile(recoveries, 1) },
    violations: [...ledger.violations, ...lost, ...notIdentical, ...notLinearizable],
  }
}

/** Never resolves: rejects when one of them has failed. */
const failureOf = (living: Promise<unknown>): Promise<never> =>
  living.then(() => new Promise<never>(() => undefined))

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
