/** A media node of the benchmark, in a process of its own: its blobs, its server and its calls, nothing else. */
import { createCipheriv, createHash } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { startCopies } from '../../src/blobs/copies/copies.ts'
import { createCourtesy } from '../../src/blobs/copies/courtesy.ts'
import { createElsewhere } from '../../src/blobs/copies/elsewhere.ts'
import { createHeld } from '../../src/blobs/copies/held.ts'
import { createBlobPeers } from '../../src/blobs/copies/remote.ts'
import type { Referenced, References, Whereabouts } from '../../src/blobs/copies/whereabouts.ts'
import { openDiskBlobs } from '../../src/blobs/disk.ts'
import { createPlacement } from '../../src/blobs/placement/placement.ts'
import { peerBlobRoutes } from '../../src/gateway/peers/blobs.ts'
import { createFetcher } from '../../src/gateway/peers/fetcher.ts'
import { startPeerServer } from '../../src/gateway/peers/server.ts'
import type { Member } from '../../src/protocol/facts/cluster.ts'
import type { BlobHash, Id } from '../../src/protocol/ids.ts'
import { createCalls } from '../../src/registry/calls.ts'
import type { LiveNode } from '../../src/registry/registry.ts'
import type { Identity } from '../../src/registry/trust/identity.ts'

/** What the benchmark tells a node to do; it answers each with what comes of it. */
export type Order =
  | {
      readonly do: 'start'
      readonly folder: string
      readonly identity: Identity
      readonly members: readonly Member[]
    }
  | { readonly do: 'meet'; readonly addresses: readonly (readonly [Id, string])[] }
  /** Puts those of the blobs that belong here by a layout of these nodes. Answers all their names. */
  | { readonly do: 'fill'; readonly nodes: readonly Id[]; readonly blobs: number; readonly size: number }
  /** Baseline: reads the blobs from another node, and throws them away. */
  | { readonly do: 'fetch'; readonly from: Id; readonly hashes: readonly BlobHash[] }
  /** Baseline: reads the blobs from another node, and writes each as a file, flushed and renamed, whatever it holds. */
  | { readonly do: 'copy'; readonly from: Id; readonly hashes: readonly BlobHash[] }
  /** Baseline: writes as many files of that size, each flushed and renamed. */
  | { readonly do: 'write'; readonly files: number; readonly size: number }
  /** Looks after its copies in a layout of these nodes. Answers with the milliseconds until it is filled. */
  | { readonly do: 'repair'; readonly nodes: readonly Id[] }
  /** A listener: reads ranges of blobs at a pace until told to stop. */
  | {
      readonly do: 'listen'
      readonly from: Id
      readonly hashes: readonly BlobHash[]
      readonly listeners: number
    }
  | { readonly do: 'stop listening' }

const rangeBytes = 64 * 1_024
/** A range of 64 KiB lasts so long at 320 kbit/s, in milliseconds. */
const rangeMs = 1_638
const replicas = 2

const signal = new AbortController().signal
let stopListening = new AbortController()

async function start(order: Extract<Order, { do: 'start' }>) {
  const { identity, members } = order
  const folder = join(order.folder, identity.id)
  const live: LiveNode[] = []
  const registry = {
    nodes: () => live,
    node: (id: Id) => live.find((one) => one.id === id) ?? null,
    member: (id: Id) => members.find((one) => one.id === id) ?? null,
    readMember: async (id: Id) => members.find((one) => one.id === id) ?? null,
    subscribe: () => () => undefined,
  }
  const trust = { identity, subscribe: () => () => undefined }
  const calls = createCalls({ registry, trust })
  const peers = createBlobPeers(calls.open, () => live.map(({ id }) => id).filter((id) => id !== identity.id))
  const blobs = await openDiskBlobs(folder, {
    cacheBytes: 16 * 1_024 * 1_024,
    otherCopies: (hash) => elsewhere.inTurn(hash),
    report: (event) => console.error(event),
  })
  const referenced = new Map<BlobHash, Referenced>()
  let names: BlobHash[] = []
  const references: References = {
    get: (hash) => referenced.get(hash) ?? null,
    page(after = '', limit) {
      const from = names.findIndex((name) => name > after)
      return from < 0 ? [] : names.slice(from, from + limit).flatMap((name) => referenced.get(name) ?? [])
    },
  }
  let where: Whereabouts | null = null
  const elsewhere = createElsewhere(peers, () => where, references)
  const courtesy = createCourtesy()
  const held = createHeld(blobs, () => [])
  const routes = [peerBlobRoutes({ blobs, held, courtesy })]
  const log = pino({ level: 'silent' })
  const server = await startPeerServer({ host: '127.0.0.1', port: 0, trust, registry, routes, log })

  /** A folder that is gone afterwards. */
  async function withTarget<Result>(work: (target: string) => Promise<Result>): Promise<Result> {
    const target = join(folder, 'baseline')
    await mkdir(target, { recursive: true })
    const result = await work(target)
    await rm(target, { recursive: true })
    return result
  }

  function lay(nodes: readonly Id[]): void {
    const places = nodes.map((id) => ({ id, zone: id, capacityBytes: 1e12 }))
    const current = createPlacement({ replicas, nodes: places })
    where = { version: (where?.version ?? 0) + 1, current, previous: where?.current ?? null }
  }

  return {
    port: server.port,
    meet: (addresses: readonly (readonly [Id, string])[]) => {
      for (const [id, address] of addresses) live.push(liveNode(id, address))
    },
    async fill(nodes: readonly Id[], count: number, size: number) {
      lay(nodes)
      for (let number = 0; number < count; number += 1) {
        const bytes = contentOf(number, size)
        const hash = createHash('sha256').update(bytes).digest('hex')
        referenced.set(hash, { hash, size, inPlace: [] })
        if (where?.current.holders(hash).includes(identity.id)) await blobs.put(piecesOf(bytes))
      }
      names = [...referenced.keys()].sort()
      return names
    },
    fetch: (from: Id, hashes: readonly BlobHash[]) =>
      threeAtATime(hashes, async (hash) => {
        using copy = await peers.open(from, hash, 'copy', signal)
        for await (const _ of copy.chunks(undefined, signal));
      }),
    copy: (from: Id, hashes: readonly BlobHash[]) =>
      withTarget(async (target) => {
        return await threeAtATime(hashes, async (hash) => {
          using copy = await peers.open(from, hash, 'copy', signal)
          await writeFlushed(join(target, hash), copy.chunks(undefined, signal))
        })
      }),
    write: (files: number, size: number) =>
      withTarget(async (target) => {
        const bytes = contentOf(-1, size)
        const names = Array.from({ length: files }, (_, number) => String(number))
        return await threeAtATime(names, (name) => writeFlushed(join(target, name), piecesOf(bytes)))
      }),
    async repair(nodes: readonly Id[]) {
      lay(nodes)
      const since = performance.now()
      await using fetcher = createFetcher({ registry, trust, onError: (error) => console.error(error) })
      const copies = startCopies({
        isMedia: true,
        self: identity.id,
        blobs,
        peers,
        fetchAside: fetcher.fetch,
        references,
        where: () => where,
        queuePath: join(folder, 'copies.db'),
        compareEveryMs: 3_600_000,
        onEvent: (event) => console.error(event),
      })
      while (copies.status().filled !== where?.version)
        await new Promise((resolve) => setTimeout(resolve, 20))
      const tookMs = performance.now() - since
      await copies[Symbol.asyncDispose]()
      return tookMs
    },
    async listen(from: Id, hashes: readonly BlobHash[], listeners: number) {
      stopListening = new AbortController()
      const firstBytes: number[] = []
      await Promise.all(
        Array.from({ length: listeners }, async (_, listener) => {
          await rest((rangeMs * listener) / listeners)
          for (let count = 0; !stopListening.signal.aborted; count += 1) {
            const hash = hashes[(listener * 37 + count) % hashes.length] ?? ''
            const since = performance.now()
            const answer = await calls.open(
              from,
              { method: 'GET', path: `/blobs/${hash}`, headers: { range: `bytes=0-${rangeBytes - 1}` } },
              { deadlineMs: 10_000, stallMs: 10_000 },
            )
            let isFirst = true
            for await (const _ of answer.body) {
              if (isFirst) firstBytes.push(performance.now() - since)
              isFirst = false
            }
            await rest(rangeMs)
          }
        }),
      )
      return firstBytes
    },
  }
}

/** Milliseconds until all are done. */
async function threeAtATime(
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<number> {
  const since = performance.now()
  const left = names.values()
  await Promise.all(
    [1, 2, 3].map(async () => {
      for (const name of left) await work(name)
    }),
  )
  return performance.now() - since
}

async function writeFlushed(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  {
    await using file = await open(`${path}.new`, 'wx')
    for await (const piece of bytes) await file.write(piece)
    await file.sync()
  }
  await rename(`${path}.new`, path)
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    stopListening.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function liveNode(id: Id, address: string): LiveNode {
  return {
    id,
    name: id,
    incarnation: id,
    startedAt: 0,
    addresses: [address],
    publicUrl: null,
    roles: ['media'],
    zone: id,
    version: '0',
    freeBytes: 1,
    totalBytes: 1,
    load: 0,
    state: 'active',
    capacityBytes: null,
    skewMs: null,
  }
}

/** The same noise for the same number, on every node. */
function contentOf(number: number, size: number): Buffer {
  const key = createHash('sha256').update(`blob ${number}`).digest().subarray(0, 16)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += rangeBytes) yield bytes.subarray(at, at + rangeBytes)
}

let node: Awaited<ReturnType<typeof start>> | null = null

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'start') {
    node = await start(order)
    return node.port
  }
  if (node === null) throw new Error('the node has not been started')
  switch (order.do) {
    case 'meet':
      return node.meet(order.addresses)
    case 'fill':
      return await node.fill(order.nodes, order.blobs, order.size)
    case 'fetch':
      return await node.fetch(order.from, order.hashes)
    case 'copy':
      return await node.copy(order.from, order.hashes)
    case 'write':
      return await node.write(order.files, order.size)
    case 'repair':
      return await node.repair(order.nodes)
    case 'listen':
      return await node.listen(order.from, order.hashes, order.listeners)
    case 'stop listening':
      return stopListening.abort()
  }
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  obey(order).then(
    (answer) => process.send?.({ id, answer }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  )
})
