import assert from 'node:assert/strict'
import { type ClusterStatus, clusterStatus } from '../../src/protocol/api/cluster.ts'
import type { Client } from './client.ts'
import { signIn } from './client.ts'
import { freePorts } from './etcd.ts'
import { type TemporaryFolder, temporaryFolder } from './folder.ts'
import { administrator, runHocket, startNode, type TestNode } from './node.ts'
import { waitFor } from './wait.ts'

/** Several nodes on this machine, made as a person makes them: one that is started alone, and others that join it. */
export interface TestCluster extends AsyncDisposable {
  readonly nodes: readonly ClusterNode[]
  /** Lets one more node join. */
  grow(music?: readonly string[]): Promise<ClusterNode>
  /** Waits until every node sees so many nodes alive. */
  settled(alive: number): Promise<void>
}

export interface ClusterNode {
  readonly name: string
  readonly data: string
  /** The process as it runs now, or ran last. */
  readonly node: TestNode
  /** Starts it again after it has ended, however it did. */
  start(): Promise<void>
  administrator(): Promise<Client>
  status(): Promise<ClusterStatus>
}

export interface ClusterOptions {
  readonly nodes: number
  /** Music folders of each node. */
  readonly music?: (node: number) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export async function startCluster({
  nodes: count,
  music = () => [],
  env = {},
}: ClusterOptions): Promise<TestCluster> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('cluster'))
  const nodes: ClusterNode[] = []
  stack.defer(async () => {
    await Promise.all(nodes.map(({ node }) => node[Symbol.asyncDispose]()))
  })

  async function grow(folders: readonly string[] = music(nodes.length)): Promise<ClusterNode> {
    const number = nodes.length
    const settings = await settingsOf(folder, number, env)
    const first = nodes[0]
    const line =
      first === undefined
        ? await initialise(settings)
        : joinLineIn((await runHocket(['cluster', 'invite', '--data', first.data])).stdout)
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
      for (const { status, name } of nodes) {
        await waitFor(async () => (await status()).nodes.filter((node) => node.alive).length === alive, {
          what: `${name} to see ${alive} nodes`,
          deadline: 60_000,
        })
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
  return cluster
}

interface Settings {
  readonly name: string
  readonly data: string
  readonly env: Readonly<Record<string, string>>
}

/** All ports are chosen here, since other nodes and pages know a node by them after it has been started again. */
async function settingsOf(
  folder: TemporaryFolder,
  number: number,
  env: Readonly<Record<string, string>>,
): Promise<Settings> {
  const [port, peerPort] = await freePorts(2)
  const etcdPort = await freePair()
  const name = `node-${number + 1}`
  return {
    name,
    data: `${folder.path}/${name}`,
    env: {
      HOCKET_NAME: name,
      HOCKET_ADDRESS: '127.0.0.1',
      HOCKET_PORT: String(port),
      HOCKET_PEER_PORT: String(peerPort),
      HOCKET_ETCD_PORT: String(etcdPort),
      ...env,
    },
  }
}

/** A port whose successor is free as well. */
async function freePair(): Promise<number> {
  for (;;) {
    const ports = (await freePorts(8)).toSorted((one, other) => one - other)
    const found = ports.find((port, at) => ports[at + 1] === port + 1)
    if (found !== undefined) return found
  }
}

async function initialise({ data, env }: Settings): Promise<string> {
  const { code, stdout, stderr } = await runHocket(['cluster', 'init', '--data', data], { env })
  assert.equal(code, 0, stderr)
  return joinLineIn(stdout)
}

function joinLineIn(output: string): string {
  const [line] = /hocket:\/\/\S+/.exec(output) ?? []
  assert.ok(line, `a join line in ${output}`)
  return line
}

async function run(settings: Settings, music: readonly string[], line: string | undefined) {
  const { name, data, env } = settings
  const launch = () =>
    startNode({ data, music, port: env.HOCKET_PORT, env, flags: line === undefined ? [] : ['--join', line] })
  let node = await launch()
  const administratorHere = () => signIn(node.baseUrl, administrator)
  let client: Promise<Client> | undefined
  const started: ClusterNode = {
    name,
    data,
    get node() {
      return node
    },
    async start() {
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
