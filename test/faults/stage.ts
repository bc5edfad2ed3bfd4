import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeMusic } from '../../tools/demo/music.ts'
import { encodeTone } from '../fixtures/audio.ts'
import { tracksOf } from '../harness/catalog.ts'
import { signIn } from '../harness/client.ts'
import { type ClusterNode, heldBy, startCluster, type TestCluster } from '../harness/cluster.ts'
import { temporaryFolder } from '../harness/folder.ts'
import type { Host } from '../harness/namespaces.ts'
import { createNetwork, type Network } from '../harness/network.ts'
import { administrator } from '../harness/node.ts'
import { scanned } from '../harness/scan.ts'
import { type SmallDisk, smallDisk } from '../harness/small-disk.ts'
import { waitFor } from '../harness/wait.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { Song } from './listeners.ts'
import { ask } from './request.ts'
import type { Account } from './writer.ts'

/** A cluster of three machines on a network of their own, with music, and people who have accounts. */
export interface Stage extends AsyncDisposable {
  readonly network: Network
  readonly cluster: TestCluster
  /** The disk of the last node: a small one that may be filled. */
  readonly disk: SmallDisk
  readonly accounts: readonly Account[]
  readonly songs: readonly Song[]
  /** A playable sound, to be tagged and uploaded. */
  readonly sound: Buffer
  readonly gateways: () => readonly string[]
  readonly ledger: Ledger
  /** One more machine, for a node that must not be: always the same. */
  twin(): Promise<Host>
  /** Every machine by its place, from 0. */
  node(number: number): ClusterNode
  host(number: number): Host
  /** Waits until every gateway takes a write, and sees all nodes alive. */
  works(): Promise<void>
}

const names = ['ada', 'berta', 'clara', 'dora', 'emma', 'flora'] as const
const machines = 3
/** How long each song is; at the pace of the listeners it lasts three times as long. */
const songSeconds = 10
const diskMebibytes = 700
/** The slowest that a cluster may be to work again, in milliseconds. A busy machine with two cores has been seen to take 30 s. */
const recoverMs = 120_000

export async function openStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const network = stack.use(await createNetwork())
  const folder = stack.use(await temporaryFolder('faults'))
  const disk = stack.use(await smallDisk(diskMebibytes))
  const music = join(folder.path, 'music')
  await writeMusic(music, songSeconds)
  const cluster = stack.use(
    await startCluster({
      nodes: machines,
      network,
      music: (number) => (number === 0 ? [music] : []),
      data: (number) => (number === machines - 1 ? join(disk.path, 'data') : undefined),
    }),
  )
  const node = (number: number) => {
    const found = cluster.nodes[number]
    assert.ok(found)
    return found
  }
  const host = (number: number) => {
    const found = node(number).host
    assert.ok(found)
    return found
  }
  await cluster.settled(machines)
  const ada = await node(0).administrator()
  await scanned(ada)
  const accounts = await Promise.all(
    names.map(async (name) => {
      if (name === administrator.name) return { name, token: ada.token }
      const person = { name, password: administrator.password }
      const made = await ada.call('POST', '/api/users', { ...person, role: 'administrator' })
      assert.equal(made.status, 201)
      return { name, token: (await signIn(node(0).node.baseUrl, person)).token }
    }),
  )
  const tracks = await waitFor(
    async () => {
      const found = await tracksOf(ada)
      return found.length === 6 && found
    },
    { what: 'the music' },
  )
  const songs = await Promise.all(
    tracks.map(async ({ id, track, title }) => {
      const original = await readFile(join(music, `${track} ${title}.wav`))
      return { id, hash: createHash('sha256').update(original).digest('hex') }
    }),
  )
  const gateways = () => cluster.nodes.map((each) => each.node.baseUrl)
  // Each song has a copy besides the one in the music folder.
  const hashes = songs.map(({ hash }) => hash)
  await heldBy(cluster.nodes.slice(1), hashes)

  async function works(): Promise<void> {
    const [account] = accounts
    for (const [at, gateway] of gateways().entries()) {
      await waitFor(
        async () => {
          const path = `/api/marks/track/${songs[0]?.id}`
          const token = account?.token ?? ''
          const wrote = await ask({ gateway, token, method: 'PUT', path, json: { starred: true } })
          if (wrote.kind !== 'done') throw new Error(`${node(at).name}: ${wrote.code}`)
          const { nodes } = await node(at).status()
          const dead = nodes.filter((each) => !each.alive && each.state !== 'removed')
          if (dead.length > 0) throw new Error(`${node(at).name} misses ${dead.map(({ name }) => name)}`)
          return true
        },
        { what: `${node(at).name} to work again`, deadline: recoverMs },
      )
    }
  }

  let twin: Promise<Host> | undefined
  const sound = await encodeTone('mp3', 1, 150)
  await works()
  const owned = stack.move()
  return {
    network,
    cluster,
    disk,
    accounts,
    songs,
    sound,
    gateways,
    ledger: createLedger(),
    twin: () => (twin ??= network.host()),
    node,
    host,
    works,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
