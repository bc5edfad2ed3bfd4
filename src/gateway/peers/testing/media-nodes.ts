import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Copies, type CopiesEvent, startCopies } from '../../../blobs/copies/copies.ts'
import { createCourtesy } from '../../../blobs/copies/courtesy.ts'
import { createElsewhere, type ElsewhereCopies } from '../../../blobs/copies/elsewhere.ts'
import type { Fetch } from '../../../blobs/copies/fetch.ts'
import { createHeld, type FilesInPlace, type HeldCopies } from '../../../blobs/copies/held.ts'
import { createQuorum, type Quorum } from '../../../blobs/copies/quorum.ts'
import { createBlobPeers } from '../../../blobs/copies/remote.ts'
import type { Referenced, References, Whereabouts } from '../../../blobs/copies/whereabouts.ts'
import { type DiskBlobs, openDiskBlobs } from '../../../blobs/disk.ts'
import type { BlobPeers } from '../../../blobs/peers.ts'
import { createPlacement } from '../../../blobs/placement/placement.ts'
import type { BlobHash, Id } from '../../../protocol/ids.ts'
import { peerBlobRoutes } from '../blobs.ts'
import { createFetcher } from '../fetcher.ts'
import type { PeerRoutes } from '../server.ts'
import { startCluster, type TestNode } from './cluster.ts'

/**
 * How a node answers the others. `down`: not at all, and they know it. `stalled`: it takes requests and says nothing, like
 * a process that was stopped.
 */
export type Health = 'well' | 'down' | 'stalled'

/** A media node as the others see it: real blobs on a disk behind the real routes and TLS. */
export interface MediaNode {
  readonly id: Id
  readonly folder: string
  readonly blobs: DiskBlobs
  readonly peers: BlobPeers
  readonly elsewhere: ElsewhereCopies
  readonly quorum: Quorum
  readonly fetchAside: Fetch
  readonly events: CopiesEvent[]
  health: Health
  /** Replaces bytes on their way out, as a broken node would. */
  lie: ((bytes: Buffer) => Buffer) | null
  filesInPlace: FilesInPlace
  /** Starts what looks after its copies. */
  /** `isMedia`: with the role `media`; so unless told otherwise. */
  startCopies(isMedia?: boolean): Copies
  stopCopies(): Promise<void>
  /** As the node does when a copy has been set aside. */
  replace(hash: BlobHash): void
  hashes(): Promise<BlobHash[]>
}

/** Several media nodes, the layout that all of them know, and the blobs that facts refer to. */
export interface MediaNodes extends AsyncDisposable {
  readonly nodes: readonly MediaNode[]
  readonly referenced: Map<BlobHash, Referenced>
  where: Whereabouts | null
  /** Makes a layout of these nodes; the one before counts until `fill`. */
  lay(nodes: readonly MediaNode[], replicas?: number): void
  fill(): void
  writeQuorum: number
  /** Puts bytes onto nodes, and lets facts refer to them. */
  add(bytes: Uint8Array, nodes: readonly MediaNode[]): Promise<BlobHash>
  /** The nodes where the blob belongs by the current layout. */
  holders(hash: BlobHash): MediaNode[]
}

/** `folders`: the data folders of the first nodes, where they are to lie somewhere else than the others. */
export async function openMediaNodes(
  count: number,
  folders: readonly (string | undefined)[] = [],
): Promise<MediaNodes> {
  await using stack = new AsyncDisposableStack()
  const nodes: MediaNode[] = []
  const referenced = new Map<BlobHash, Referenced>()
  const references: References = {
    get: (hash) => referenced.get(hash) ?? null,
    page: (after = '', limit) =>
      [...referenced.keys()]
        .filter((hash) => hash > after)
        .sort()
        .slice(0, limit)
        .flatMap((hash) => referenced.get(hash) ?? []),
  }

  /** The blobs of a node before it is known which one it is: the server has its routes when it starts. */
  async function openDisk(given: string | undefined) {
    const folder = given ?? (await mkdtemp(join(tmpdir(), 'hocket-media-')))
    if (given === undefined) stack.defer(() => rm(folder, { recursive: true, force: true }))
    const state: { node: MediaNode | null } = { node: null }
    const blobs = stack.use(
      await openDiskBlobs(folder, {
        cacheBytes: 4 * 1024 * 1024,
        otherCopies: (hash) => state.node?.elsewhere.inTurn(hash) ?? [],
        report({ kind, hash }) {
          if (kind === 'corrupt') state.node?.replace(hash)
        },
      }),
    )
    const courtesy = createCourtesy()
    const held = createHeld(blobs, (hash) => state.node?.filesInPlace(hash) ?? [])
    const blobRoutes = peerBlobRoutes({ blobs, held: lying(held, () => state.node?.lie ?? null), courtesy })
    const routes: PeerRoutes = (app) => {
      app.addHook('onRequest', async ({ raw }) => {
        if (state.node?.health === 'down') raw.destroy()
        if (state.node?.health === 'stalled') await once(raw.socket, 'close')
      })
      blobRoutes(app)
    }
    return { folder, blobs, routes, state }
  }
  type Disk = Awaited<ReturnType<typeof openDisk>>

  function mediaNode({ id, calls, registry, trust }: TestNode, { folder, blobs }: Disk): MediaNode {
    const events: CopiesEvent[] = []
    const isLive = (other: MediaNode) => other.health !== 'down' && other.id !== id
    const peers = createBlobPeers(calls.open, () => nodes.filter(isLive).map((other) => other.id))
    const where = () => all.where
    const onError = (error: unknown) => events.push({ kind: 'trouble', error })
    const { fetch: fetchAside } = stack.use(createFetcher({ registry, trust, onError }))
    let copies: Copies | null = null
    async function stopCopies(): Promise<void> {
      const running = copies
      copies = null
      await running?.[Symbol.asyncDispose]()
    }
    stack.defer(stopCopies)
    return {
      id,
      folder,
      blobs,
      peers,
      elsewhere: createElsewhere(peers, where, references),
      quorum: createQuorum({ self: id, peers, where, writeQuorum: () => all.writeQuorum }),
      fetchAside,
      events,
      health: 'well',
      lie: null,
      filesInPlace: () => [],
      startCopies(isMedia = true) {
        copies = startCopies({
          self: id,
          isMedia,
          blobs,
          peers,
          fetchAside,
          references,
          where,
          queuePath: join(folder, 'copies.db'),
          compareEveryMs: 3_600_000,
          onEvent: (event) => events.push(event),
        })
        return copies
      },
      stopCopies,
      replace: (hash) => copies?.look(hash),
      async hashes() {
        const found: BlobHash[] = []
        for await (const { hash } of blobs.list()) found.push(hash)
        return found
      },
    }
  }

  const disks: Disk[] = []
  for (let number = 0; number < count; number += 1) disks.push(await openDisk(folders[number]))
  const [first, ...others] = disks
  if (first === undefined) throw new Error('at least one node')
  const cluster = stack.use(await startCluster([first.routes]))
  const all: MediaNodes = {
    nodes,
    referenced,
    where: null,
    writeQuorum: 2,
    lay(members, replicas = 2) {
      const before = all.where
      const placed = members.map(({ id }) => ({ id, zone: id, capacityBytes: 1e12 }))
      const current = createPlacement({ replicas, nodes: placed })
      const previous = before === null ? null : (before.previous ?? before.current)
      all.where = { version: (before?.version ?? 0) + 1, current, previous }
    },
    fill() {
      if (all.where !== null) all.where = { ...all.where, previous: null }
    },
    async add(bytes, holders) {
      const hash = createHash('sha256').update(bytes).digest('hex')
      for (const { blobs } of holders) await blobs.put(Readable.from([bytes]))
      referenced.set(hash, { hash, size: bytes.length, inPlace: [] })
      return hash
    },
    holders: (hash) =>
      (all.where?.current.holders(hash) ?? []).flatMap((id) => nodes.find((node) => node.id === id) ?? []),
    [Symbol.asyncDispose]: () => disposing.disposeAsync(),
  }
  nodes.push(mediaNode(cluster.founder, first))
  for (const [number, disk] of others.entries())
    nodes.push(mediaNode(await cluster.add(`node ${number + 2}`, [disk.routes]), disk))
  for (const [number, { state }] of disks.entries()) state.node = nodes[number] ?? null
  const disposing = stack.move()
  return all
}

/** What is held, with the bytes that go out replaced where the node lies. */
function lying(held: HeldCopies, lie: () => MediaNode['lie']): HeldCopies {
  return {
    ...held,
    async open(hash, signal) {
      const reader = await held.open(hash, signal)
      const replace = lie()
      if (replace === null) return reader
      const replaced = async function* (pieces: AsyncIterable<Uint8Array>) {
        for await (const bytes of pieces) yield replace(Buffer.from(bytes))
      }
      return {
        ...reader,
        chunks: (range, chunkSignal) => replaced(reader.chunks(range, chunkSignal)),
        scan: (range, scanSignal) => replaced(reader.scan(range, scanSignal)),
      }
    },
  }
}
