import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { readReports } from '../../blobs/copies/report.ts'
import { layoutId, layouts, type MediaMember, nextLayout } from '../../blobs/placement/layout.ts'
import { newsOf, nextChronicle, type Observed } from '../../operator/chronicle.ts'
import { holdOffice, type Term } from '../../operator/leadership.ts'
import { chronicleId, chronicles, readSettings } from '../../registry/facts.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Identity } from '../../registry/trust/identity.ts'
import { nextStep } from '../../registry/trust/renewal.ts'
import { join } from '../../store/collection.ts'
import { openMembership } from '../../store/etcd/members.ts'
import type { Store } from '../../store/store.ts'
import { tidyEtcd } from '../etcd/tidy.ts'
import type { NodeOutbox } from '../outbox.ts'
import { isManaged, storeMembers } from './membership.ts'

export interface OperatorOptions extends Pick<NodeOutbox, 'deliver' | 'tell'> {
  readonly store: Store
  readonly registry: Registry
  readonly log: Logger
  /** Keeps the podcasts as long as the term lasts. */
  readonly keepPodcasts: (term: Term) => Promise<void>
  /** This node as it proves itself to the store now. */
  readonly identity: () => Identity
}

export interface Operator extends AsyncDisposable {
  /** Whether this node holds the office now. */
  readonly isInOffice: boolean
}

export const operatorOffice = 'operator'
/** Another node takes over after so many seconds of silence. */
const officeTtlSeconds = 6
/** How often it is compared, whatever was heard of changes, in milliseconds. */
const compareEveryMs = 2_000
const tidyEveryMs = 600_000

/**
 * The controllers that one node runs for all: they compare what is with what should be, and close the difference. Each
 * is run by whoever holds the office, and every write is refused to one that holds it no more.
 */
export function startOperator(options: OperatorOptions): Operator {
  const { store, registry, log, deliver, keepPodcasts } = options
  const ending = new AbortController()
  let isInOffice = false
  const onError = (error: unknown) => log.warn({ err: error }, 'the operator met trouble; it goes on')
  const running = holdOffice(
    { store, office: operatorOffice, node: registry.self, ttlSeconds: officeTtlSeconds, onError },
    async (term) => {
      isInOffice = true
      term.signal.addEventListener('abort', () => {
        isInOffice = false
      })
      log.info('this node is the operator of the cluster from now on')
      const often = (step: typeof layOut) => repeat(term, compareEveryMs, onError, () => step(options, term))
      await Promise.all([
        often(layOut),
        often(keepChronicle),
        often(renewAuthority),
        wait(tidyEveryMs, term.signal).then(() =>
          repeat(term, tidyEveryMs, onError, () => tidyStore(options, term)),
        ),
        deliver(term),
        keepPodcasts(term),
      ])
    },
    ending.signal,
  )
  return {
    get isInOffice() {
      return isInOffice
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new DOMException('the node ends', 'AbortError'))
      await running
    },
  }
}

/** Does it again and again while the term lasts; what fails is told, and tried again. */
async function repeat(
  { signal }: Term,
  everyMs: number,
  onError: (error: unknown) => void,
  step: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await step()
    } catch (error) {
      if (!signal.aborted) onError(error)
    }
    await wait(everyMs, signal)
  }
}

/** Until the time has passed or the term is over. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal, ref: false }).catch(() => undefined)
}

/** Keeps the layout of copies as members, settings and time ask for it. */
async function layOut({ store, registry, log }: OperatorOptions, term: Term): Promise<void> {
  const fact = await layouts.get(store, layoutId, term.signal)
  const current = fact?.value ?? null
  const settings = await readSettings(store, term.signal)
  const next = nextLayout(current, await mediaMembers(store, registry, term.signal), settings, Date.now())
  if (next === null || next === current) return
  const done = await term.commit(layouts.replace(layoutId, fact?.revision ?? 0, next))
  const { version, nodes } = next
  if (done && version !== current?.version)
    log.info({ version, nodes: nodes.length }, 'copies are laid out anew')
}

/** Notes for the administrators what happens to nodes and copies. */
async function keepChronicle({ store, registry, tell }: OperatorOptions, term: Term): Promise<void> {
  const fact = await chronicles.get(store, chronicleId, term.signal)
  const current = fact?.value ?? null
  const next = nextChronicle(current, await observe(store, registry, term.signal), Date.now())
  // While the store is away, so are all nodes: that is no news of them.
  if (next === current || !registry.following) return
  const noted = chronicles.replace(chronicleId, fact?.revision ?? 0, next)
  await term.commit(join(noted, ...(await tell(newsOf(current, next), term.signal))))
}

async function observe(store: Store, registry: Registry, signal: AbortSignal): Promise<Observed> {
  const reports = await readReports(store, signal)
  const layout = (await layouts.get(store, layoutId, signal))?.value
  const { replicas, writeQuorum, graceSeconds } = await readSettings(store, signal)
  return {
    nodes: registry.members().map(({ id, name, state }) => {
      const live = registry.node(id)
      return { id, name, state, alive: live !== null, skewMs: live?.skewMs ?? null }
    }),
    layout:
      layout === undefined
        ? null
        : {
            version: layout.version,
            nodes: layout.nodes.length,
            filled: layout.nodes.every(({ id }) => (reports.get(id)?.filled ?? 0) >= layout.version),
          },
    unavailable: registry.nodes().reduce((most, { id }) => Math.max(most, reports.get(id)?.lost ?? 0), 0),
    settings: `${replicas} ${writeQuorum} ${graceSeconds}`,
  }
}

/** Keeps a managed etcd in order; one that others run is theirs to keep. */
async function tidyStore({ identity, log }: OperatorOptions, { signal }: Term): Promise<void> {
  if (!isManaged(identity())) return
  using membership = openMembership(storeMembers(identity()))
  await tidyEtcd(membership, log, signal)
}

/** Takes the replacement of the cluster's authority to its next step, once every node is done with the last one. */
async function renewAuthority({ store, log }: OperatorOptions, term: Term): Promise<void> {
  const next = await nextStep(store, term.signal)
  if (next !== null && (await term.commit(next.operation)))
    log.info({ step: next.step }, 'the authority of the cluster is being replaced')
}

async function mediaMembers(store: Store, registry: Registry, signal: AbortSignal): Promise<MediaMember[]> {
  const reports = await readReports(store, signal)
  return registry
    .members()
    .filter(({ roles }) => roles.includes('media'))
    .map(({ id, zone, capacityBytes, state }) => {
      const live = registry.node(id)
      const alive = live === null ? null : { totalBytes: live.totalBytes }
      return { id, zone, capacityBytes, state, alive, filled: reports.get(id)?.filled ?? 0 }
    })
}
