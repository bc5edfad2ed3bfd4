import { randomUUID } from 'node:crypto'
import type { ConnectionInput, ConnectionView } from '../protocol/api/outbox.ts'
import { CodedError, errorCodes } from '../protocol/errors.ts'
import type { Connection, EventType, Progress } from '../protocol/facts/outbox.ts'
import type { Id } from '../protocol/ids.ts'
import { type Fact, join, transact, update } from '../store/collection.ts'
import { connections, entries, idOf, lastfmId, noProgress, progresses, services } from './facts.ts'
import type { Outbox } from './outbox.ts'
import { askFor, encryptKeys, type OutboxOptions, purposeOf, reach, readKeys } from './reach.ts'
import { openSession } from './services/lastfm.ts'
import { listenbrainz, listenbrainzUrl } from './services/listenbrainz.ts'
import { newWebhookSecret, webhook } from './services/webhook.ts'
import type { createTelling } from './telling.ts'

type ConnectionPart = Omit<Outbox, keyof ReturnType<typeof createTelling>>

/** Connections of one user. */
const mostConnections = 10
/** What the list says of what waits is counted up to here. */
const mostCounted = 10_000
const forAdministrators: ReadonlySet<EventType> = new Set(['library.scanned', 'cluster.changed'])

/** What a service has confirmed, before it is a connection. */
type Confirmed = Pick<Connection, 'kind' | 'url' | 'events'> & {
  readonly account?: string | undefined
  readonly secret: string
}

/** The connections of users as they see and handle them. */
export function createConnections(options: OutboxOptions): ConnectionPart {
  const { store, person, secrets } = options

  async function view(
    key: string,
    { secret: _, ...connection }: Connection,
    signal: AbortSignal,
  ): Promise<ConnectionView> {
    const fact = await progresses.get(store, key, signal)
    const { failures: _failures, trouble, ...progress } = fact?.value ?? noProgress
    return {
      id: idOf(key),
      ...connection,
      ...progress,
      ...(trouble !== undefined && { trouble: inWords(trouble) }),
      waiting: await count(key, signal),
    }
  }

  async function count(key: string, signal: AbortSignal): Promise<number> {
    let counted = 0
    let after: string | undefined
    for (let more = true; more && counted < mostCounted; ) {
      const page = await store.list(entries.key(`${key}/`), { ...(after !== undefined && { after }) }, signal)
      counted += page.entries.length
      after = page.entries.at(-1)?.key
      more = page.more
    }
    return counted
  }

  async function requireOne(user: Id, id: Id, signal: AbortSignal): Promise<Fact<Connection>> {
    const fact = await connections.get(store, `${user}/${id}`, signal)
    if (fact === null) throw new CodedError('NOT_FOUND')
    return fact
  }

  /** Lets what waits be tried at once. */
  async function clear(key: string, signal: AbortSignal): Promise<number> {
    const { revision } = await update(
      store,
      progresses,
      key,
      (before) => {
        if (before === null) return null
        const { retryAt: _at, trouble: _trouble, ...kept } = before
        return { ...kept, failures: 0, needsAttention: false } satisfies Progress
      },
      signal,
    )
    return revision
  }

  /** Asks the service whether it takes us, and what the account is called there. */
  async function confirm(user: Id, input: ConnectionInput, signal: AbortSignal): Promise<Confirmed> {
    const ask = await askFor(options, user, signal)
    switch (input.kind) {
      case 'listenbrainz': {
        const url = withoutSlash(input.url ?? listenbrainzUrl)
        const account = await listenbrainz.check({ url, secret: input.token }, ask)
        return { kind: input.kind, url, events: ['play.finished'], account, secret: input.token }
      }
      case 'lastfm': {
        const { keys, apiUrl } = await readKeys(options, signal)
        const { name, key } = await openSession(keys, apiUrl, input.token, ask)
        return { kind: input.kind, url: apiUrl, events: ['play.finished'], account: name, secret: key }
      }
      case 'webhook': {
        const isAdministrator = (await person(user, signal))?.administrator === true
        if (!isAdministrator && input.events.some((each) => forAdministrators.has(each))) {
          throw new CodedError('FORBIDDEN', [...forAdministrators].join(', '))
        }
        const secret = newWebhookSecret()
        await webhook.check({ url: input.url, secret }, ask)
        return { kind: input.kind, url: input.url, events: [...new Set(input.events)], secret }
      }
    }
  }

  /** Keeps a connection: a new one, or the one that is there for the same account. */
  function keep(user: Id, { secret, account, ...confirmed }: Confirmed, signal: AbortSignal) {
    return transact(
      store,
      async () => {
        const { facts } = await connections.list(store, { under: `${user}/` }, signal)
        const same = facts.find(
          ({ value }) =>
            value.kind === confirmed.kind && value.url === confirmed.url && value.account === account,
        )
        if (same === undefined && facts.length >= mostConnections) {
          throw new CodedError('TOO_LARGE', `an account has at most ${mostConnections} connections`)
        }
        const id = same === undefined ? randomUUID() : idOf(same.id)
        const connection: Connection = {
          ...confirmed,
          ...(account !== undefined && { account }),
          secret: await secrets.encrypt(secret, purposeOf(id), signal),
          createdAt: same?.value.createdAt ?? Date.now(),
        }
        const key = `${user}/${id}`
        return {
          operation: connections.replace(key, same?.revision ?? 0, connection),
          value: { key, connection },
        }
      },
      signal,
    )
  }

  return {
    async connections(user, signal) {
      const { facts } = await connections.list(store, { under: `${user}/` }, signal)
      const views = await Promise.all(facts.map(({ id, value }) => view(id, value, signal)))
      return views.toSorted((one, other) => one.createdAt - other.createdAt)
    },

    async connect(user, input, signal) {
      const confirmed = await confirm(user, input, signal)
      const { value, revision } = await keep(user, confirmed, signal)
      const cleared = await clear(value.key, signal)
      const connection = await view(value.key, value.connection, signal)
      return {
        value: input.kind === 'webhook' ? { connection, secret: confirmed.secret } : { connection },
        revision: Math.max(revision, cleared),
      }
    },

    async check(user, id, signal) {
      const { id: key, value: connection } = await requireOne(user, id, signal)
      const { service, target, ask } = await reach(options, { user, id, connection }, signal)
      await service.check(target, ask)
      const revision = await clear(key, signal)
      return { value: await view(key, connection, signal), revision }
    },

    async disconnect(user, id, signal) {
      const { id: key, revision } = await requireOne(user, id, signal)
      const progress = await progresses.get(store, key, signal)
      const gone = join(
        connections.remove(key, revision),
        ...(progress === null ? [] : [{ conditions: [], writes: progresses.remove(key, 0).writes }]),
      )
      const outcome = await store.commit(gone, signal)
      if (!outcome.ok) throw new CodedError('CONFLICT')
      return { value: undefined, revision: outcome.revision }
    },

    async service(signal) {
      const fact = await services.get(store, lastfmId, signal)
      if (fact === null) return null
      const { secret: _, ...settings } = fact.value
      return settings
    },

    async setService({ sharedSecret, ...settings }, signal) {
      const secret = await encryptKeys(options, sharedSecret, signal)
      const { revision } = await update(store, services, lastfmId, () => ({ ...settings, secret }), signal)
      return { value: settings, revision }
    },

    async removeService(signal) {
      const { revision } = await update(store, services, lastfmId, () => null, signal)
      return { value: undefined, revision }
    },
  }
}

function inWords(trouble: NonNullable<Progress['trouble']>): NonNullable<ConnectionView['trouble']> {
  const { title = trouble.code, help = '' } = new Map(Object.entries(errorCodes)).get(trouble.code) ?? {}
  return { ...trouble, title, help }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
