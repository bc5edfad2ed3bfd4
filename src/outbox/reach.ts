import type { Send } from '../outward/outward.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Connection } from '../protocol/facts/outbox.ts'
import type { Id } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import { lastfmId, services } from './facts.ts'
import { createLastfm, type Keys } from './services/lastfm.ts'
import { listenbrainz } from './services/listenbrainz.ts'
import type { Ask, Service, Target } from './services/service.ts'
import { webhook } from './services/webhook.ts'

/** What the outbox stands on; src/node fills it. */
export interface OutboxOptions {
  readonly store: Store
  /** The account as it is now; null where it is gone or disabled. */
  readonly person: (user: Id, signal: AbortSignal) => Promise<{ readonly administrator: boolean } | null>
  readonly secrets: Secrets
  readonly send: Send
}

/** Encrypts under the key of this installation; `purpose` must be the same both times. SECRETS_UNREADABLE. */
export interface Secrets {
  encrypt(secret: string, purpose: string, signal?: AbortSignal): Promise<string>
  decrypt(encrypted: string, purpose: string, signal?: AbortSignal): Promise<string>
}

/** A connection that can be used now. */
export interface Reached {
  readonly service: Service
  readonly target: Target
  readonly ask: Ask
}

export const purposeOf = (connection: Id) => `connection ${connection}`
const servicePurpose = 'service lastfm'

/** Errors: SERVICE_NOT_SET_UP, SECRETS_UNREADABLE, those of the store. */
export async function reach(
  options: OutboxOptions,
  { user, id, connection }: { readonly user: Id; readonly id: Id; readonly connection: Connection },
  signal: AbortSignal,
): Promise<Reached> {
  const secret = await options.secrets.decrypt(connection.secret, purposeOf(id), signal)
  return {
    service: await serviceOf(options, connection, signal),
    target: { url: connection.url, secret },
    ask: await askFor(options, user, signal),
  }
}

async function serviceOf(
  options: OutboxOptions,
  { kind }: Connection,
  signal: AbortSignal,
): Promise<Service> {
  if (kind === 'listenbrainz') return listenbrainz
  return kind === 'webhook' ? webhook : createLastfm((await readKeys(options, signal)).keys)
}

/** Only administrators may name addresses inside: as they are now, not as they were when they named them. */
export async function askFor({ person, send }: OutboxOptions, user: Id, signal: AbortSignal): Promise<Ask> {
  const mayInside = (await person(user, signal))?.administrator === true
  return (request) => send({ ...request, mayInside }, signal)
}

/** SERVICE_NOT_SET_UP where no administrator has entered them. */
export async function readKeys(
  { store, secrets }: OutboxOptions,
  signal: AbortSignal,
): Promise<{ readonly keys: Keys; readonly apiUrl: string }> {
  const fact = await services.get(store, lastfmId, signal)
  if (fact === null) throw new CodedError('SERVICE_NOT_SET_UP')
  const { apiKey, apiUrl, secret } = fact.value
  return { keys: { apiKey, sharedSecret: await secrets.decrypt(secret, servicePurpose, signal) }, apiUrl }
}

export function encryptKeys(
  { secrets }: OutboxOptions,
  secret: string,
  signal: AbortSignal,
): Promise<string> {
  return secrets.encrypt(secret, servicePurpose, signal)
}
