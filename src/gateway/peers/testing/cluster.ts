import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { pino } from 'pino'
import { temporaryFolder } from '../../../../test/harness/folder.ts'
import type { NewNode } from '../../../protocol/api/peers.ts'
import type { Role } from '../../../protocol/facts/cluster.ts'
import type { Id } from '../../../protocol/ids.ts'
import { type Calls, createCalls } from '../../../registry/calls.ts'
import { openRegistry, type Registry } from '../../../registry/registry.ts'
import { found } from '../../../registry/trust/admission.ts'
import { type Identity, placeOf } from '../../../registry/trust/identity.ts'
import { join } from '../../../registry/trust/join.ts'
import { invite } from '../../../registry/trust/tokens.ts'
import { keepTrust, type Trust } from '../../../registry/trust/trust.ts'
import { openSqliteStore } from '../../../store/sqlite.ts'
import type { Store } from '../../../store/store.ts'
import { joinRoute } from '../join.ts'
import { type PeerRoutes, startPeerServer } from '../server.ts'

/** A node of a test: its server for nodes and its calls, with nothing else in it. */
export interface TestNode extends AsyncDisposable {
  readonly id: Id
  readonly data: string
  readonly trust: Trust
  readonly registry: Registry
  readonly calls: Calls
  readonly address: string
  /** The codes of why it had to stop. */
  readonly lost: string[]
}

export interface TestCluster extends AsyncDisposable {
  readonly store: Store
  readonly folder: string
  readonly founder: TestNode
  /** A join line; of the founder's address, unless told. */
  invite(addresses?: readonly string[]): Promise<string>
  /** Lets a new node in by a line and starts it. */
  add(name: string, routes?: readonly PeerRoutes[], roles?: readonly Role[]): Promise<TestNode>
}

const usualRoles: readonly Role[] = ['gateway', 'media']

export function describeNode(name: string): Omit<NewNode, 'id'> {
  return { name, zone: name, roles: ['gateway', 'media'], capacityBytes: null, hosts: ['127.0.0.1'] }
}

/** Real TLS sockets, and a real store which all of its nodes share. */
export async function startCluster(routes: readonly PeerRoutes[] = []): Promise<TestCluster> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('cluster')).path
  const store = stack.use(await openSqliteStore(joinPath(folder, 'store.db')))
  const data = joinPath(folder, 'founder')
  await mkdir(data)
  const node = describeNode('founder')
  const identity = await found({ store, data, secret: randomBytes(32).toString('base64'), node })
  const founder = stack.use(await startNode(store, data, identity, routes))
  const line = async (addresses: readonly string[] = [founder.address]) =>
    (await invite(store, addresses)).line

  const kept = stack.move()
  return {
    store,
    folder,
    founder,
    invite: line,
    async add(name, added = [], roles = usualRoles) {
      const theirs = joinPath(folder, name)
      await mkdir(theirs)
      const options = { line: await line(), data: theirs, node: describeNode(name) }
      const joined = await join(options, AbortSignal.timeout(20_000))
      return kept.use(await startNode(store, theirs, joined, added, roles))
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Starts what a data folder with this identity is; `data` may be a copy. */
export async function startNode(
  store: Store,
  data: string,
  identity: Identity,
  routes: readonly PeerRoutes[] = [],
  roles: readonly Role[] = usualRoles,
): Promise<TestNode> {
  await using stack = new AsyncDisposableStack()
  const lost: string[] = []
  const trust = stack.use(
    keepTrust({ data, identity, store, hosts: ['127.0.0.1'], onError: () => undefined }),
  )
  const registry = stack.use(
    await openRegistry({
      store,
      self: {
        id: identity.id,
        place: await placeOf(data),
        zone: 'here',
        roles,
        version: '0.1.0',
      },
      ttlSeconds: 5,
      vitals: () => ({ freeBytes: 1, totalBytes: 2, load: 0 }),
      onEvent: () => undefined,
      onLost: (error) => lost.push(error.code),
    }),
  )
  const storeEndpoints = () => ['127.0.0.1:4652']
  const server = stack.use(
    await startPeerServer({
      host: '127.0.0.1',
      port: 0,
      trust,
      registry,
      routes: [joinRoute({ store, secret: identity.secret, storeEndpoints }), ...routes],
      log: pino({ level: 'silent' }),
    }),
  )
  const address = `127.0.0.1:${server.port}`
  await registry.announce({ addresses: [address], publicUrl: null })
  const calls = stack.use(createCalls({ registry, trust }))
  const kept = stack.move()
  return {
    id: identity.id,
    data,
    trust,
    registry,
    calls,
    address,
    lost,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
