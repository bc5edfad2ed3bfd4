import { CodedError, isCoded } from '../protocol/errors.ts'
import type { Member, Presence, Role } from '../protocol/facts/cluster.ts'
import type { Id } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import { type Announcer, announce, type Standing, type Vitals } from './announce.ts'
import { createClocks } from './clocks.ts'
import { members, presences } from './facts.ts'
import { mirror } from './mirror.ts'
import type { Memory } from './remembered.ts'

/** A node that is alive, with what its member fact says of it. */
export interface LiveNode extends Omit<Presence, 'clock' | 'place'> {
  readonly name: string
  readonly state: 'active' | 'draining'
  readonly capacityBytes: number | null
  /** By how much its clock is ahead of ours, in milliseconds, where that is more than five seconds; else null. */
  readonly skewMs: number | null
}

/** Which nodes there are, and which of them live. Questions are answered from memory. */
export interface Registry extends AsyncDisposable {
  /** This node's own id. */
  readonly self: Id
  /**
   * Lets others see this node, from now until the registry is disposed of; call it once its servers answer. Resolves
   * when it sees itself; where the store is away for long it goes on without, and others see it later. NODE_DUPLICATE
   * where a running node elsewhere has this identity, NODE_REMOVED.
   */
  announce(reach: Reach): Promise<void>
  /** The live ones, this one included, by id. The array is a new one with each change. */
  nodes(): readonly LiveNode[]
  node(id: Id): LiveNode | null
  /** Everyone who ever joined, dead, draining and removed ones included. */
  members(): readonly Member[]
  member(id: Id): Member | null
  /** False while the store is away: then `nodes()` is what was last known. */
  readonly following: boolean
  /** Calls back after each change of nodes or members. Answers how to end that. */
  subscribe(listener: () => void): () => void
  /** Reads one member past the memory, for a caller that has joined a moment ago. */
  readMember(id: Id, signal?: AbortSignal): Promise<Member | null>
}

export type RegistryEvent =
  | { readonly kind: 'joined' | 'left'; readonly node: Id; readonly name: string }
  | { readonly kind: 'clock'; readonly node: Id; readonly name: string; readonly skewMs: number | null }
  /** The store could not be asked, or a fact not be read; it is tried again. */
  | { readonly kind: 'trouble'; readonly error: unknown }

export interface Self {
  readonly id: Id
  /** Of `placeOf`. */
  readonly place: string
  readonly zone: string
  readonly roles: readonly Role[]
  readonly version: string
}

/** Where a node is reached. */
export interface Reach {
  /** Of its server for nodes, the most likely first. */
  readonly addresses: readonly string[]
  /** Where people reach its gateway, if it has one. */
  readonly publicUrl: string | null
}

export interface RegistryOptions {
  readonly store: Store
  readonly self: Self
  /** How long a dead node seems alive. Five or six seconds: shorter ones end under load. */
  readonly ttlSeconds: number
  /** How full and how busy this node is now; asked every few seconds. */
  readonly vitals: () => Vitals | Promise<Vitals>
  readonly onEvent: (event: RegistryEvent) => void
  /** This node must stop: NODE_DUPLICATE or NODE_REMOVED. */
  readonly onLost: (error: CodedError) => void
  /** The store does not answer at the moment: it is not waited for, and the registry fills when it is there. */
  readonly storeAway?: boolean
  /** Whom this node knew last, for a start while the store is away. */
  readonly memory?: Memory
  readonly signal?: AbortSignal
}

/** A dead node is out after so many seconds (N1). */
export const ttlSeconds = 6
/** How long a start waits for the store, in milliseconds; then it goes on without, and the registry fills later. */
const startPatienceMs = 10_000

/**
 * Follows who is there. A store that is away is waited for in the background. NODE_REMOVED where this node is no member
 * any more.
 */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { store, self, onEvent } = options
  const ending = new AbortController()
  const signal =
    options.signal === undefined ? ending.signal : AbortSignal.any([options.signal, ending.signal])
  const listeners = new Set<() => void>()
  const clocks = createClocks()
  const incarnation = crypto.randomUUID()
  let nodes: readonly LiveNode[] = []
  /** Whoever has opened the registry finds itself in it. */
  const seen = Promise.withResolvers<void>()
  const trouble = (error: unknown) => onEvent({ kind: 'trouble', error })

  const belonging = mirror({
    store,
    collection: members,
    signal,
    remembered: byId(options.memory?.last.members),
    onError: trouble,
    onChange(ids) {
      if (ids.includes(self.id) && isRemoved()) lose(new CodedError('NODE_REMOVED'))
      refresh()
    },
  })
  const alive = mirror({
    store,
    collection: presences,
    signal,
    // Our own is of a process that is no more.
    remembered: byId(options.memory?.last.presences.filter(({ id }) => id !== self.id)),
    onError: trouble,
    onChange(ids, live) {
      for (const id of ids) observe(id, live)
      refresh()
    },
  })
  let announcer: Announcer | undefined
  let announced: Promise<void> | undefined
  let isOpen = false
  let lost: CodedError | undefined
  /** Tells once that this node must stop, and lets go of its presence. */
  function lose(error: CodedError): void {
    if (lost !== undefined) return
    lost = error
    ending.abort(error)
    if (isOpen) options.onLost(error)
  }

  const isRemoved = () => belonging.facts.get(self.id)?.state === 'removed'

  function observe(id: Id, live: boolean): void {
    const presence = alive.facts.get(id)
    if (presence === undefined) {
      clocks.forget(id)
      return
    }
    if (id === self.id) {
      if (presence.incarnation === incarnation) seen.resolve()
      else announcer?.overtaken()
      return
    }
    const told = clocks.observe(presence, live, Date.now())
    if (told === undefined) return
    onEvent({ kind: 'clock', node: id, name: belonging.facts.get(id)?.name ?? id, skewMs: told.skewMs })
  }

  function refresh(): void {
    const before = nodes
    nodes = [...alive.facts.values()]
      .flatMap((presence) => liveNode(presence, belonging.facts.get(presence.id), clocks.skewMs(presence.id)))
      .sort((one, other) => (one.id < other.id ? -1 : 1))
    for (const kind of ['joined', 'left'] as const) {
      const [from, to] = kind === 'joined' ? [before, nodes] : [nodes, before]
      const known = new Set(from.map((node) => node.id))
      for (const { id, name } of to) if (!known.has(id)) onEvent({ kind, node: id, name })
    }
    // An empty list is that of a store which was not read yet.
    if (belonging.following && alive.following) {
      options.memory?.keep({ members: [...belonging.facts.values()], presences: [...alive.facts.values()] })
    }
    for (const listener of [...listeners]) listener()
  }

  async function close(): Promise<void> {
    ending.abort(new DOMException('the registry is closed', 'AbortError'))
    await Promise.all([announced, alive.ended, belonging.ended, options.memory?.settled()])
  }

  /** Waits for these, as long as a start may take. Closes and throws where this node may not stay. */
  async function start(promises: readonly Promise<void>[]): Promise<void> {
    const failure = await within(options.storeAway === true ? 0 : startPatienceMs, promises)
    if (isCoded(failure)) lose(failure)
    if (!signal.aborted) return
    await close()
    throw lost ?? signal.reason
  }

  async function announceSelf(reach: Reach): Promise<void> {
    const standing: Standing = {
      ...self,
      ...reach,
      roles: [...self.roles],
      addresses: [...reach.addresses],
      incarnation,
      startedAt: Date.now(),
    }
    const { store, ttlSeconds, vitals } = options
    announcer = announce({ store, standing, ttlSeconds, vitals, signal, onError: trouble })
    announced = announcer.ended.catch((error: unknown) => (isCoded(error) ? lose(error) : trouble(error)))
    isOpen = false
    await start([announcer.present, seen.promise])
    isOpen = true
  }

  if (options.storeAway === true) refresh()
  await start([alive.filled, belonging.filled])
  isOpen = true

  return {
    self: self.id,
    announce: announceSelf,
    nodes: () => nodes,
    node: (id) => nodes.find((node) => node.id === id) ?? null,
    members: () => [...belonging.facts.values()],
    member: (id) => belonging.facts.get(id) ?? null,
    get following() {
      return alive.following && belonging.following
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async readMember(id, callSignal) {
      return (await members.get(store, id, callSignal))?.value ?? null
    },
    [Symbol.asyncDispose]: close,
  }
}

function byId<Value extends { readonly id: Id }>(values: readonly Value[] = []): ReadonlyMap<Id, Value> {
  return new Map(values.map((value) => [value.id, value]))
}

function liveNode(presence: Presence, member: Member | undefined, skewMs: number | null): LiveNode[] {
  if (member === undefined || member.state === 'removed') return []
  const { clock: _, place: __, ...rest } = presence
  const { name, zone, state, capacityBytes } = member
  return [{ ...rest, name, zone, state, capacityBytes, skewMs }]
}

/** Until all have come, one has failed, or the time is over. Answers with what it failed. */
async function within(ms: number, promises: readonly Promise<void>[]): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await Promise.race([Promise.all(promises), promise])
    return undefined
  } catch (error) {
    return error
  } finally {
    clearTimeout(timer)
  }
}
