import type { IncomingHttpHeaders } from 'node:http'
import { Agent } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import type { z } from 'zod'
import { CodedError } from '../protocol/errors.ts'
import type { Role } from '../protocol/facts/cluster.ts'
import type { Id } from '../protocol/ids.ts'
import type { Incoming, Outgoing } from './attempt.ts'
import { type Bulk, createBulk } from './bulk.ts'
import { createCircuits } from './circuit.ts'
import { exchange } from './exchange.ts'
import { follow, parseJson, readWhole } from './following.ts'
import { refusalOf } from './refusal.ts'
import type { LiveNode, Registry } from './registry.ts'
import type { Trust } from './trust/trust.ts'

/**
 * Calls to other nodes over mutual TLS, with connections that are kept (N3). Whatever keeps a node from answering (it
 * is dead, silent, someone else, or breaks off) is UNREACHABLE; what it refuses comes as the error that it names.
 */
export interface Calls extends AsyncDisposable {
  /** Asks, and reads the whole answer as JSON. The deadline, in milliseconds, is for all of it. */
  ask<Schema extends z.ZodType>(
    node: Id,
    request: CallRequest,
    schema: Schema,
    limits: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<z.output<Schema>>
  /** Asks, and answers as soon as the answer begins; its body is read as it comes. Dispose of it if it is not read. */
  open(node: Id, request: CallRequest, limits: OpenLimits): Promise<CallAnswer>
  /** The live nodes with a role, the least busy first; those that did not answer a moment ago come last. */
  candidates(role: Role): readonly LiveNode[]
  leastLoaded(role: Role): LiveNode | null
  /** Whether the node did not answer a moment ago: there is likely a better one. */
  isAvoided(node: Id): boolean
}

export interface CallRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Bytes as they come; a call with such a body is never repeated. */
  readonly body?: AsyncIterable<Uint8Array>
  /**
   * Whether it may be carried out twice. GET and HEAD always may; with others the caller has to know. Only such a call
   * is repeated, once, where a kept connection turns out to be dead.
   */
  readonly repeatable?: boolean
  /**
   * A GET whose body is large and of a length that the answer tells. It comes in large pieces, each of which is
   * overwritten once the next one has been asked for.
   */
  readonly bulk?: boolean
}

export interface OpenLimits {
  /** How long until the answer begins, in milliseconds. */
  readonly deadlineMs: number
  /** How long the body may bring nothing while someone waits for it, in milliseconds. */
  readonly stallMs: number
  readonly signal?: AbortSignal | undefined
  /** Asks also a node that did not answer a moment ago: nobody else is left to be asked. */
  readonly insist?: boolean
}

export interface CallAnswer extends Disposable {
  /** 2xx, or 304. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Throws UNREACHABLE where it stalls or breaks off, and the signal's reason where that is aborted. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface CallsOptions {
  readonly registry: Pick<Registry, 'nodes' | 'node' | 'member' | 'subscribe'>
  readonly trust: Pick<Trust, 'identity' | 'subscribe'>
}

/** An idle connection is closed after this, in milliseconds: before the other side does it. */
const idleMs = 30_000
/** Idle connections to one node; a handshake costs both sides some milliseconds of processor. */
const keptConnections = 64
/** What a call that is under way adds to a node's load, until the node itself says how busy it is. */
const loadOfCall = 0.02

export function createCalls({ registry, trust }: CallsOptions): Calls {
  const circuits = createCircuits(() => performance.now())
  const peers = new Map<Id, Peer>()

  const unsubscribes = [
    trust.subscribe(() => {
      for (const node of [...peers.keys()]) dropIdle(node)
    }),
    registry.subscribe(() => {
      for (const [node, { incarnation }] of [...peers]) {
        if (registry.node(node)?.incarnation !== incarnation) dropIdle(node)
      }
      circuits.keep(new Set(registry.nodes().map(({ incarnation }) => incarnation)))
    }),
  ]

  /** New calls get new connections, with what is trusted now; calls that are under way go on. */
  function dropIdle(node: Id): void {
    const peer = peers.get(node)
    peers.delete(node)
    peer?.bulk.end()
    for (const socket of Object.values(peer?.agent.freeSockets ?? {}).flat()) socket?.destroy()
  }

  function peerOf({ id, incarnation, addresses }: LiveNode): Peer {
    const known = peers.get(id)
    if (known !== undefined) return known
    const { key, certificate, authorities } = trust.identity
    const secure: ConnectionOptions = {
      minVersion: 'TLSv1.3',
      key,
      cert: certificate,
      ca: [...authorities],
      // The name dialled does not matter, the node does. That the authority is the cluster's, TLS has checked by now.
      checkServerIdentity(_host, { subject }) {
        if (subject.CN === id && registry.member(id)?.state !== 'removed') return undefined
        return new CodedError('NODE_REFUSED', `what answers there is not node ${id}`)
      },
    }
    const agent = new Agent({
      ...secure,
      keepAlive: true,
      maxFreeSockets: keptConnections,
      timeout: idleMs,
      // Each connection is verified in full: a session that is taken up again would skip that.
      maxCachedSessions: 0,
    })
    const bulk = createBulk(secure, idleMs)
    const peer = { agent, bulk, incarnation, addresses: [...addresses], underWay: 0 }
    peers.set(id, peer)
    return peer
  }

  /** Answers when the answer begins; throws as `open` does. */
  async function begin(
    node: Id,
    request: CallRequest,
    { deadlineMs, signal, insist = false }: Omit<OpenLimits, 'stallMs'>,
  ): Promise<Begun> {
    signal?.throwIfAborted()
    const live = registry.node(node)
    if (live === null) throw new CodedError('UNREACHABLE', `node ${node} is not alive`)
    const { incarnation } = live
    if (circuits.isOpen(incarnation) && !insist) {
      throw new CodedError('UNREACHABLE', `${live.name} did not answer a moment ago`)
    }
    const peer = peerOf(live)
    const since = performance.now()
    peer.underWay += 1
    try {
      const answer = await exchange(peer, outgoing(request), { deadlineMs, signal })
      circuits.heard(incarnation)
      answer.onClose(() => {
        peer.underWay -= 1
      })
      return { answer, incarnation }
    } catch (error) {
      peer.underWay -= 1
      signal?.throwIfAborted()
      circuits.silent(incarnation, since)
      dropIdle(node)
      const reason = error instanceof Error ? error.message : String(error)
      throw new CodedError('UNREACHABLE', `${live.name}: ${reason}`, { cause: error })
    }
  }

  const open: Calls['open'] = async (node, request, limits) => {
    const { answer, incarnation } = await begin(node, request, limits)
    const { stallMs, signal } = limits
    const { status } = answer
    const body = follow(answer, { stallMs, signal, circuits, incarnation })
    if (status < 300 || status === 304) {
      return {
        status,
        headers: answer.headers,
        body,
        [Symbol.dispose]: answer.leave,
      }
    }
    throw await refusalOf(status, await readWhole(body))
  }

  function candidates(role: Role): readonly LiveNode[] {
    const cost = (node: LiveNode) =>
      node.load +
      (peers.get(node.id)?.underWay ?? 0) * loadOfCall +
      (node.state === 'draining' ? 100 : 0) +
      (circuits.isAvoided(node.incarnation) ? 1_000 : 0) +
      // Nodes that are equally busy share the calls.
      Math.random() * loadOfCall
    return registry
      .nodes()
      .filter((node) => node.roles.includes(role))
      .map((node) => ({ node, cost: cost(node) }))
      .sort((one, other) => one.cost - other.cost)
      .map(({ node }) => node)
  }

  return {
    open,
    candidates,
    leastLoaded: (role) => candidates(role)[0] ?? null,
    isAvoided(node) {
      const live = registry.node(node)
      return live !== null && circuits.isAvoided(live.incarnation)
    },
    async ask(node, request, schema, { deadlineMs, signal }) {
      const since = performance.now()
      using answer = await open(node, request, { deadlineMs, stallMs: deadlineMs, signal })
      const left = Math.max(1, deadlineMs - (performance.now() - since))
      const late = setTimeout(() => answer[Symbol.dispose](), left)
      const text = await readWhole(answer.body).finally(() => clearTimeout(late))
      const parsed = schema.safeParse(text === '' ? undefined : parseJson(text))
      if (parsed.success) return parsed.data
      throw new CodedError('UNREACHABLE', `node ${node} did not answer as expected`, { cause: parsed.error })
    },
    async [Symbol.asyncDispose]() {
      for (const unsubscribe of unsubscribes) unsubscribe()
      for (const { agent, bulk } of peers.values()) {
        agent.destroy()
        bulk[Symbol.dispose]()
      }
      peers.clear()
    },
  }
}

interface Begun {
  readonly answer: Incoming
  /** The node's, when it was asked. */
  readonly incarnation: Id
}

interface Peer {
  readonly agent: Agent
  readonly bulk: Bulk
  readonly incarnation: Id
  /** The one that worked last comes first. */
  addresses: string[]
  underWay: number
}

function outgoing({ method, path, headers, json, body, repeatable, bulk = false }: CallRequest): Outgoing {
  const text = json === undefined ? undefined : JSON.stringify(json)
  return {
    method,
    path,
    headers: {
      ...headers,
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
      }),
    },
    body: text ?? body,
    bulk,
    repeatable: body === undefined && (repeatable === true || method === 'GET' || method === 'HEAD'),
  }
}
