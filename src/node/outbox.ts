import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { users } from '../accounts/collections.ts'
import type { InstallationKey } from '../accounts/installation-key.ts'
import type { Scanner } from '../catalog/scan/scan.ts'
import { holdOffice, type Term } from '../operator/leadership.ts'
import { createOutbox } from '../outbox/create.ts'
import { deliverOutbox } from '../outbox/deliver.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { OutboxOptions } from '../outbox/reach.ts'
import { sendOutward } from '../outward/outward.ts'
import type { ClusterEvent } from '../protocol/facts/cluster.ts'
import type { Operation } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { operatorOffice } from './cluster/operator.ts'

export interface NodeOutbox {
  readonly outbox: Outbox
  /** The account as it is now; null where it is gone or disabled. */
  readonly person: OutboxOptions['person']
  /** Delivers what waits, as long as the term lasts. */
  readonly deliver: (term: Term) => Promise<void>
  /** What tells administrators outside of what has happened to the cluster, for the transaction that notes it. */
  readonly tell: (news: readonly ClusterEvent[], signal: AbortSignal) => Promise<readonly Operation[]>
}

/** So many fit into the transaction: ten machines at once, for ten webhooks. Of more, the cluster's own list tells. */
const mostTold = 100

/** The outbox on the accounts of this installation. */
export function createNodeOutbox({
  store,
  installationKey,
  log,
}: {
  readonly store: Store
  readonly installationKey: InstallationKey
  readonly log: Logger
}): NodeOutbox {
  const options: OutboxOptions = {
    store,
    // From the facts: an index that is behind might not know them yet.
    async person(user, signal) {
      const fact = await users.get(store, user, signal)
      if (fact === null || fact.value.disabled) return null
      return { administrator: fact.value.role === 'administrator' }
    },
    secrets: {
      encrypt: async (secret, purpose, signal) =>
        (await installationKey.get(signal)).encrypt(secret, purpose),
      decrypt: async (sealed, purpose, signal) =>
        (await installationKey.get(signal)).decrypt(sealed, purpose),
    },
    send: sendOutward,
  }
  const onError = (error: unknown) => log.warn({ err: error }, 'the outbox met trouble; it goes on')
  const outbox = createOutbox(options)
  return {
    outbox,
    person: options.person,
    deliver: (term) => deliverOutbox({ ...options, onError }, term),
    async tell(news, signal) {
      const events = news.map((event) => ({ type: 'cluster.changed', id: randomUUID(), ...event }) as const)
      return (await outbox.announcing(events, signal)).slice(0, mostTold)
    },
  }
}

/** Nobody competes but what is left of a killed predecessor: it is waited out this long. */
const aloneTtlSeconds = 2

/** A machine that stands alone holds the office of the operator too: the work is the same, and so is the fencing. */
export function holdOfficeAlone(
  store: Store,
  work: (term: Term) => Promise<void>,
  log: Logger,
): AsyncDisposable {
  const ending = new AbortController()
  const onError = (error: unknown) => log.warn({ err: error }, 'the operator met trouble; it goes on')
  const office = { store, office: operatorOffice, node: randomUUID(), ttlSeconds: aloneTtlSeconds, onError }
  const running = holdOffice(office, work, ending.signal)
  return {
    async [Symbol.asyncDispose]() {
      ending.abort(new DOMException('the node ends', 'AbortError'))
      await running
    },
  }
}

/** Tells administrators' webhooks of each scan that has changed something. */
export function announceScans(scanner: Pick<Scanner, 'subscribe'>, outbox: Outbox, log: Logger): () => void {
  let toldOf: number | undefined
  return scanner.subscribe(({ phase, finishedAt, error, added, changed, moved, removed }) => {
    const isOver =
      (phase === 'idle' || phase === 'hashing') && finishedAt !== undefined && error === undefined
    if (!isOver || finishedAt === toldOf || added + changed + moved + removed === 0) return
    toldOf = finishedAt
    const event = {
      type: 'library.scanned',
      id: randomUUID(),
      at: finishedAt,
      added,
      changed,
      moved,
      removed,
    } as const
    outbox.announce(event, AbortSignal.timeout(10_000)).catch((failure: unknown) => {
      log.warn({ err: failure }, 'webhooks could not be told of a scan')
    })
  })
}
