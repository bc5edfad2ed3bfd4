import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { membersFor } from '../../src/node/etcd/growth.ts'
import { type ClusterStatus, clusterStatus } from '../../src/protocol/api/cluster.ts'
import type { Client } from './client.ts'
import { signIn } from './client.ts'
import { temporaryFolder } from './folder.ts'
import type { Host } from './namespaces.ts'
import type { Network } from './network.ts'
import { administrator, runHocket, startNode, type TestNode } from './node.ts'
import { freeRow } from './ports.ts'
import { waitFor } from './wait.ts'

/** Several nodes on this machine, made as a person makes them: one that is started alone, and others that join it. */
export interface TestCluster extends AsyncDisposable {
  readonly nodes: readonly ClusterNode[]
  /** Lets one more node join; `env`: variables of its own. */
  grow(music?: readonly string[], env?: Readonly<Record<string, string>>): Promise<ClusterNode>
  /** Waits until every node sees so many nodes alive, and as many members of the store as these should have. */
  settled(alive: number): Promise<void>
}

export interface ClusterNode {
  readonly name: string
  readonly data: string
  readonly isGateway: boolean
  /** The line by which it joined; the first one did not. */
  readonly line: string | undefined
  /** The variables with which it is started, which its commands need as well. */
  readonly env: Readonly<Record<string, string>>
  /** The process as it runs now, or ran last. */
  readonly node: TestNode
  /** Where it runs, in a cluster that has a network of its own. */
  readonly host: Host | undefined
  /** Starts it again after it has ended, however it did; `env` changes its settings from now on. */
  start(env?: Readonly<Record<string, string>>): Promise<void>
  administrator(): Promise<Client>
  status(): Promise<ClusterStatus>
}

export interface ClusterOptions {
  readonly nodes: number
  /** Music folders of each node. */
  readonly music?: (node: number) => readonly string[]
  /** What each node does, as `--roles` takes it; everything unless told. */
  readonly roles?: (node: number) => string | undefined
  readonly env?: Readonly<Record<string, string>>
  /** Each node becomes a host of this network; otherwise all are on the loopback address of this machine. */
  readonly network?: Network
  /** The data folders of nodes that are to have theirs elsewhere than the others. */
  readonly data?: (node: number) => string | undefined
  /** Makes what the data folder of the first node is to hold before it becomes one. */
  readonly prepare?: (data: string) => Promise<void>
}

export async function startCluster({
  nodes: count,
  music = () => [],
  roles = () => undefined,
  env = {},
  network,
  data = () => undefined,
  prepare = async () => undefined,
}: ClusterOptions): Promise<TestCluster> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('cluster'))
  const nodes: ClusterNode[] = []
  stack.defer(async () => {
    await Promise.all(nodes.map(({ node }) => node[Symbol.asyncDispose]()))
  })

  async function grow(
    folders: readonly string[] = music(nodes.length),
    own: Readonly<Record<string, string>> = {},
  ): Promise<ClusterNode> {
    const number = nodes.length
    const name = `node-${number + 1}`
    const does = roles(number)
    const settings = await settingsOf(name, data(number) ?? `${folder.path}/${name}`, await network?.host(), {
      ...env,
      ...(does !== undefined && { HOCKET_ROLES: does }),
      ...own,
    })
    const first = nodes.find(({ node }) => node.isRunning)
    if (nodes.length === 0) await prepare(settings.data)
    const line = first === undefined ? await initialise(settings) : await inviteAt(first)
    const added = await run(settings, folders, first === undefined ? undefined : line)
    nodes.push(added)
    return added
  }

  for (let number = 0; number < count; number++) await grow()
  const owned = stack.move()
  const cluster: TestCluster = {
    nodes,
    grow,
    async settled(alive) {
      for (const { status, name } of nodes.filter(({ isGateway }) => isGateway)) {
        await waitFor(
          async () => {
            const { nodes: known, storeMembers } = await status()
            return known.filter((node) => node.alive).length === alive && storeMembers >= membersFor(alive)
          },
          {
            what: `${name} to see ${alive} nodes`,
            deadline: 60_000,
          },
        )
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
  return cluster
}

interface Settings {
  readonly name: string
  readonly data: string
  readonly host: Host | undefined
  readonly env: Readonly<Record<string, string>>
}

/** All ports are chosen here, since other nodes and pages know a node by them after it has been started again. */
async function settingsOf(
  name: string,
  data: string,
  host: Host | undefined,
  env: Readonly<Record<string, string>>,
): Promise<Settings> {
  const port = host === undefined ? await freeRow() : 4_650
  return {
    name,
    data,
    host,
    env: {
      HOCKET_NAME: name,
      HOCKET_HOST: host?.address ?? '127.0.0.1',
      HOCKET_ADDRESS: host?.address ?? '127.0.0.1',
      HOCKET_PORT: String(port),
      HOCKET_PEER_PORT: String(port + 1),
      HOCKET_ETCD_PORT: String(port + 2),
      ...env,
    },
  }
}

async function initialise({ data, env, host }: Settings): Promise<string> {
  const { code, stdout, stderr } = await runHocket(['cluster', 'init', '--data', data], {
    env,
    namespace: host?.namespace,
  })
  assert.equal(code, 0, stderr)
  return joinLineIn(stdout)
}

async function inviteAt({ data, host }: ClusterNode): Promise<string> {
  const { stdout, stderr } = await runHocket(['cluster', 'invite', '--data', data], {
    namespace: host?.namespace,
  })
  return joinLineIn(stdout + stderr)
}

export function joinLineIn(output: string): string {
  const [line] = /hocket:\/\/\S+/.exec(output) ?? []
  assert.ok(line, `a join line in ${output}`)
  return line
}

async function run(settings: Settings, music: readonly string[], line: string | undefined) {
  const { name, data, env, host } = settings
  let changed: Readonly<Record<string, string>> = {}
  const launch = () =>
    startNode({
      data,
      music,
      port: env.HOCKET_PORT,
      env: { ...env, ...changed },
      flags: line === undefined ? [] : ['--join', line],
      namespace: host?.namespace,
    })
  let node = await launch()
  const administratorHere = () => signIn(node.baseUrl, administrator)
  let client: Promise<Client> | undefined
  const started: ClusterNode = {
    name,
    data,
    isGateway: env.HOCKET_ROLES === undefined || env.HOCKET_ROLES.split(',').includes('gateway'),
    line,
    host,
    env,
    get node() {
      return node
    },
    async start(changes = {}) {
      changed = { ...changed, ...changes }
      client = undefined
      node = await launch()
    },
    administrator: administratorHere,
    async status() {
      client ??= administratorHere()
      client.catch(() => {
        client = undefined
      })
      return clusterStatus.parse((await (await client).get('/api/cluster')).body)
    },
  }
  return started
}

/** How many blobs lie in a node's data folder: the copies that it has made, and what was uploaded there. */
export async function blobsIn(data: string): Promise<number> {
  return (await blobNames(data)).length
}

/** The names of those. */
export async function blobNames(data: string): Promise<string[]> {
  const entries = await readdir(`${data}/blobs`, { recursive: true, withFileTypes: true }).catch(() => [])
  const names = entries.flatMap((entry) => (entry.isFile() ? [entry.name] : []))
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name))
}

/**
 * Waits until each of these contents lies on the disk of one of the nodes, whatever is in music folders. To count the
 * copies would not do: while the layout changes, one content may have two of them and another none.
 */
export async function heldBy(nodes: readonly ClusterNode[], hashes: readonly string[]): Promise<void> {
  await waitFor(
    async () => {
      const held = await Promise.all(nodes.map(({ data }) => blobNames(data)))
      return new Set(hashes).isSubsetOf(new Set(held.flat()))
    },
    { what: `${hashes.length} files to be copied`, deadline: 90_000 },
  )
}

/** The process of a node's own member of etcd, as long as it runs. */
export async function etcdOf(data: string): Promise<number> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of processes) {
    const [program = '', ...flags] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split(
      '\0',
    )
    if (program.endsWith('etcd') && flags.includes(`--data-dir=${data}/etcd`)) return Number(pid)
  }
  throw new Error(`no etcd works on ${data}`)
}
