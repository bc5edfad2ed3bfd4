import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { Fault } from '../test/faults/fault.ts'
import { faults, nextFault } from '../test/faults/faults.ts'
import { isGood, runFaults } from '../test/faults/run.ts'
import { openStage } from '../test/faults/stage.ts'

/**
 * `npm run test:faults -- --minutes N --seed S`: random faults, one after another, for so many minutes; with `--only TEXT`
 * those whose names hold the text. Prints one line of JSON on standard output, and exits 1 where an acknowledged write
 * was lost, a byte was wrong, or a history is not linearizable. Which faults come, in which order and to whom, follows
 * from the seed; what happens meanwhile does not.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    only: { type: 'string', default: '' },
  },
})
const minutes = z.coerce.number().positive().parse(values.minutes)
const seed = z.coerce.number().int().nonnegative().parse(values.seed)
const chosen = faults.filter(({ name }) => name.includes(values.only))
if (chosen.length === 0) throw new Error(`No fault is called like that. There are:\n${names(faults)}`)
const tell = (line: string) => console.error(line)

const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort())

function* untilTheEnd(random: () => number) {
  const end = performance.now() + minutes * 60_000
  while (performance.now() < end && !ending.signal.aborted) yield nextFault(random, chosen)
}

tell(`Seed ${seed}, ${minutes} minutes. Starting three machines …`)
const outcome = await (async () => {
  await using stage = await openStage()
  return await runFaults(stage, { seed, faults: untilTheEnd, tell })
})()
console.log(JSON.stringify(outcome))
process.exitCode = isGood(outcome) ? 0 : 1

function names(all: readonly Fault[]): string {
  return all.map(({ name }) => `  ${name}`).join('\n')
}
