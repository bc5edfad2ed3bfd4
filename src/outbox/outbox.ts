import type { ConnectionInput, ConnectionView, ServiceInput } from '../protocol/api/outbox.ts'
import type { Audio, Tags } from '../protocol/facts/catalog.ts'
import type { EventType, OutboxEvent, ScrobbleService } from '../protocol/facts/outbox.ts'
import type { Id } from '../protocol/ids.ts'
import type { Operation } from '../store/collection.ts'

export interface Written<Value> {
  readonly value: Value
  readonly revision: number
}

/** A track as the catalog knows it, a track detail for one. */
export interface ToldTrack {
  readonly id: Id
  readonly tags: Tags
  readonly audio: Pick<Audio, 'durationMs'>
}

/** Something that happened to a track. `id` is the same whenever it is told of the same. */
export interface Happening {
  readonly type: Exclude<EventType, Announcement['type']>
  readonly id: Id
  readonly at: number
  /** Asked for only where somebody is told. */
  readonly track: () => Promise<ToldTrack>
}

export type Announcement = Extract<OutboxEvent, { readonly type: 'library.scanned' | 'cluster.changed' }>

/**
 * What must be delivered outside: scrobbles and webhooks. An event is committed with the fact that causes it, and
 * whoever holds the operator's office delivers it at least once (`deliver.ts`).
 */
export interface Outbox {
  /** What tells an event of this user to all of their connections that want it, for the transaction that causes it. */
  telling(user: Id, happening: Happening, signal?: AbortSignal): Promise<readonly Operation[]>
  /** What tells the webhooks of administrators, for the transaction that causes it. */
  announcing(events: readonly Announcement[], signal: AbortSignal): Promise<readonly Operation[]>
  /** Tells them of something that no fact causes. */
  announce(event: Announcement, signal: AbortSignal): Promise<void>
  /** Tells the user's services what is being played now: best effort, once, and at once. */
  playing(user: Id, track: Id, detail: (signal: AbortSignal) => Promise<ToldTrack>): void

  /** The user's connections with how delivering goes, the oldest first. */
  connections(user: Id, signal: AbortSignal): Promise<readonly ConnectionView[]>
  /**
   * Connects when the service has said that it takes us. One that is there already for the same account gets the new
   * token, and goes on with what has waited. SERVICE_REFUSED, SERVICE_UNAVAILABLE, SERVICE_NOT_SET_UP,
   * ADDRESS_FORBIDDEN, FORBIDDEN (events that are for administrators only), TOO_LARGE.
   */
  connect(
    user: Id,
    input: ConnectionInput,
    signal: AbortSignal,
  ): Promise<Written<{ readonly connection: ConnectionView; readonly secret?: string }>>
  /** Asks the service now, and if it takes us lets what waits be tried at once. Errors as above, and NOT_FOUND. */
  check(user: Id, connection: Id, signal: AbortSignal): Promise<Written<ConnectionView>>
  /** What has not been delivered goes with it. NOT_FOUND. */
  disconnect(user: Id, connection: Id, signal: AbortSignal): Promise<Written<void>>

  /** How this server is known to Last.fm; null: not at all. */
  service(signal: AbortSignal): Promise<ServiceSettings | null>
  setService(input: ServiceInput, signal: AbortSignal): Promise<Written<ServiceSettings>>
  removeService(signal: AbortSignal): Promise<Written<void>>

  /** Waits for what is being told at this moment. */
  settled(): Promise<void>
}

export type ServiceSettings = Omit<ScrobbleService, 'secret'>
