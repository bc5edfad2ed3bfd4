import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readMembership, storeMembers } from '../../src/node/cluster/membership.ts'
import { scanStatus, type TrackSummary } from '../../src/protocol/api/catalog.ts'
import { clusterStatus } from '../../src/protocol/api/cluster.ts'
import { openMembership } from '../../src/store/etcd/members.ts'
import { tracksOf } from '../../test/harness/catalog.ts'
import { type Client, client, signIn } from '../../test/harness/client.ts'
import { blobsIn } from '../../test/harness/cluster.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { createMachine, type Machine } from './machine.ts'
import { writeMusic } from './music.ts'
import { freeRows } from './ports.ts'

/** Three machines that are one service, made as a person makes them. Disposing of it ends them. */
export interface DemoCluster extends AsyncDisposable {
  readonly machines: readonly Machine[]
  readonly administrator: { readonly name: string; readonly password: string }
  /** Where the first machine's music lies. */
  readonly music: string
  readonly tracks: readonly TrackSummary[]
  /** The administrator at one of the machines. */
  at(machine: Machine): Client
  /** Waits until all are there, etcd's members agree on a leader, and every song has its two copies. */
  whole(): Promise<void>
  /** Waits until the others know that this machine is gone. */
  missed(machine: Machine): Promise<void>
  /** The machine whose member leads etcd; rejects while there is none. */
  leader(): Promise<Machine>
}

export interface DemoOptions {
  readonly folder: string
  /** How long each song is. */
  readonly seconds: number
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
}

const names = ['cellar', 'attic', 'office'] as const
/** Milliseconds; a slow machine that does much else takes a minute. */
const wholeDeadline = 180_000

export async function startCluster({ folder, seconds, tell, signal }: DemoOptions): Promise<DemoCluster> {
  await using stack = new AsyncDisposableStack()
  const administrator = { name: 'ada', password: randomBytes(9).toString('base64url') }
  const rows = await freeRows(names.length)
  const machines = names.map((name, at) =>
    createMachine({ name, data: join(folder, name, 'data'), port: rows[at] ?? 0, administrator, signal }),
  )
  stack.defer(async () => {
    await Promise.all(machines.map((machine) => machine.cut()))
  })
  const [first, ...others] = machines
  if (first === undefined) throw new Error('There is no first machine')

  const music = join(folder, first.name, 'music')
  tell('Writing music of our own …')
  await writeMusic(music, seconds)
  tell(`Making ${first.name} the first machine of a cluster …`)
  await first.command('cluster', 'init')
  await first.start('--music', music)
  const { token } = await signIn(first.url, administrator)
  const at = ({ url }: Machine) => client(url, token)
  tell('Reading the music …')
  // What is not hashed yet has no name under which others could copy it.
  const isRead = async () => {
    const { finishedAt, unhashed } = scanStatus.parse((await at(first).get('/api/scan')).body)
    return finishedAt !== undefined && unhashed === 0
  }
  await waitFor(isRead, { what: 'the music to be read', signal })
  const tracks = await tracksOf(at(first))
  for (const machine of others) {
    tell(`${machine.name} joins …`)
    await machine.start('--join', joinLineIn(await first.command('cluster', 'invite')))
  }

  const statusAt = async (machine: Machine) =>
    clusterStatus.parse((await at(machine).get('/api/cluster')).body)

  async function isWhole(): Promise<boolean> {
    const statuses = await Promise.all(machines.map(statusAt))
    // The first copy of each song is in the music folder, and is not counted among these.
    const copies = (await Promise.all(machines.map(({ data }) => blobsIn(data)))).reduce(
      (sum, count) => sum + count,
      0,
    )
    return (
      copies >= tracks.length &&
      statuses.every(
        ({ nodes, storeReachable, storeMembers: voting, copies: { settled } }) =>
          nodes.every(({ alive }) => alive) && storeReachable && voting === machines.length && settled,
      ) &&
      new Set((await storeStatuses()).map(({ leader }) => leader)).size === 1
    )
  }

  /** What each member of etcd says of itself. Rejects unless all of them answer. */
  async function storeStatuses() {
    const identity = first && (await readMembership(first.data))
    if (!identity) throw new Error(`${first?.name} is in no cluster`)
    using membership = openMembership(storeMembers(identity))
    return await Promise.all(
      machines.map(async (machine) => {
        const { header, leader } = await membership.status(machine.etcdUrl, signal)
        return { machine, leader, leads: header.member === leader }
      }),
    )
  }

  const whole = async () => {
    await waitFor(isWhole, { what: 'the cluster to be whole', deadline: wholeDeadline, signal })
  }
  tell('Waiting until every song has its two copies …')
  await whole()
  const owned = stack.move()
  return {
    machines,
    administrator,
    music,
    tracks,
    at,
    whole,
    async missed(machine) {
      const left = machines.filter((each) => each !== machine)
      const isMissed = async () => {
        const nodes = (await Promise.all(left.map(statusAt))).flatMap((status) => status.nodes)
        return nodes.every(({ name, alive }) => name !== machine.name || !alive)
      }
      await waitFor(isMissed, { what: `${machine.name} to be missed`, signal })
    },
    async leader() {
      const found = (await storeStatuses()).find(({ leads }) => leads)
      if (found === undefined) throw new Error('No member of etcd leads')
      return found.machine
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function joinLineIn(output: string): string {
  const [line] = /hocket:\/\/\S+/.exec(output) ?? []
  if (line === undefined) throw new Error(`There is no join line in: ${output}`)
  return line
}
