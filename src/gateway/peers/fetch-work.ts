import { isDeepStrictEqual } from 'node:util'
import type { MessagePort } from 'node:worker_threads'
import { createFetch, type Fetched, type WantedBlob } from '../../blobs/copies/fetch.ts'
import { createReading } from '../../blobs/copies/reading.ts'
import { openDirectWriter } from '../../blobs/direct.ts'
import type { Member } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { createCalls } from '../../registry/calls.ts'
import type { LiveNode } from '../../registry/registry.ts'
import type { Identity } from '../../registry/trust/identity.ts'
import { carry, type Post, type Request } from '../../store/thread.ts'

export type FetchCalls = {
  fetch(job: Job): Fetched
  /** Has the fetching of this number reject; one that is done already stays done. */
  cancel(input: { readonly number: number }): void
}

export interface Job {
  readonly number: number
  readonly blob: WantedBlob
  readonly nodes: readonly Id[]
  readonly folder: string
  readonly cluster: KnownCluster
}

/** What a thread that calls other nodes has to know. It comes with each job: then it is as of now. */
export interface KnownCluster {
  readonly identity: Identity
  readonly live: readonly LiveNode[]
  readonly members: readonly Member[]
}

/** What the thread of `fetcher.ts` does: carries out the calls that come to `port`. */
export function serve(port: MessagePort): void {
  const jobs = new Map<number, AbortController>()
  const { learn, registry, trust } = createKnowledge()
  const calls = createCalls({ registry, trust })
  const fetch = createFetch(createReading(calls.open).openWhole, openDirectWriter)

  async function carryOut(request: Request<FetchCalls>): Promise<unknown> {
    if (request.name === 'cancel') return jobs.get(request.input.number)?.abort()
    const { number, blob, nodes, folder, cluster } = request.input
    learn(cluster)
    const job = new AbortController()
    jobs.set(number, job)
    try {
      return await fetch(blob, nodes, folder, job.signal)
    } finally {
      jobs.delete(number)
    }
  }

  port.on('message', async (request: Request<FetchCalls>) => {
    const { call } = request
    const answer = await carryOut(request).then(
      (value) => ({ call, value }),
      (error: unknown) => ({ call, error: carry(error) }),
    )
    port.postMessage({ answers: [answer] } satisfies Post)
  })
}

/** What the jobs so far told of the cluster, as calls want to see it. */
function createKnowledge() {
  const live = new Map<Id, LiveNode>()
  const members = new Map<Id, Member>()
  const registry = createListeners()
  const trust = createListeners()
  let identity: Identity | null = null
  return {
    learn(cluster: KnownCluster) {
      for (const node of cluster.live) live.set(node.id, node)
      for (const member of cluster.members) members.set(member.id, member)
      registry.tell()
      if (isDeepStrictEqual(identity, cluster.identity)) return
      identity = cluster.identity
      trust.tell()
    },
    registry: {
      nodes: () => [...live.values()],
      node: (id: Id) => live.get(id) ?? null,
      member: (id: Id) => members.get(id) ?? null,
      subscribe: registry.subscribe,
    },
    trust: {
      get identity() {
        if (identity === null) throw new Error('no job has come yet')
        return identity
      },
      subscribe: trust.subscribe,
    },
  }
}

function createListeners() {
  const listeners = new Set<() => void>()
  return {
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tell() {
      for (const listener of listeners) listener()
    },
  }
}
