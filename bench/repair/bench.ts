/**
 * A node is lost for good: how soon has every blob its two copies again, as a share of what disk and loopback can do, and
 * what do listeners notice? Three media nodes and a listener in processes of their own, over mutual TLS.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { createPlacement } from '../../src/blobs/placement/placement.ts'
import { startCluster } from '../../src/gateway/peers/testing/cluster.ts'
import { thrift } from '../../tools/launch/thrift.mjs'
import { cpuSeconds, machine, quantile } from '../streaming/machine.ts'
import type { Order } from './node.ts'

const { values } = parseArgs({
  options: { gigabytes: { type: 'string', default: '1' }, listeners: { type: 'string', default: '100' } },
})
const size = 4 * 1_024 * 1_024
/** Of three nodes with two copies, each holds two thirds of the blobs. */
const blobs = Math.round((Number(values.gigabytes) * 1e9 * 1.5) / size)
const listeners = Number(values.listeners)
const quietMs = 15_000

const answerOf = z.object({ id: z.int(), answer: z.unknown().optional(), error: z.string().optional() })
const milliseconds = z.number()
const names = z.array(z.string())

interface Node extends Disposable {
  readonly id: string
  readonly pid: number
  order<Schema extends z.ZodType>(order: Order, schema: Schema): Promise<z.output<Schema>>
}

function spawnNode(id: string): Node {
  // As `npm start` starts the real ones.
  const settings = { execArgv: [...thrift.flags], env: { ...process.env, ...thrift.env } }
  const child: ChildProcess = fork(join(import.meta.dirname, 'node.ts'), settings)
  let last = 0
  return {
    id,
    pid: child.pid ?? 0,
    order(order, schema) {
      last += 1
      const mine = last
      return new Promise((resolve, reject) => {
        child.on('message', function listen(message) {
          const { id: answered, answer, error } = answerOf.parse(message)
          if (answered !== mine) return
          child.off('message', listen)
          if (error === undefined) resolve(schema.parse(answer))
          else reject(new Error(error))
        })
        child.send({ id: mine, order })
      })
    },
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  }
}

await using stack = new AsyncDisposableStack()
const folder = await mkdtemp(join(tmpdir(), 'hocket-repair-'))
stack.defer(() => rm(folder, { recursive: true, force: true }))

const { identities, members } = await introduce()
const nodes = identities.map(({ id }) => stack.use(spawnNode(id)))
const [one, two, three, listener] = nodes
if (!one || !two || !three || !listener) throw new Error('four nodes')
await startAll()
const all = [one.id, two.id, three.id]
const filled = await Promise.all(
  [one, two, three].map((node) => node.order({ do: 'fill', nodes: all, blobs, size }, names)),
)
const hashes = filled[0] ?? []
const places = all.map((id) => ({ id, zone: id, capacityBytes: 1e12 }))
const { holders } = createPlacement({ replicas: 2, nodes: places })
const lackedBy = (node: Node) => hashes.filter((hash) => !holders(hash).includes(node.id))
const heldBy = (node: Node) => hashes.filter((hash) => holders(hash).includes(node.id))
const bytes = (lackedBy(one).length + lackedBy(two).length) * size
console.log(`${hashes.length} blobs of 4 MiB; with the third node ${Math.round(bytes / 1e6)} MB are lost`)

const fetching = (node: Node) => ({ from: node === one ? two.id : one.id, hashes: lackedBy(node) }) as const
const listening = { do: 'listen', from: one.id, hashes: heldBy(one), listeners } as const
restDisk()
const undisturbed = await whileListening(() => new Promise((resolve) => setTimeout(resolve, quietMs)))
const disk = await costOf(() =>
  slowest([one, two], (node) => ({ do: 'write', files: lackedBy(node).length, size })),
)
const loopback = await costOf(() => slowest([one, two], (node) => ({ do: 'fetch', ...fetching(node) })))
const both = await costOf(() => slowest([one, two], (node) => ({ do: 'copy', ...fetching(node) })))
restDisk()
const disturbed = await whileListening(() =>
  costOf(() => slowest([one, two], () => ({ do: 'repair', nodes: [one.id, two.id] }))),
)
const repair = disturbed.result

const answer = {
  at: new Date().toISOString(),
  machine: machine(),
  megabytes: Math.round(bytes / 1e6),
  disk,
  loopback,
  both,
  repair,
  shareOfSlower: Math.max(disk.seconds, loopback.seconds) / repair.seconds,
  shareOfBoth: both.seconds / repair.seconds,
  firstByteMs: {
    undisturbed: quantiles(undisturbed.firstBytes),
    repairing: quantiles(disturbed.firstBytes),
  },
}
console.log(JSON.stringify(answer, null, 2))
await writeFile(join(import.meta.dirname, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)

/** What was written before is no part of what follows: the disk is done with it. */
function restDisk(): void {
  execFileSync('sync')
}

interface Cost {
  readonly seconds: number
  /** Of the processor in the two nodes. */
  readonly processorSeconds: number
  /** What the two nodes read from the disk, since it was not in the system's memory any more. */
  readonly diskReadMegabytes: number
}

async function costOf(work: () => Promise<number>): Promise<Cost> {
  const used = (of: (pid: number) => number) => [one, two].reduce((sum, node) => sum + of(node?.pid ?? 0), 0)
  const [processor, read] = [used(cpuSeconds), used(diskReadBytes)]
  const seconds = (await work()) / 1_000
  return {
    seconds,
    processorSeconds: used(cpuSeconds) - processor,
    diskReadMegabytes: Math.round((used(diskReadBytes) - read) / 1e6),
  }
}

function diskReadBytes(pid: number): number {
  return Number(/^read_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

/** Certificates of one cluster for four nodes: made by the real joining, once. */
async function introduce() {
  await using cluster = await startCluster()
  const joined = [cluster.founder]
  for (const name of ['two', 'three', 'listener']) joined.push(await cluster.add(name))
  return {
    identities: joined.map(({ trust }) => trust.identity),
    members: await Promise.all(
      joined.map(async ({ id }) => {
        const member = await cluster.founder.registry.readMember(id)
        if (member === null) throw new Error('it has not joined')
        return member
      }),
    ),
  }
}

async function startAll(): Promise<void> {
  const addresses: [string, string][] = []
  for (const [at, node] of nodes.entries()) {
    const identity = identities[at]
    if (identity === undefined) throw new Error('a node without an identity')
    const port = await node.order({ do: 'start', folder, identity, members }, z.int())
    addresses.push([node.id, `127.0.0.1:${port}`])
  }
  for (const node of nodes) await node.order({ do: 'meet', addresses }, z.unknown())
}

/** The nodes at the same time: milliseconds until the last one is done. */
async function slowest(those: readonly Node[], order: (node: Node) => Order): Promise<number> {
  return Math.max(...(await Promise.all(those.map((node) => node.order(order(node), milliseconds)))))
}

async function whileListening<Result>(work: () => Promise<Result>) {
  if (listener === undefined) throw new Error('nobody listens')
  const heard = listener.order(listening, z.array(z.number()))
  const result = await work()
  await listener.order({ do: 'stop listening' }, z.unknown())
  return { result, firstBytes: await heard }
}

function quantiles(values: readonly number[]) {
  return { ranges: values.length, p50: quantile(values, 0.5), p99: quantile(values, 0.99) }
}
