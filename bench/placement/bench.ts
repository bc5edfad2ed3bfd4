/**
 * How well does placement spread blobs, and how little does it move? Simulated: clusters of 3 to 1,000 nodes of unequal
 * capacity, 10,000,000 blobs, before and after a node joins. Leaving is the same the other way round.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { createPlacement, type Place } from '../../src/blobs/placement/placement.ts'
import { sharesOf } from '../../src/blobs/placement/shares.ts'
import { createRandom } from '../../test/harness/random.ts'

const settings = z.object({
  nodes: z.int(),
  zones: z.int(),
  replicas: z.int(),
  /** The largest node holds so many times what the smallest holds. */
  spread: z.number(),
  /** The zone of the node that joins: a new one, or one of those that are there. */
  joins: z.enum(['new zone', 'old zone']),
  blobs: z.int(),
  seed: z.int(),
})
type Settings = z.infer<typeof settings>

const result = z.object({
  /** The largest deviation of a node's share from its capacity's, before and after. */
  worstShare: z.number(),
  /** What of that is chance: four standard deviations of the smallest node's blobs. */
  chance: z.number(),
  /** Copies moved when the node joins, as a share of the least that brings every node to its share. */
  moved: z.number(),
  /** Blobs with two copies in one zone, though there are enough zones. */
  crowded: z.int(),
  nanosecondsPerPair: z.number(),
})
type Result = z.infer<typeof result>

const seed = 20_261_121
const blobs = Number(process.env.HOCKET_BENCH_BLOBS ?? 10_000_000)
const cases: Omit<Settings, 'blobs' | 'seed'>[] = [
  { nodes: 3, zones: 3, replicas: 2, spread: 4, joins: 'new zone' },
  { nodes: 5, zones: 5, replicas: 3, spread: 8, joins: 'new zone' },
  { nodes: 9, zones: 3, replicas: 2, spread: 4, joins: 'old zone' },
  { nodes: 10, zones: 10, replicas: 2, spread: 8, joins: 'new zone' },
  { nodes: 30, zones: 6, replicas: 2, spread: 4, joins: 'old zone' },
  { nodes: 100, zones: 20, replicas: 2, spread: 4, joins: 'old zone' },
  { nodes: 1_000, zones: 1_000, replicas: 2, spread: 4, joins: 'new zone' },
]

if (isMainThread) await main()
else parentPort?.postMessage(simulate(settings.parse(workerData)))

async function main(): Promise<void> {
  const answers: (Settings & Result)[] = []
  for (const one of cases) {
    const given = { ...one, blobs, seed }
    const found = await inThread(given)
    answers.push({ ...given, ...found })
    await save(answers)
    const { worstShare, chance, moved, crowded, nanosecondsPerPair } = found
    console.log(
      `${one.nodes} nodes, ${one.zones} zones, ${one.replicas} copies, capacities 1:${one.spread}, joins a ${one.joins}:`,
      `share off by ${percent(worstShare)} (chance alone ${percent(chance)}), moved ${moved.toFixed(3)} × the least,`,
      `${crowded} crowded, ${nanosecondsPerPair.toFixed(0)} ns per node and blob`,
    )
  }
}

async function save(answers: readonly unknown[]): Promise<void> {
  const machine = { processor: cpus()[0]?.model, cores: availableParallelism(), node: process.version }
  const text = JSON.stringify({ at: new Date().toISOString(), machine, answers }, null, 2)
  await writeFile(join(import.meta.dirname, 'answer.json'), `${text}\n`)
}

function inThread(given: Settings): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: given })
    worker.once('message', (message) => resolve(result.parse(message)))
    worker.once('error', reject)
  })
}

function simulate({
  nodes: count,
  zones,
  replicas,
  spread,
  joins,
  blobs: number,
  seed: from,
}: Settings): Result {
  const random = createRandom(from + count)
  const nodes = Array.from({ length: count + 1 }, (_, at): Place => {
    const isNew = at === count && joins === 'new zone'
    const capacityBytes = Math.round(1e12 * (1 + random() * (spread - 1)))
    return { id: idOf(at), zone: isNew ? 'new' : `zone ${at % zones}`, capacityBytes }
  })
  const before = createPlacement({ replicas, nodes: nodes.slice(0, count) })
  const after = createPlacement({ replicas, nodes })
  const held = { before: new Map<string, number>(), after: new Map<string, number>() }
  const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone]))
  let moved = 0
  let crowded = 0
  const since = performance.now()
  for (let blob = 0; blob < number; blob += 1) {
    // The first 64 bits of the name are all that counts; SHA-256 makes them as even as this does.
    const hash = hex(random()) + hex(random())
    const old = before.holders(hash)
    const now = after.holders(hash)
    for (const id of old) held.before.set(id, (held.before.get(id) ?? 0) + 1)
    for (const id of now) {
      held.after.set(id, (held.after.get(id) ?? 0) + 1)
      if (!old.includes(id)) moved += 1
    }
    if (new Set(now.map((id) => zoneOf.get(id))).size < replicas) crowded += 1
  }
  const nanosecondsPerPair = ((performance.now() - since) * 1e6) / (number * (2 * count + 1))

  const idealBefore = idealShares(nodes.slice(0, count), replicas)
  const idealAfter = idealShares(nodes, replicas)
  const off = (ideal: Map<string, number>, found: Map<string, number>) =>
    Math.max(...[...ideal].map(([id, share]) => Math.abs((found.get(id) ?? 0) / (share * number) - 1)))
  let least = 0
  for (const [id, share] of idealAfter) least += Math.max(0, share - (idealBefore.get(id) ?? 0))
  return {
    worstShare: Math.max(off(idealBefore, held.before), off(idealAfter, held.after)),
    chance: 4 / Math.sqrt(Math.min(...idealAfter.values()) * number),
    moved: moved / (least * number),
    crowded,
    nanosecondsPerPair,
  }
}

/** How many copies of a blob each node should hold on average: zones by capacity, and nodes within them. */
function idealShares(nodes: readonly Place[], replicas: number): Map<string, number> {
  const capacities = new Map<string, number>()
  for (const { zone, capacityBytes } of nodes)
    capacities.set(zone, (capacities.get(zone) ?? 0) + capacityBytes)
  const names = [...capacities.keys()]
  const shares = sharesOf([...capacities.values()], replicas)
  return new Map(
    nodes.map(({ id, zone, capacityBytes }) => [
      id,
      ((shares[names.indexOf(zone)] ?? 0) * capacityBytes) / (capacities.get(zone) ?? 1),
    ]),
  )
}

function idOf(at: number): string {
  return createHash('sha256').update(`node ${at}`).digest('hex').slice(0, 32)
}

function hex(random: number): string {
  return Math.floor(random * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}
